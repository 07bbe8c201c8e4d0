// A session that ended while somebody was typing: nothing is swapped, nothing is lost. Signing in happens in place, in a
// dialog with our own sign-in pages in it (the second factor too), and then what had been submitted goes on by itself.
// What needs a tab of its own (passkey, single sign-on) is noticed when that tab is signed in. If somebody else signs in,
// nothing of it is submitted.
(() => {
  const SIGNED_OUT = "You are signed out. Sign in again in another tab and come back: what you typed is still here.";
  const BACK = "You are signed in again. What you typed is still here: send it once more.";
  const NO_COOKIES = "This browser does not keep the cookies of this site, so nothing can be saved. Switch them on, then send it once more: what you typed is still here.";
  const { signIn, who: whoUrl, person, personName } = document.body.dataset;
  const dialog = document.getElementById("sign_in_again");
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("reviewapp.session") : null;
  let out = false, pending = null;

  const notice = (detail) => document.dispatchEvent(new CustomEvent("notice", { detail }));
  const leadsToSignIn = (url) =>
    Boolean(signIn && url) && new URL(url, location.href).pathname === signIn && location.pathname !== signIn;
  const place = (name) => dialog.querySelector(`[data-${name}]`);
  const problem = (text) => { place("problem").textContent = text; place("problem").hidden = !text; };
  const offer = (is) => { const button = document.querySelector("#failure [data-sign-in]"); if (button) button.hidden = !is; };

  // The token of the new session, for every form that was rendered in the old one.
  const renew = () => {
    const token = window.reviewapp.token();
    for (const field of document.querySelectorAll('input[name="csrfmiddlewaretoken"]')) field.value = token;
  };

  const signedIn = (who) => {
    if (!who.person) return load();
    if (String(who.person) !== person) return somebodyElse(who);
    // The dialog and another tab may tell of the same sign-in.
    if (!out) return;
    out = false;
    offer(false);
    renew();
    tell();
    const waits = pending, opened = dialog.open;
    pending = null;
    if (opened) dialog.close();
    document.dispatchEvent(new CustomEvent("signed-in"));
    if (!waits || !waits.elt.isConnected) return notice(BACK);
    document.dispatchEvent(new CustomEvent("notice:clear"));
    document.dispatchEvent(new CustomEvent("say", { detail: { value: "You are signed in again. What you submitted is being sent." } }));
    if (waits.elt.requestSubmit) waits.elt.requestSubmit(waits.submitter && waits.submitter.isConnected ? waits.submitter : undefined);
    else waits.elt.click();
  };
  // Tells all other tabs that somebody is signed in; each asks for itself who that is.
  const tell = () => { if (tabs && person) tabs.postMessage("signed in"); };
  const somebodyElse = (who) => {
    if (!dialog.open) dialog.showModal();
    place("place").replaceChildren();
    place("told").textContent = `You are signed in as ${who.name} now, but this page is ${personName}'s. Nothing of it was submitted; what was typed is kept for ${personName}.`;
    problem("");
    for (const one of dialog.querySelectorAll("[data-other]")) one.hidden = false;
    place("sign-again").focus();
  };

  // One of our sign-in pages, of which the dialog shows the form to type into.
  const show = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const form = [...page.querySelectorAll("main form")].find((one) => one.querySelector("[type=password], [name=code]"));
    if (!form) return problem("This needs a page of its own: follow the link below, then come back.");
    const shown = document.importNode(form, true), name = shown.querySelector("[name=login]");
    if (name && !name.value) name.value = personName;
    place("place").replaceChildren(shown);
    const empty = [...shown.querySelectorAll("input:not([type=hidden])")].find((field) => !field.value);
    if (empty) empty.focus();
  };
  const read = async (response) => {
    if ((response.headers.get("Content-Type") || "").startsWith("application/json")) return signedIn(await response.json());
    if (response.status >= 500 || response.status === 429 || response.status === 403) {
      return problem(response.status === 429 ? "Too many tries. Wait a minute, then try again." : "That did not work. Try once more.");
    }
    return show(await response.text());
  };
  const send = async (url, options = {}) => {
    problem("");
    try { await read(await fetch(url, { cache: "no-store", credentials: "same-origin", ...options })); } catch {
      problem("The server cannot be reached. Try again when you are back online.");
    }
  };
  // Signing in again cannot work: the dialog says why, and offers nothing to type into.
  const refuse = (sentence) => {
    place("place").replaceChildren();
    place("told").textContent = sentence;
    problem("");
    place("close").focus();
  };
  const load = async () => {
    for (const one of dialog.querySelectorAll("[data-other]")) one.hidden = true;
    const { refused } = await window.reviewapp.who().catch(() => ({}));
    place("another-way").hidden = Boolean(refused);
    dialog.querySelector("h2").textContent = refused ? "You are signed out" : "Sign in again";
    if (refused) return refuse(refused);
    place("told").textContent = `Your session has ended. Sign in as ${personName}: what you typed is still here${pending ? ", and what you submitted goes on by itself" : ""}.`;
    return send(`${signIn}?next=${encodeURIComponent(whoUrl)}`);
  };
  const open = () => {
    if (!dialog || dialog.open) return;
    dialog.showModal();
    load();
  };

  const signedOut = async (request) => {
    out = true;
    if (request && request.elt && request.elt.isConnected) pending = request;
    const { refused } = await window.reviewapp.who().catch(() => ({}));
    notice(refused || SIGNED_OUT);
    offer(Boolean(dialog) && !refused);
    if (pending || (request && request.dialog)) open();
  };
  const askWho = async () => {
    const who = await window.reviewapp.who();
    if (who.person && dialog) signedIn(who);
  };
  // The token was refused: because the session has ended, because somebody signed in since, or because the browser
  // keeps no cookies. Who is signed in now tells the first two apart; whoever still is goes on, but only once.
  let renewed = -Infinity;
  const grownOld = async (request) => {
    const now = await window.reviewapp.who().catch(() => ({}));
    if (!now.person || !dialog) return signedOut(request);
    if (performance.now() - renewed < 10000) return notice(NO_COOKIES);
    renewed = performance.now();
    out = true;
    pending = request || null;
    return signedIn(now);
  };
  const lookAgain = () => { if (out && document.visibilityState === "visible") askWho().catch(() => {}); };

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
    const posted = requestConfig.verb === "post" && elt.matches("form, button");
    const trigger = requestConfig.triggeringEvent;
    const request = posted ? { elt, submitter: trigger && trigger.submitter } : undefined;
    if (xhr.status === 401) signedOut(request);
    if (window.reviewapp.isOld({ status: xhr.status, text: xhr.responseText })) grownOld(request);
    if (xhr.status === 403 && xhr.responseText.includes("data-somebody-else")) { out = true; askWho().catch(() => {}); }
  });
  document.addEventListener("signed-out", (event) => signedOut(event.detail || undefined));
  document.addEventListener("visibilitychange", lookAgain);
  window.addEventListener("focus", lookAgain);
  if (tabs) tabs.addEventListener("message", () => { if (out) askWho().catch(() => {}); });
  tell();
  document.addEventListener("click", (event) => { if (event.target.closest("#failure [data-sign-in]")) open(); });

  if (!dialog) return;
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target, body = new FormData(form);
    send(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(body) });
  });
  place("sign-again").addEventListener("click", () => {
    const body = new URLSearchParams({ csrfmiddlewaretoken: window.reviewapp.token(), next: signIn });
    fetch(place("sign-again").dataset.signAgain, { method: "POST", body, credentials: "same-origin" }).then(load, load);
  });
  place("elsewhere").addEventListener("click", () => {
    place("told").textContent = `Sign in as ${personName} in the tab that has opened. This page notices${pending ? ", and what you submitted goes on by itself" : ""}.`;
  });
  place("close").addEventListener("click", () => dialog.close());
})();
