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
import { zones } from './zone.js';

const [header, main] = /** @type {[HTMLElement, HTMLElement]} */ ([...document.querySelectorAll('header, main')]);
const THEME = 'metric-resource.theme';
let failure = '';

function draw() {
  const signedIn = session.isSignedIn();
  store.drawing(() => {
    const view = signedIn ? shownView() : { title: 'Sign in', crumbs: [], body: signIn() };
    document.title = `${visible(view.title)} · Metric Resource`;
    morph(header, frame(view, signedIn));
    morph(main, view.body);
  });
}

const shownView = () => (state.one('compare') ? comparison : state.one('run') ? run : runs)();

/** Loaded when it is first wanted: most readers never compare. @returns {View} */
let comparison = () => {
  const shows = (/** @type {() => View} */ view) => { comparison = view; draw(); };
  import('./views/comparison.js').then((module) => shows(module.comparison), () => shows(() => waiting(empty('This view did not load: reload the page.'))));
  return waiting(skeleton());
};
const waiting = (/** @type {Children} */ body) => ({ title: 'Compare', crumbs: [], body });

/** @param {View} view @param {boolean} signedIn */
function frame({ crumbs }, signedIn) {
  const all = [['Runs', state.link({}, true)], ...crumbs];
  return [
    h('nav', { 'aria-label': 'Breadcrumb' }, h('ol.row', all.map(([title, href], index) =>
      h('li', h('a', { href, 'aria-current': index === crumbs.length && 'page' }, shown(title)))))),
    h('details.settings', { open: matchMedia('(min-width: 701px)').matches }, h('summary', 'Settings'),
      signedIn && places(),
      field('Time zone', 'zone', { list: 'zones', value: state.context().zone, onchange: pickZone, size: 18, onclick: ({ target }) => target.select() }), zoneList,
      labelled('Theme', select(['Auto', 'Light', 'Dark'], localStorage.getItem(THEME) ?? '', { onchange: pickTheme })),
      signedIn && h('button', { onclick: session.signOut }, 'Sign out')),
  ];
}

/** Connection and resource group, where there are several; a group is entered where they are not known. */
function places() {
  const { data, problem } = store.groups();
  const picker = (/** @type {string} */ label, /** @type {string} */ parameter, /** @type {string[]} */ names, now = '') => {
    const all = new Set([...names, now]);
    return all.size > 1 && choice(label, parameter, [...all].map((name) => /** @type {[string, string]} */ ([name, name])), now);
  };
  return [
    picker('Connection', 'connection', store.connections().map(({ name }) => name), store.connectionName()),
    problem || data?.complete === false ? field('Resource group', 'group', { placeholder: store.groupName(), size: 12 })
      : picker('Resource group', 'group', (data?.resourceGroups ?? []).map((/** @type {{id: string}} */ { id }) => id), store.groupName()),
  ];
}

const zoneList = h('datalist', { id: 'zones', own: true });

/** @param {{target: HTMLInputElement}} event */
function pickZone({ target }) {
  const zone = target.value.trim();
  const isKnown = !zone || zones().includes(zone) || /^[+-]\d\d:?\d\d$/.test(zone);
  target.setCustomValidity(isKnown ? '' : 'Choose a time zone such as Europe/Berlin, or an offset such as +02:00');
  if (isKnown) state.go({ zone: zone === state.browserZone ? '' : zone });
  else target.reportValidity();
}

/** @param {{target: HTMLSelectElement}} [event] */
function pickTheme(event) {
  if (event) localStorage.setItem(THEME, event.target.value);
  document.documentElement.dataset['theme'] = localStorage.getItem(THEME) ?? '';
}

function signIn() {
  const send = (/** @type {any} */ event) => {
    event.preventDefault();
    session.keep(event.target.elements.token.value);
    begin();
  };
  return h('section.sign-in', h('h1', 'View the metric resource of a run'),
    failure && warning(shown(failure), 'alert'),
    session.mode() === 'token'
      ? h('form', { onsubmit: send }, h('p', 'Paste an access token (JWT) for this service. It stays in this tab.'),
        labelled('Access token', h('textarea', { name: 'token', rows: 5, required: true, autocomplete: 'off', spellcheck: 'false' })),
        h('button.primary', { type: 'submit' }, 'Sign in'))
      : h('button.primary', { onclick: session.goSignIn }, 'Sign in'));
}

/** With another reader nothing of the last one is left. */
function begin() {
  zoneList.replaceChildren(...flat(zones(session.claims().zoneinfo).map((zone) => h('option', { value: zone }))));
  store.again(true);
  draw();
}

pickTheme();
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
