// Requests to the server, and what becomes of those that fail: a sentence for the reader and, when
// the session has ended, signing in again in place. Afterwards the event `signed-in` on the
// document tells other modules to go on.

const { csrfCookie, home, signIn: signInPath, who: whoUrl, person, personName } =
  document.body.dataset;

// Names in the browser that all installations at this host share begin with it; "" for the one
// that is not below a path.
export const sitePrefix = home === "/" ? "" : home;

// Sentences in the reader's language: the page has the translations that its scripts need
// (web/script_modules.py). What has none is shown as it is written here.

const translations = JSON.parse(document.getElementById("translations")?.textContent || "{}");

function withValues(text, values) {
  return text.replace(/%\((\w+)\)s/g, (placeholder, name) => String(values[name]));
}

export function gettext(text, values = {}) {
  return withValues(translations[text] || text, values);
}

// The sentence for a number, which is its `%(number)s`.
export function ngettext(singular, plural, number) {
  const translation = translations[singular];
  let text = number === 1 ? singular : plural;
  if (translation) {
    // Which form a larger number has depends on its last two digits in every language.
    const index = number < 100 ? number : 100 + (number % 100);
    text = translation.forms[translation.form_of[index]];
  }
  return withValues(text, { number });
}

// Sentences for the reader

const SENTENCES = {
  403: gettext("You do not have access to this. Nothing was saved; what you typed is still here."),
  404: gettext("This no longer exists. Reload the page."),
  413: gettext("This is too large. Nothing was saved; make it shorter and try again."),
  414: gettext(
    "Your filter or selection does not fit into a web address. Select fewer rows or shorten it.",
  ),
  429: gettext("Too many requests. Wait a moment and try again; what you typed is still here."),
};
const SERVER_ERROR = gettext(
  "Something went wrong on the server. What you typed is still here; try again in a moment.",
);
const NOT_ACCEPTED = gettext(
  "The server did not accept this. Nothing was saved; reload the page and try again.",
);
const AWAY = gettext(
  "No connection. What you typed is still here; try again when you are back online.",
);
// What a proxy answers, or we while the database is away.
const AWAY_STATUS = [502, 503, 504];

const failure = document.getElementById("failure");
const failureText = failure.querySelector("[data-text]");

// Screen readers read it out. A response may ask for that too: `HX-Trigger: {"say": "Saved. 12
// left"}`.
export function say(text) {
  document.getElementById("live").textContent = text;
}

// A "Saved." of before would say something else beside what has failed.
export function clearSaved() {
  for (const message of document.querySelectorAll("#bar .bar-message")) message.remove();
}

export function notify(text) {
  clearSaved();
  failureText.textContent = text;
  failure.hidden = false;
}

export function clearNotice() {
  failure.hidden = true;
}

export function isAway(status) {
  return AWAY_STATUS.includes(status);
}

export function sentenceFor(status) {
  if (SENTENCES[status]) return SENTENCES[status];
  if (isAway(status)) return AWAY;
  return status >= 500 ? SERVER_ERROR : NOT_ACCEPTED;
}

function serverWasReached() {
  if (failureText.textContent === AWAY) clearNotice();
}

// What a page requests by itself answers nothing that a person did.
function isAutomatic(element) {
  return /^(every|load|attention) /.test(element.getAttribute("hx-trigger") || "");
}

document.addEventListener("say", (event) => say(event.detail.value));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status >= 400 && status !== 401) notify(sentenceFor(status));
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => notify(AWAY));
}
document.addEventListener("htmx:afterSwap", (event) => {
  const { elt } = event.detail.requestConfig || event.detail;
  if (!elt || !isAutomatic(elt)) clearNotice();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) serverWasReached();
});
window.addEventListener("online", serverWasReached);
failure.querySelector("[data-close]").addEventListener("click", clearNotice);

// Requests of scripts: as JSON, for the person whose page this is, with the CSRF token that is
// valid now. A sign-in makes a new token: the cookie has it, the forms of a page that was rendered
// before have not.

function cookieToken() {
  const start = `${csrfCookie}=`;
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith(start));
  return cookie ? cookie.slice(start.length) : "";
}

function csrfToken() {
  const field = document.querySelector('input[name="csrfmiddlewaretoken"]');
  return cookieToken() || (field ? field.value : "");
}

// Who is signed in now; the response sets a token that is valid for that session.
async function getPerson() {
  const response = await fetch(whoUrl, { cache: "no-store", credentials: "same-origin" });
  return response.ok ? response.json() : {};
}

function parsedJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    // A page that says why.
    return {};
  }
}

// In ms, as that of htmx.
const LONGEST_REQUEST = 30000;

async function send(url, fields, { keepalive = false } = {}) {
  const body = new URLSearchParams(fields);
  body.delete("csrfmiddlewaretoken");
  // A browser lets no more than 64 KiB go out of a page that is being closed.
  const outlivesPage = keepalive && body.toString().length < 60000;
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { Accept: "application/json", "HX-Request": "true", "X-CSRFToken": csrfToken() },
    keepalive: outlivesPage,
    signal: AbortSignal.timeout(LONGEST_REQUEST),
    credentials: "same-origin",
    cache: "no-store",
  });
  const text = await response.text();
  if (response.ok) serverWasReached();
  return { status: response.status, json: parsedJson(text), text };
}

// Resolves with {status, json} as `post` does, for what only reads.
export async function getJson(url, { signal }) {
  const response = await fetch(url, {
    headers: { Accept: "application/json", "HX-Request": "true" },
    signal,
    credentials: "same-origin",
    cache: "no-store",
  });
  if (response.ok) serverWasReached();
  return { status: response.status, json: parsedJson(await response.text()) };
}

// The token has grown old: `403_csrf.html` says so of itself.
function isTokenRefusal({ status, text }) {
  return status === 403 && text.includes("data-grown-old");
}

// Resolves with {status, json, text}; `json` is {} where there is none. Rejects only when no
// response came. An old token is renewed, once; without a session the status is 401.
export async function post(url, fields, options) {
  const response = await send(url, fields, options);
  if (!isTokenRefusal(response)) return response;

  const now = await getPerson();
  const isSamePerson = now.person && String(now.person) === person;
  return isSamePerson ? send(url, fields, options) : { ...response, status: 401 };
}

document.addEventListener("htmx:configRequest", (event) => {
  const token = cookieToken();
  if (!token) return;
  const { verb, headers, parameters } = event.detail;
  if (verb !== "get") headers["X-CSRFToken"] = token;
  if (parameters && parameters.csrfmiddlewaretoken) parameters.csrfmiddlewaretoken = token;
});

// A session that ended while somebody was typing: nothing is swapped, nothing is lost. Signing in
// happens in a dialog with our own sign-in pages in it (the second factor too), and then what had
// been submitted goes on by itself. What needs a tab of its own (passkey, single sign-on) is
// noticed when that tab is signed in. If somebody else signs in, nothing of it is submitted.

const SIGNED_OUT = gettext("You were signed out. Sign in again; your work is kept.");
const SIGNED_IN = gettext(
  "You are signed in again. What you typed is still here: submit it again.",
);
const NO_COOKIES = gettext(
  "Nothing can be saved, because this browser blocks this site's cookies. Allow them, then " +
    "submit again: what you typed is still here.",
);
// A token that is refused again so soon after it was renewed, in ms, is not kept by the browser.
const RENEWAL_PAUSE = 10000;

const owner = { name: personName };
const dialog = document.getElementById("sign_in_again");
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(`${sitePrefix}reviewapp.session`) : null;
let isSignedOut = false;
// The submit that met the ended session, as {elt, submitter}.
let heldSubmit = null;
// Whether this browser keeps a submit that is sent after signing in.
let keepsSubmit = false;
let renewedAt = -Infinity;

function inDialog(name) {
  return dialog.querySelector(`[data-${name}]`);
}

function showProblem(text) {
  inDialog("problem").textContent = text;
  inDialog("problem").hidden = !text;
}

function offerSignIn(isOffered) {
  const button = failure.querySelector("[data-sign-in]");
  if (button) button.hidden = !isOffered;
}

function leadsToSignIn(url) {
  if (!signInPath || !url || location.pathname === signInPath) return false;
  return new URL(url, location.href).pathname === signInPath;
}

// The token of the new session, for every form that was rendered in the old one.
function renewTokens() {
  const token = csrfToken();
  const fields = document.querySelectorAll('input[name="csrfmiddlewaretoken"]');
  for (const field of fields) field.value = token;
}

// Tells all other tabs that somebody is signed in; each asks for itself who that is.
function tellTabs() {
  if (tabs && person) tabs.postMessage("signed in");
}

function submitAgain({ elt, submitter }) {
  clearNotice();
  say(gettext("You are signed in again. Your decision is being sent."));
  if (!elt.requestSubmit) elt.click();
  else if (submitter && submitter.isConnected) elt.requestSubmit(submitter);
  else elt.requestSubmit();
}

function signedIn(now) {
  if (!now.person) {
    loadSignInPage();
    return;
  }
  if (String(now.person) !== person) {
    showSomebodyElse(now);
    return;
  }
  // The dialog and another tab may tell of the same sign-in.
  if (!isSignedOut) return;
  isSignedOut = false;
  offerSignIn(false);
  renewTokens();
  tellTabs();
  const submit = heldSubmit;
  const isSent = keepsSubmit;
  heldSubmit = null;
  keepsSubmit = false;
  if (dialog.open) dialog.close();
  document.dispatchEvent(new CustomEvent("signed-in"));
  if (submit && submit.elt.isConnected) submitAgain(submit);
  else if (isSent) clearNotice();
  else notify(SIGNED_IN);
}

function showSomebodyElse(now) {
  if (!dialog.open) dialog.showModal();
  inDialog("place").replaceChildren();
  inDialog("told").textContent = gettext(
    "You are now signed in as %(name)s, but this page belongs to %(person)s. Nothing was " +
      "submitted; what %(person)s typed is kept.",
    { name: now.name, person: personName },
  );
  showProblem("");
  for (const element of dialog.querySelectorAll("[data-other]")) element.hidden = false;
  inDialog("sign-again").focus();
}

// Shows the form of one of our sign-in pages.
function showSignInForm(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const forms = [...page.querySelectorAll("main form")];
  const form = forms.find((candidate) => candidate.querySelector("[type=password], [name=code]"));
  if (!form) {
    showProblem(gettext("This sign-in needs its own page. Use the link below, then come back."));
    return;
  }
  const shown = document.importNode(form, true);
  const nameField = shown.querySelector("[name=login]");
  if (nameField && !nameField.value) nameField.value = personName;
  inDialog("place").replaceChildren(shown);
  const fields = [...shown.querySelectorAll("input:not([type=hidden])")];
  const empty = fields.find((field) => !field.value);
  if (empty) empty.focus();
}

async function showSignInResponse(response) {
  const { status } = response;
  const type = response.headers.get("Content-Type") || "";
  if (type.startsWith("application/json")) signedIn(await response.json());
  else if (status === 429) showProblem(gettext("Too many tries. Wait a minute and try again."));
  else if (status === 403 || status >= 500) showProblem(gettext("That did not work. Try again."));
  else showSignInForm(await response.text());
}

async function requestSignIn(url, options = {}) {
  showProblem("");
  try {
    const always = { cache: "no-store", credentials: "same-origin" };
    const response = await fetch(url, { ...always, ...options });
    await showSignInResponse(response);
  } catch {
    showProblem(gettext("No connection. Try again when you are back online."));
  }
}

// Signing in again cannot work: the dialog says why, and offers nothing to type into.
function showRefusal(sentence) {
  inDialog("place").replaceChildren();
  inDialog("told").textContent = sentence;
  showProblem("");
  inDialog("close").focus();
}

async function loadSignInPage() {
  for (const element of dialog.querySelectorAll("[data-other]")) element.hidden = true;
  const { refused } = await getPerson().catch(() => ({}));
  inDialog("another-way").hidden = Boolean(refused);
  dialog.querySelector("h2").textContent = refused
    ? gettext("You were signed out")
    : gettext("Sign in again");
  if (refused) {
    showRefusal(refused);
    return;
  }
  inDialog("told").textContent = heldSubmit || keepsSubmit
    ? gettext("You were signed out. Sign in as %(name)s and your decision is sent.", owner)
    : gettext("You were signed out. Sign in as %(name)s; your work is kept.", owner);
  await requestSignIn(`${signInPath}?next=${encodeURIComponent(whoUrl)}`);
}

function openSignIn() {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  loadSignInPage();
}

// Says that the session has ended. `submit` is what met that, as {elt, submitter}; the dialog opens
// for it, or if `opens`. `isKept`: another submit is kept in this browser and sent by itself.
export async function signedOut({ submit = null, opens = false, isKept = false } = {}) {
  isSignedOut = true;
  keepsSubmit = keepsSubmit || isKept;
  if (submit && submit.elt.isConnected) heldSubmit = submit;
  const { refused } = await getPerson().catch(() => ({}));
  notify(refused || SIGNED_OUT);
  offerSignIn(Boolean(dialog) && !refused);
  if (heldSubmit || opens) openSignIn();
}

async function checkPerson() {
  const now = await getPerson();
  if (now.person && dialog) signedIn(now);
}

// The token was refused: because the session has ended, because somebody signed in since, or
// because the browser keeps no cookies. Who is signed in now tells the first two apart; whoever
// still is goes on, but only once.
async function tokenRefused(submit) {
  const now = await getPerson().catch(() => ({}));
  if (!now.person || !dialog) {
    signedOut({ submit });
    return;
  }
  if (performance.now() - renewedAt < RENEWAL_PAUSE) {
    notify(NO_COOKIES);
    return;
  }
  renewedAt = performance.now();
  isSignedOut = true;
  heldSubmit = submit;
  signedIn(now);
}

function checkPersonIfSignedOut() {
  if (isSignedOut) checkPerson().catch(() => {});
}

function checkPersonIfVisible() {
  if (document.visibilityState === "visible") checkPersonIfSignedOut();
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!leadsToSignIn(event.detail.xhr.responseURL)) return;
  event.detail.shouldSwap = false;
  event.detail.isError = true;
  signedOut();
});
document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
  if (leadsToSignIn(event.detail.xhr.responseURL)) event.preventDefault();
});
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt, requestConfig } = event.detail;
  const { status, responseText: text } = xhr;
  const isSubmit = requestConfig.verb === "post" && elt.matches("form, button");
  const trigger = requestConfig.triggeringEvent;
  const submit = isSubmit ? { elt, submitter: trigger && trigger.submitter } : null;
  if (status === 401) signedOut({ submit });
  if (isTokenRefusal({ status, text })) tokenRefused(submit);
  if (status === 403 && text.includes("data-somebody-else")) {
    isSignedOut = true;
    checkPersonIfSignedOut();
  }
});
document.addEventListener("visibilitychange", checkPersonIfVisible);
window.addEventListener("focus", checkPersonIfVisible);
if (tabs) tabs.addEventListener("message", checkPersonIfSignedOut);
tellTabs();
document.addEventListener("click", (event) => {
  if (event.target.closest("#failure [data-sign-in]")) openSignIn();
});

if (dialog) {
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const body = new URLSearchParams(new FormData(form));
    requestSignIn(form.getAttribute("action"), { method: "POST", body });
  });
  inDialog("sign-again").addEventListener("click", () => {
    const body = new URLSearchParams({ csrfmiddlewaretoken: csrfToken(), next: signInPath });
    const { signAgain } = inDialog("sign-again").dataset;
    const signingOut = fetch(signAgain, { method: "POST", body, credentials: "same-origin" });
    signingOut.catch(() => {}).then(loadSignInPage);
  });
  inDialog("elsewhere").addEventListener("click", () => {
    inDialog("told").textContent = heldSubmit || keepsSubmit
      ? gettext("Sign in as %(name)s in the new tab. Your decision is then sent from here.", owner)
      : gettext("Sign in as %(name)s in the new tab, then come back.", owner);
  });
  inDialog("close").addEventListener("click", () => dialog.close());
}
