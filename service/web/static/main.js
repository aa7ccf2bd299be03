/** The page: its frame, and which view is shown. */

import { context } from './api.js';
import { redraw, setVega } from './parts/chart.js';
import { flat, h, morph, shown, visible } from './parts/dom.js';
import { choice, labelled } from './parts/field.js';
import { empty, skeleton } from './parts/problem.js';
import * as session from './session.js';
import * as state from './state.js';
import * as store from './store.js';
import { browserZone, zones } from './zone.js';

const header = /** @type {HTMLElement} */ (document.getElementById('header'));
const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const THEMES = /** @type {const} */ ([['', 'Auto'], ['light', 'Light'], ['dark', 'Dark']]);
const THEME = 'metric-resource.theme';
/** @type {string} */
let failure = '';

function draw() {
  context.zone = state.one('zone') || browserZone;
  context.group = state.one('group');
  context.connection = state.one('connection');
  const signedIn = session.isSignedIn();
  const shows = signedIn ? shownView() : () => ({ title: 'Sign in', crumbs: [], body: signIn() });
  main.ariaBusy = shows ? null : 'true';
  if (!shows) return;
  store.drawing(() => {
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
  const name = state.all('compare').length ? 'comparison' : state.one('run') ? 'run' : 'runs';
  if (!loaded.has(name)) {
    if (!main.firstChild) morph(main, skeleton());
    const failed = () => ({ title: 'Problem', crumbs: [], body: empty('This part of the page cannot be loaded.', h('button', { onclick: () => location.reload() }, 'Try again')) });
    void VIEWS[name]().catch(() => failed).then((view) => { loaded.set(name, view); draw(); });
  }
  return loaded.get(name);
}

/** @param {View} view @param {boolean} signedIn */
function frame(view, signedIn) {
  return [
    h('nav', { class: 'crumbs', 'aria-label': 'Breadcrumb' },
      h('ol', null, [/** @type {[string, string]} */ (['Runs', state.link({}, true)]), ...view.crumbs].map(([title, href], index, all) =>
        h('li', null, h('a', { href, 'aria-current': index === all.length - 1 ? 'page' : null }, shown(title)))))),
    h('details', { class: 'settings', open: matchMedia('(min-width: 701px)').matches }, h('summary', null, 'Settings'), signedIn && [place('connection', 'Connection'), place('group', 'Resource group')],
      zonePicker(),
      choice('Theme', localStorage.getItem(THEME) ?? '', THEMES, (theme) => {
        localStorage.setItem(THEME, theme);
        setTheme();
        redraw();
      }),
      signedIn && h('button', { onclick: session.signOut }, 'Sign out')),
  ];
}

/** The connection or the resource group, where there are several. @param {'connection' | 'group'} parameter @param {string} label */
function place(parameter, label) {
  const found = parameter === 'group' ? store.use('groups', 'resource-groups') : store.use('connections', 'connections');
  /** @type {string[]} */
  const names = parameter === 'group'
    ? (found.data?.resourceGroups ?? []).map((/** @type {any} */ group) => group.id)
    : (found.data?.connections ?? []).map((/** @type {any} */ connection) => connection.name);
  const now = state.one(parameter);
  const pick = (/** @type {string} */ value) => state.go({ [parameter]: value, cursor: '', pick: [] });
  if (found.data?.complete === false || (parameter === 'group' && found.problem)) {
    return labelled(label, h('input', { type: 'text', value: now, list: 'groups', placeholder: 'default', size: 12, spellcheck: 'false',
      onchange: (event) => pick(event.target.value.trim()) }));
  }
  const all = [...new Set([...names, ...(now ? [now] : [])])];
  const standard = (found.data?.connections ?? []).find((/** @type {any} */ one) => one.default)?.name ?? all.find((name) => name === 'default');
  return all.length > 1 && choice(label, now || (standard ?? ''), all.map((name) => /** @type {const} */ ([name, name])), pick);
}

function zonePicker() {
  const pick = (/** @type {any} */ event) => {
    const field = event.target;
    const zone = field.value.trim();
    if (!zone || zones(undefined).includes(zone) || /^[+-]\d\d:?\d\d$/.test(zone)) {
      field.setCustomValidity('');
      state.go({ zone: zone === browserZone ? '' : zone, cursor: '' });
    } else {
      field.setCustomValidity('Choose a time zone such as Europe/Berlin, or an offset such as +02:00');
      field.reportValidity();
    }
  };
  return [
    labelled('Time zone', h('input', { type: 'text', list: 'zones', value: context.zone, onchange: pick, autocomplete: 'off',
      spellcheck: 'false', size: 18, 'data-key': 'zone',
      onclick: (event) => event.target.select() })),
    zoneList,
  ];
}

const zoneList = h('datalist', { id: 'zones', 'data-own': '' });

function signIn() {
  const send = (/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.target;
    const pasted = String(new FormData(form).get('token') ?? '');
    if (!pasted.trim()) return;
    session.keep(pasted);
    begin();
  };
  return h('section', { class: 'sign-in' },
    h('h1', null, 'View the metric resource of a run'),
    failure && h('p', { class: 'strip warning', role: 'alert' }, shown(failure)),
    session.mode() === 'token'
      ? h('form', { onsubmit: send }, h('p', null, 'Paste an access token (JWT) for this service. It stays in this tab.'),
        labelled('Access token', h('textarea', { name: 'token', rows: 5, required: true, autocomplete: 'off', spellcheck: 'false' })),
        h('button', { class: 'primary', type: 'submit' }, 'Sign in'))
      : h('button', { class: 'primary', onclick: session.goSignIn }, 'Sign in'));
}

/** With another reader nothing of the last one is left. */
function begin() {
  const known = zones(session.claims().zoneinfo);
  zoneList.replaceChildren(...flat(known.map((zone) => h('option', { value: zone }))));
  store.again(true);
  draw();
}

function setTheme() {
  document.documentElement.dataset['theme'] = localStorage.getItem(THEME) ?? '';
}

setTheme();
document.addEventListener('click', state.follow);
state.begin(draw);
store.begin(draw, () => {
  if (session.mode() === 'session') return;
  if (session.mode() === 'token') failure = 'The token is not valid, or not any more.';
  session.drop();
}, () => state.go({ cursor: '', expired: 'yes' }, { replace: true }));
try {
  const answer = await fetch('config.json');
  const config = await answer.json();
  setVega(config.vega);
  await session.begin(config.signIn);
} catch (error) {
  failure = String(/** @type {Error} */ (error).message);
}
begin();
