/** The page: its frame, and which view is shown. */

import { setVega } from './parts/chart.js';
import { flat, h, morph, shown, visible } from './parts/dom.js';
import { choice, field, labelled, select } from './parts/fields.js';
import { empty, skeleton } from './parts/problem.js';
import * as session from './session.js';
import * as state from './state.js';
import * as store from './store.js';
import { zones } from './zone.js';

const [header, main] = /** @type {[HTMLElement, HTMLElement]} */ ([document.querySelector('header'), document.querySelector('main')]);
const THEME = 'metric-resource.theme';
let failure = '';

function draw() {
  const signedIn = session.isSignedIn();
  const shows = signedIn ? shownView() : () => ({ title: 'Sign in', crumbs: [], body: signIn() });
  main.ariaBusy = shows ? null : 'true';
  if (shows) store.drawing(() => {
    const view = shows();
    document.title = `${visible(view.title)} · Metric Resource`;
    morph(header, frame(view, signedIn));
    morph(main, view.body);
  });
}

const VIEWS = {
  comparison: async () => (await import('./views/comparison.js')).comparison,
  run: async () => (await import('./views/run.js')).run,
  runs: async () => (await import('./views/runs.js')).runs,
};
/** @type {Map<string, () => View>} */
const loaded = new Map();

/** The view of the address; nothing while it is loaded, which is done when it is first wanted. */
function shownView() {
  const name = state.one('compare') ? 'comparison' : state.one('run') ? 'run' : 'runs';
  if (!loaded.has(name)) {
    if (!main.firstChild) morph(main, skeleton());
    const failed = () => ({ title: 'Problem', crumbs: [], body: empty('This part of the page cannot be loaded.', h('button', { onclick: () => location.reload() }, 'Try again')) });
    void VIEWS[name]().catch(() => failed).then((view) => { loaded.set(name, view); draw(); });
  }
  return loaded.get(name);
}

/** @param {View} view @param {boolean} signedIn */
function frame(view, signedIn) {
  const crumbs = [['Runs', state.link({}, true)], ...view.crumbs];
  return [
    h('nav', { 'aria-label': 'Breadcrumb' }, h('ol.row', crumbs.map(([title, href], index) =>
      h('li', h('a', { href, 'aria-current': index === crumbs.length - 1 && 'page' }, shown(title)))))),
    h('details.settings', { open: matchMedia('(min-width: 701px)').matches }, h('summary', 'Settings'),
      signedIn && [connections(), groups()],
      labelled('Time zone', h('input', { type: 'text', list: 'zones', value: state.context().zone, onchange: pickZone, autocomplete: 'off', spellcheck: 'false',
        size: 18, key: 'zone', onclick: ({ target }) => target.select() })), zoneList,
      labelled('Theme', select([['', 'Auto'], ['light', 'Light'], ['dark', 'Dark']], localStorage.getItem(THEME) ?? '', { onchange: pickTheme })),
      signedIn && h('button', { onclick: session.signOut }, 'Sign out')),
  ];
}

/** Where there are several. */
function connections() {
  /** @type {{name: string, default?: boolean}[]} */
  const found = store.use('connections', 'connections').data?.connections ?? [];
  return found.length > 1 && place('Connection', 'connection', found.map(({ name }) => name), found.find((one) => one.default)?.name);
}

/** Where there are several; entered where they are not known. */
function groups() {
  const { data, problem } = store.use('groups', 'resource-groups');
  if (problem || data?.complete === false) {
    return field('Resource group', 'group', { placeholder: 'default', size: 12 });
  }
  return place('Resource group', 'group', (data?.resourceGroups ?? []).map((/** @type {{id: string}} */ { id }) => id), state.one('connection') ? '' : 'default');
}

/** @param {string} label @param {string} parameter @param {string[]} names @param {string} [standard] what holds where the address has none, if it is known */
function place(label, parameter, names, standard = '') {
  const now = state.one(parameter);
  const all = [...new Set([...names, now].filter(Boolean))];
  const options = /** @type {[string, string][]} */ (all.map((name) => [name, name]));
  const isKnown = all.includes(standard);
  return all.length > 1 && choice(label, parameter, isKnown ? options : [['', 'as configured'], ...options], now || (isKnown ? standard : ''));
}

const zoneList = h('datalist', { id: 'zones', own: true });

/** @param {Event} event */
function pickZone({ target }) {
  const field = /** @type {HTMLInputElement} */ (target);
  const zone = field.value.trim();
  const isKnown = !zone || zones('UTC').includes(zone) || /^[+-]\d\d:?\d\d$/.test(zone);
  field.setCustomValidity(isKnown ? '' : 'Choose a time zone such as Europe/Berlin, or an offset such as +02:00');
  if (isKnown) state.go({ zone: zone === state.browserZone ? '' : zone });
  else field.reportValidity();
}

/** @param {Event} [event] */
function pickTheme(event) {
  if (event) localStorage.setItem(THEME, /** @type {HTMLSelectElement} */ (event.target).value);
  document.documentElement.dataset['theme'] = localStorage.getItem(THEME) ?? '';
}

function signIn() {
  const send = (/** @type {any} */ event) => {
    event.preventDefault();
    session.keep(event.target.elements.token.value);
    begin();
  };
  return h('section.sign-in', h('h1', 'View the metric resource of a run'),
    failure && h('p.strip.warning', { role: 'alert' }, shown(failure)),
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
