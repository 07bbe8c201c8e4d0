// From item to item without a wait. While somebody judges an item, the next one is loaded, with its
// lease, and held as an element of its own. A submit shows it at once and goes out behind it; only
// the answer says "Saved". Submits go out one after the other, at most three are under way, and
// what the server refuses comes back with what was typed.

import {
  describeSubmit, forgetSubmitted, keepUnsent, loadItem, refusalSentence, saveBeforeLeaving,
  somebodyElseSentence,
} from "./drafts.js";
import { clearNotice, gettext, isAway, notify, post, say, signedOut } from "./server.js";

const MAX_IN_FLIGHT = 3;
// An item whose lease ends sooner than this, in ms, is not shown any more.
const LEASE_MARGIN = 30000;
const TOO_MANY = gettext("Three decisions are being saved. Wait a moment, then submit again.");
const UNDO_FOLLOWS = gettext("Undo follows when your last decision is saved.");
const OFFLINE = gettext(
  "You are offline. This decision is stored in this browser and is sent when you reconnect.",
);
const NOT_STORED = gettext(
  "Not saved: there is no connection, and this browser cannot store it. Stay on this page.",
);

const review = () => document.getElementById("review");
const decisionForm = () => document.getElementById("decision");
const itemId = () => review().dataset.item;

// The next item: {after, item, element, until, release}; null if there is none at hand.
let ahead = null;
// The item behind which one is being loaded, "" if none is.
let loadingAfter = "";
// The item that the page has left undecided, whose lease the next request gives back.
let leftItem = "";
// Submits that have no answer yet, oldest first, as {item, record, element, next, nextPage}, and the
// promise of the last of them.
const inFlight = [];
let lastAnswer = Promise.resolve();
// Items that came back while another one that came back was still shown.
const cameBack = [];
let wantsUndo = false;
// The last draft that is saved of an item which another one that came back has replaced: the server
// passes over an item while its draft is being saved.
let draftSave = Promise.resolve();

export function isWaitingForAnswer() {
  if (inFlight.length >= MAX_IN_FLIGHT) return true;
  return Boolean(review()) && inFlight.some((submit) => submit.item === itemId());
}

// Loading the next item

function elementFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  // In the document, though not in its tree, the item's pictures and films begin to load.
  return document.importNode(template.content.querySelector("#review"), true);
}

function leaseEnd(element) {
  const until = element.querySelector("#lease [data-until]");
  const draft = element.querySelector("#draft");
  if (!until || !draft) return 0;
  const left = Date.parse(until.dataset.until) - Date.parse(draft.dataset.now);
  return Date.now() + left;
}

function prefetchAddress() {
  const url = new URL(review().dataset.ahead, window.location.href);
  for (const submit of inFlight) url.searchParams.append("except", submit.item);
  if (ahead && ahead.item !== itemId()) url.searchParams.set("release", ahead.item);
  if (leftItem) url.searchParams.set("leaves", leftItem);
  return url;
}

function isWanted() {
  const savesData = Boolean(navigator.connection && navigator.connection.saveData);
  if (!review() || !review().dataset.ahead || document.hidden || savesData) return false;
  const isAtHand = ahead !== null && ahead.after === itemId();
  return !isAtHand && loadingAfter !== itemId();
}

async function requestNext(address) {
  try {
    const response = await fetch(address, {
      headers: { "HX-Request": "true" },
      credentials: "same-origin",
      cache: "no-store",
    });
    return response.status === 200 && !response.redirected ? response.text() : "";
  } catch {
    return "";
  }
}

function holdNext(after, html) {
  const element = elementFrom(html);
  const { item, release } = element.dataset;
  const next = { after, item, element, until: leaseEnd(element), release };
  if (!review() || itemId() !== after) {
    // The page has gone elsewhere meanwhile.
    if (!review() || itemId() !== item) giveBack(next);
    return;
  }
  ahead = next;
  review().dataset.next = item;
}

async function prefetchNext() {
  await draftSave;
  if (!isWanted()) return;
  const after = itemId();
  const address = prefetchAddress();
  loadingAfter = after;
  ahead = null;
  leftItem = "";
  const html = await requestNext(address);
  if (loadingAfter === after) loadingAfter = "";
  if (html) holdNext(after, html);
  showNextIfDue();
}

function giveBack({ release }) {
  const token = document.querySelector('input[name="csrfmiddlewaretoken"]');
  if (!release || !token) return;
  const fields = new FormData();
  fields.set("csrfmiddlewaretoken", token.value);
  navigator.sendBeacon(release, fields);
}

function takeNext() {
  if (cameBack.length) return cameBack.shift();
  const next = ahead;
  if (!next || next.after !== itemId()) return null;
  ahead = null;
  if (next.until - LEASE_MARGIN > Date.now()) return next;
  giveBack(next);
  return null;
}

// Runs when what is in the page now has been painted.
export function afterPaint(work) {
  window.requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = work;
    channel.port2.postMessage(null);
  });
}

// Showing an item that is at hand

function showItem(element, saidBefore = "") {
  const old = review();
  delete element.dataset.ready;
  // What the last answer has brought is newer than what was loaded ahead.
  for (const id of ["undo", "recent"]) {
    const part = element.querySelector(`#${id}`);
    const current = old.querySelector(`#${id}`);
    if (part && current) part.replaceWith(current);
  }
  old.replaceWith(element);
  window.history.pushState({ htmx: true }, "", element.dataset.address);
  window.scrollTo(0, 0);
  window.htmx.process(element);
  window.htmx.trigger(element, "htmx:load");
  say(`${saidBefore} ${element.dataset.title}`.trim());
}

// A submit whose next item was not at hand yet.
function showNextIfDue() {
  if (!review() || !decisionForm()) return;
  const submit = inFlight.find((candidate) => candidate.item === itemId());
  if (!submit) return;
  const next = takeNext();
  if (!next) return;
  submit.next = next.item;
  showItem(next.element);
  showSaving();
}

// Until an answer has come, the bar says so.
function showSaving() {
  for (const note of document.querySelectorAll("[data-saving]")) note.remove();
  const place = document.getElementById("progress");
  if (!inFlight.length || !place) return;
  const note = document.createElement("span");
  note.dataset.saving = "";
  note.textContent = `${gettext("Saving …")} `;
  place.prepend(note);
}

// The submit

// What the server is likely to ask about, such as a new label, is better waited for.
function isLikelyRefused() {
  const form = decisionForm();
  const label = form.querySelector("#label");
  const invalid = form.querySelector("[data-count-of].is-over, [aria-invalid=true]");
  return Boolean((label && label.value) || invalid);
}

function isSubmit({ elt, requestConfig }) {
  if (!elt.matches("#decision, [data-waits]")) return false;
  return requestConfig.path === elt.getAttribute("hx-post");
}

function startSubmit(event) {
  const { elt, requestConfig } = event.detail;
  wantsUndo = false;
  if (isWaitingForAnswer()) {
    event.preventDefault();
    if (inFlight.length >= MAX_IN_FLIGHT) notify(TOO_MANY);
    return;
  }
  const waitsForAnswer = elt === decisionForm() && isLikelyRefused();
  const next = waitsForAnswer ? null : takeNext();
  const isComing = !waitsForAnswer && loadingAfter === itemId();
  // Without anything to show, htmx submits the form and shows what the server answers.
  if (!next && !isComing && !inFlight.length) return;

  event.preventDefault();
  const submit = {
    item: itemId(),
    record: describeSubmit(elt, requestConfig),
    element: review(),
    next: next ? next.item : "",
    nextPage: review().querySelector("[data-action=item_next]").getAttribute("hx-get"),
  };
  inFlight.push(submit);
  lastAnswer = lastAnswer.then(() => sendSubmit(submit));
  if (next) showItem(next.element);
  else decisionForm().inert = true;
  showSaving();
}

async function sendSubmit(submit) {
  let response = null;
  try {
    const { url, body } = submit.record;
    response = await post(url, [...body, ["next", submit.next]], { keepalive: true });
  } catch {
    // No answer came.
  }
  inFlight.splice(inFlight.indexOf(submit), 1);
  submitAnswered(submit, response);
  showSaving();
}

function submitAnswered(submit, response) {
  if (!response || isAway(response.status)) {
    submitWaits(submit, OFFLINE);
    return;
  }
  const { status, json, text } = response;
  const somebodyElse = somebodyElseSentence(status, text);
  if (json.state === "saved") {
    submitSaved(submit, json);
  } else if (json.page) {
    bringBack(submit, elementFrom(json.page), json.why);
  } else if (status === 401) {
    submitWaits(submit, "");
    signedOut({ opens: true, isKept: true });
  } else if (somebodyElse) {
    submitWaits(submit, somebodyElse);
  } else {
    bringBack(submit, freshCopy(submit.element), refusalSentence(status));
  }
}

function submitSaved(submit, json) {
  forgetSubmitted(submit.record);
  if (!review()) return;
  clearNotice();
  for (const html of json.parts) replacePart(html, submit);
  const { title } = review().dataset;
  say(submit.item === itemId() ? json.said : `${json.said} ${title}`);
  if (wantsUndo && !inFlight.length) {
    wantsUndo = false;
    review().querySelector("[data-action=undo]").click();
    return;
  }
  if (submit.item === itemId()) openNext(submit, json.said);
  else if (json.held_by && submit.next === itemId()) leaveToOther(json.held_by);
}

async function openNext(submit, said) {
  const next = takeNext();
  if (next) {
    showItem(next.element, said);
    return;
  }
  await loadItem(submit.nextPage, "outerHTML show:window:top");
  const { textContent: spoken } = document.getElementById("live");
  // What was loaded says its own title.
  if (spoken !== said) say(`${said} ${spoken}`);
}

// Somebody who found nothing else has opened the item that this page had loaded ahead.
function leaveToOther(name) {
  const next = review().querySelector("[data-action=item_next]").getAttribute("hx-get");
  loadItem(next, "outerHTML show:window:top").then(() => {
    notify(gettext("%(name)s opened the next item first, so this is the one behind it.", { name }));
  });
}

function replacePart(html, submit) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const part = document.importNode(template.content.firstElementChild, true);
  const current = document.getElementById(part.id);
  if (!current) return;
  // A lease is that of one item.
  if (part.id === "lease" && submit.next !== itemId()) return;
  const hadFocus = current.contains(document.activeElement);
  current.replaceWith(part);
  window.htmx.process(part);
  window.htmx.trigger(part, "htmx:load");
  const target = hadFocus && part.querySelector("button, a");
  if (target) target.focus();
}

// A submit that the server does not have: it waits for the network, or the item comes back.

function submitWaits(submit, sentence) {
  if (!keepUnsent(submit.record)) {
    bringBack(submit, freshCopy(submit.element), NOT_STORED);
    return;
  }
  if (sentence) notify(sentence);
}

// The element with what was typed in it, as if it had just been loaded.
function freshCopy(element) {
  const copy = element.cloneNode(true);
  const form = copy.querySelector("#decision");
  form.inert = false;
  for (const name of ["started", "payload"]) delete form.dataset[name];
  form.dataset.typed = "yes";
  return copy;
}

function bringBack(submit, element, why) {
  wantsUndo = false;
  const back = { item: submit.item, element };
  element.dataset.cameBack = why;
  if (!review()) return;
  const isShowingAnother = "cameBack" in review().dataset && itemId() !== submit.item;
  if (isShowingAnother) {
    cameBack.push(back);
    return;
  }
  draftSave = saveBeforeLeaving().catch(() => {});
  showItem(element);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  if (!review()) return;
  if (isSubmit(event.detail)) {
    startSubmit(event);
  } else if (elt.matches("[data-action=item_next]")) {
    const next = takeNext();
    if (!next) return;
    event.preventDefault();
    leftItem = itemId();
    showItem(next.element);
  }
});
// What is to be undone is the submit that is still on its way; returns whether there is one.
export function undoWhenAnswered() {
  if (!inFlight.length) return false;
  wantsUndo = true;
  say(UNDO_FOLLOWS);
  return true;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-action=undo]") || !undoWhenAnswered()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
// The lease on the next item is renewed with that on the current one.
document.addEventListener("htmx:configRequest", (event) => {
  if (ahead && event.detail.elt.closest("#lease")) event.detail.parameters.ahead = ahead.item;
});
document.addEventListener("prefetched-for", (event) => {
  if (ahead) ahead.until = Date.now() + Number(event.detail.value) * 1000;
});
document.addEventListener("htmx:load", (event) => {
  const isItem = event.target.id === "review" || event.target === document.body;
  if (!review() || !isItem) return;
  const { cameBack: why } = review().dataset;
  if (why) notify(why);
  afterPaint(prefetchNext);
});
document.addEventListener("visibilitychange", prefetchNext);
window.addEventListener("pagehide", () => {
  // The request may not outlive the page, so this browser sends it again; twice is once.
  for (const { record } of inFlight) keepUnsent(record);
  if (ahead) giveBack(ahead);
  ahead = null;
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) prefetchNext();
});
