/** Who reads: where the token comes from, and how it is forgotten. See `ui/config.json`. */

const TOKEN = 'metric-resource.token';
const FLOW = 'metric-resource.flow';
const URL_SAFE = /** @type {const} */ ({ alphabet: 'base64url' });
const SIGNED_IN = 'metric-resource.signed-in';

let signIn = /** @type {SignIn} */ ({ mode: 'token' });
/** @type {string | null} */
let token = null;

/** Take up the session: a token in the fragment, one of this tab, or an answer of the OpenID provider. @param {SignIn} how */
export async function begin(how) {
  signIn = how;
  if (how.mode === 'oidc') return finishFlow();
  if (how.mode !== 'token') return;
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) keep(given);
  if (location.hash.includes('token=')) history.replaceState(null, '', location.pathname + location.search);
  token = sessionStorage.getItem(TOKEN);
}

export const mode = () => signIn.mode;
export const isSignedIn = () => signIn.mode === 'session' || token !== null;

/** The headers that say who asks. @returns {Record<string, string>} */
export const headers = () =>
  signIn.mode === 'session' ? { 'X-Requested-With': 'XMLHttpRequest' } : token ? { Authorization: `Bearer ${token}` } : {};

/** A token that was pasted. @param {string} pasted */
export const keep = (pasted) => sessionStorage.setItem(TOKEN, (token = pasted.trim().replace(/^bearer\s+/i, '')));

/** The token is no longer good. */
export function drop() {
  token = null;
  sessionStorage.removeItem(TOKEN);
}

/** What the token says of its holder; nothing of it is trusted. @returns {{zoneinfo?: string}} */
export function claims() {
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(token?.split('.')[1] ?? '', URL_SAFE)));
  } catch {
    return {};
  }
}

/** Forget all, and leave. */
export function signOut() {
  sessionStorage.clear();
  localStorage.clear();
  location.href = signIn.signOutUrl ? new URL(signIn.signOutUrl, new URL('../', document.baseURI)).href : location.pathname;
}

/** Leave for the OpenID provider or the approuter's login, and come back to this address. */
export async function goSignIn() {
  if (signIn.mode === 'session') return location.reload();
  sessionStorage.removeItem(SIGNED_IN);
  const [verifier, state] = [random(), random()];
  sessionStorage.setItem(FLOW, JSON.stringify({ verifier, state, search: location.search }));
  const url = new URL((await provider()).authorization_endpoint);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const wanted = { response_type: 'code', client_id: signIn.clientId, redirect_uri: here(), scope: signIn.scope, state,
    code_challenge: base64(new Uint8Array(digest)), code_challenge_method: 'S256' };
  for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Authorization code flow with PKCE (RFC 7636): the code becomes a token, which stays in memory. */
async function finishFlow() {
  const { code = '', state, error, error_description: reason } = Object.fromEntries(new URLSearchParams(location.search));
  const flow = JSON.parse(sessionStorage.getItem(FLOW) ?? 'null');
  if (flow && state && (code || error)) {
    sessionStorage.removeItem(FLOW);
    history.replaceState(null, '', location.pathname + flow.search);
    if (state !== flow.state) throw new Error('the answer is not of this sign-in');
    if (error) throw new Error(reason ?? error);
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: here(), client_id: signIn.clientId, code_verifier: flow.verifier });
    const answer = await fetch((await provider()).token_endpoint, { method: 'POST', body });
    const given = await answer.json();
    if (!answer.ok) throw new Error(given.error_description ?? given.error ?? 'the provider gave no token');
    token = given.access_token;
    sessionStorage.setItem(SIGNED_IN, 'yes');
  } else if (sessionStorage.getItem(SIGNED_IN)) {
    await goSignIn(); // the provider remembers who signed in before this page was loaded again
    await new Promise(() => {});
  }
}

const here = () => new URL('.', document.baseURI).href;
/** @param {Uint8Array} bytes */
const base64 = (bytes) => bytes.toBase64({ ...URL_SAFE, omitPadding: true });
const random = () => base64(crypto.getRandomValues(new Uint8Array(32)));

async function provider() {
  const answer = await fetch(`${signIn.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!answer.ok) throw new Error('the OpenID provider does not describe itself');
  return answer.json();
}
