/** The page: its frame, and which view is shown. */

import { setVega } from './parts/chart.js';
import { choice, field, labelled, select } from './parts/controls.js';
import { flat, h, morph, shown, visible } from './parts/dom.js';
import { empty, skeleton, warning } from './parts/states.js';
import * as session from './session.js';
import * as state from './state.js';
import * as store from './store.js';
import { run } from './views/run.js';
import { runs } from './views/runs.js';

const [header, main] = /** @type {[HTMLElement, HTMLElement]} */ ([...document.querySelectorAll('header, main')]);
const THEME = 'metric-resource.theme';
let failure = '';

function draw() {
  const focused = document.activeElement;
  const view = !session.isSignedIn() ? signIn : state.one('compare') ? comparison : state.one('run') ? run : runs;
  store.drawing(() => {
    const { title, body } = view();
    document.title = `${visible(title)} · Metric Resource`;
    morph(header, frame(title));
    morph(main, [state.one('expired') && h('p.strip', { role: 'status' }, 'The pages had expired: this is page 1 again.'), body]);
    if (!focused?.isConnected) main.focus({ preventScroll: true });
  });
}

/** Loaded when it is first wanted: most readers never compare. @returns {View} */
let comparison = () => {
  const failed = () => ({ comparison: () => ({ title: 'Compare', body: empty('This view did not load: reload the page.') }) });
  import('./views/comparison.js').catch(failed).then((module) => {
    ({ comparison } = module);
    draw();
  });
  return { title: 'Compare', body: skeleton() };
};

/** @param {string} title of the view */
function frame(title) {
  const crumb = (/** @type {string} */ name, /** @type {string} */ href) => h('li', h('a', { href, 'aria-current': name === title && 'page' }, shown(name)));
  return [
    h('nav', { 'aria-label': 'Breadcrumb' }, h('ol.row', crumb('Runs', state.link({}, true)), title !== 'Runs' && crumb(title, state.link({})))),
    h('details.settings', { open: matchMedia('(min-width: 701px)').matches }, h('summary', 'Settings'),
      session.isSignedIn() && places(),
      field('Time zone', 'zone', { list: 'zones', value: state.context().zone, size: 18, onclick: ({ target }) => target.select() }), zoneList,
      labelled('Theme', select(['Auto', 'Light', 'Dark'], { value: localStorage.getItem(THEME) ?? '', onchange: ({ target }) => {
        localStorage.setItem(THEME, target.value);
        applyTheme();
      } })),
      session.isSignedIn() && h('button', { onclick: session.signOut }, 'Sign out')),
  ];
}

/** Connection and resource group, where there are several; a group is entered where they are not known. */
function places() {
  const { data, problem } = store.groups();
  const picker = (/** @type {string} */ label, /** @type {string} */ parameter, /** @type {string[]} */ names, now = '') => {
    const all = new Set([...names, now]);
    return all.size > 1 && choice(label, parameter, [...all].map((name) => [name, name]), now);
  };
  return [
    picker('Connection', 'connection', store.connections().map(({ name }) => name), store.connectionName()),
    (data ? data.complete === false : problem) ? field('Resource group', 'group', { placeholder: store.groupName(), size: 12 })
      : picker('Resource group', 'group', (data?.resourceGroups ?? []).map((/** @type {{id: string}} */ { id }) => id), store.groupName()),
  ];
}

const zoneList = h('datalist', { id: 'zones', own: true });
const applyTheme = () => (document.documentElement.style.colorScheme = localStorage.getItem(THEME) ?? '');

/** @returns {View} */
function signIn() {
  const send = (/** @type {any} */ { target }) => {
    session.keep(target.elements.token.value);
    begin();
  };
  return { title: 'Runs', body: h('section.sign-in', h('h1', 'View the metric resource of a run'),
    failure && warning(shown(failure), 'alert'),
    session.mode() === 'token'
      ? h('form', { onsubmit: send }, h('p', 'Paste an access token (JWT) for this service. It stays in this tab.'),
        labelled('Access token', h('textarea', { name: 'token', rows: 5, required: true, autocomplete: 'off', spellcheck: 'false' })),
        h('button.primary', { type: 'submit' }, 'Sign in'))
      : h('button.primary', { onclick: session.goSignIn }, 'Sign in')) };
}

/** With another reader nothing of the last one is left. */
function begin() {
  const likely = [state.browserZone, session.claims().zoneinfo ?? 'UTC', 'UTC'];
  zoneList.replaceChildren(...flat([...new Set([...likely, ...Intl.supportedValuesOf('timeZone')])].map((value) => h('option', { value }))));
  store.again(true);
  draw();
}

applyTheme();
state.begin(draw);
store.begin({
  draw,
  refused() {
    if (session.mode() === 'session') return;
    if (session.mode() === 'token') failure = 'The token is not valid, or not any more.';
    session.drop();
  },
  expired: () => state.go({ expired: 'yes' }, { replace: true }),
});
try {
  const config = await (await fetch('config.json')).json();
  setVega(config.vega);
  await session.begin(config.signIn);
} catch (error) {
  failure = String(/** @type {Error} */ (error).message);
}
begin();
