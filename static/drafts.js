// Drafts, and submits that the server does not have yet: their states, and their records in this
// browser's storage. docs/drafts.md has the state diagram. The records, by key:
//
//   reviewapp.draft.<person>.<item>.<decision id>
//     {person, item, at, acked, form}; acked: the server has it
//   reviewapp.waiting.<person>.<time>.<id>
//     {id, item, title, kind, state, url, page, at, body, why}
//
// An installation below a path puts that path in front: others may share the browser's storage.
//
// Browsers hold records of earlier versions: whatever changes here goes on reading them
// (test_stored_records.py).

import {
  clearNotice,
  clearSaved,
  gettext,
  isAway,
  notify,
  post,
  say,
  sentenceFor,
  signedOut,
  sitePrefix,
} from "./server.js";

const DRAFT_PREFIX = `${sitePrefix}reviewapp.draft.`;
const SUBMIT_PREFIX = `${sitePrefix}reviewapp.waiting.`;
const MAX_DRAFTS = 60;
const MAX_DRAFT_LENGTH = 400000;
const DAY = 86400000;

const pagePerson = document.body.dataset.person || "";
const pagePersonName = document.body.dataset.personName;

// Storage: one that is full or forbidden is an answer (false), never an error.

function storedKeys(prefix) {
  try {
    return Object.keys(window.localStorage).filter((key) => key.startsWith(prefix)).sort();
  } catch {
    return [];
  }
}

function readRecord(key) {
  try {
    return { key, ...JSON.parse(window.localStorage.getItem(key)) };
  } catch {
    return { key };
  }
}

function writeText(key, text) {
  try {
    window.localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

function removeRecord(key) {
  try {
    window.localStorage.removeItem(key);
  } catch {
    // Forbidden: then nothing is in it.
  }
}

// Records of drafts: one for each form that somebody typed into, by person, item and the decision
// that it would become.

function allDrafts() {
  return storedKeys(DRAFT_PREFIX).map(readRecord).filter((draft) => draft.form);
}

function draftsOf(person, item) {
  return allDrafts().filter((draft) => draft.person === person && draft.item === item);
}

function draftKey({ person, item, form }) {
  return `${DRAFT_PREFIX}${person}.${item}.${form.decision_id}`;
}

// Only what the server has may be thrown away to make room.
function makeRoom(exceptKey) {
  const spare = allDrafts().filter((draft) => draft.acked && draft.key !== exceptKey);
  spare.sort((first, second) => first.at - second.at);
  const quarter = Math.max(1, Math.ceil(spare.length / 4));
  for (const draft of spare.slice(0, quarter)) removeRecord(draft.key);
  return spare.length > 0;
}

function storeDraft(draft) {
  const key = draftKey(draft);
  const text = JSON.stringify(draft);
  if (text.length > MAX_DRAFT_LENGTH) return false;
  const keys = storedKeys(DRAFT_PREFIX);
  const isFull = keys.length >= MAX_DRAFTS && !keys.includes(key);
  if (isFull && !makeRoom(key)) return false;
  for (let tries = 0; tries < 8; tries += 1) {
    if (writeText(key, text)) return true;
    if (!makeRoom(key)) return false;
  }
  return false;
}

export function forgetDraft(draft) {
  removeRecord(draftKey(draft));
}

function forgetDrafts(person, item) {
  for (const draft of draftsOf(person, item)) removeRecord(draft.key);
}

// Whether this browser has the draft that a form became: the server tells of drafts, not of where
// they were typed.
function isStored(person, item, form) {
  return draftsOf(person, item).some(({ form: stored }) => {
    const isSameEdition = stored.draft && stored.draft === form.draft;
    return stored.decision_id === form.decision_id || isSameEdition;
  });
}

// What only this browser has.
export function unsavedDrafts(person) {
  return allDrafts().filter((draft) => draft.person === person && !draft.acked);
}

// The next person at this browser has no use for what the server has.
export function removeSavedDrafts({ exceptPerson }) {
  for (const draft of allDrafts()) {
    if (draft.acked && draft.person !== exceptPerson) removeRecord(draft.key);
  }
}

function removeOldDrafts(now, days) {
  for (const draft of allDrafts()) {
    if (draft.at < now - days * DAY) removeRecord(draft.key);
  }
}

// Records of submits that met no network: kept in order, for the person who made them, until the
// server has them. Their `state` is waiting, asks (the server compared, and asks its writer) or
// refused.

function submitsChanged() {
  document.dispatchEvent(new CustomEvent("unsent-submits-changed"));
}

export function unsentSubmits() {
  const keys = storedKeys(`${SUBMIT_PREFIX}${pagePerson}.`);
  return keys.map(readRecord).filter((submit) => submit.body);
}

function unsentSubmitsOf(item) {
  return unsentSubmits().filter((submit) => submit.item === item);
}

function writeSubmit({ key, ...submit }) {
  return writeText(key, JSON.stringify(submit));
}

function addSubmit(submit) {
  // The same decision sent again replaces itself.
  const earlier = unsentSubmits().find((other) => other.id === submit.id);
  const time = String(submit.at).padStart(15, "0");
  const key = earlier ? earlier.key : `${SUBMIT_PREFIX}${pagePerson}.${time}.${submit.id}`;
  const isKept = pagePerson !== "" && writeSubmit({ ...submit, key });
  if (isKept) submitsChanged();
  return isKept;
}

function updateSubmit(submit) {
  writeSubmit(submit);
  submitsChanged();
}

export function removeSubmit(submit) {
  removeRecord(submit.key);
  submitsChanged();
}

// What a submit held, as a draft: its words, its base and its decision id stay what they were.
export function keepAsDraft(submit) {
  const form = Object.fromEntries(submit.body);
  if (!form.decision_id) return true;
  form.base = form.was_base || form.base;
  return storeDraft({ person: pagePerson, item: submit.item, at: submit.at, acked: false, form });
}

// The decision form as plain texts, and a form filled from such texts. The form lists its fields
// (reviewapp/annotations/fields.py); the label is both a choice among buttons and a text.

const CARRIED = ["decision_id", "base", "base_version", "result_id", "opened", "draft", "outcome"];
const UNDECIDABLE = "undecidable";
const CANNOT_TELL_NOTE = "cannot-tell-note";

const review = () => document.getElementById("review");
const decisionForm = () => document.getElementById("decision");
const draftSection = () => document.getElementById("draft");
const itemId = () => review().dataset.item;
const personAndItem = () => [draftSection().dataset.person, itemId()];
const fieldNames = () => decisionForm().dataset.fields.split(" ");
const isVisible = () => Boolean(draftSection() && decisionForm());

function normalized(text) {
  return String(text ?? "").replace(/\r\n?/g, "\n");
}

function formField(form, name) {
  return form.querySelector(`[name="${name}"]:not([type=radio]), [data-unsent="${name}"]`);
}

// The input of a long value has no name as long as nobody touches it, so that the value does not
// travel back: the server has it.
function nameTouchedFields(form) {
  for (const field of form.querySelectorAll("[data-unsent]")) {
    if (field.value === field.defaultValue) field.removeAttribute("name");
    else field.name = field.dataset.unsent;
  }
}

// A form without a field's text means the value that the item has.
function textOf(texts, name) {
  const field = decisionForm() && formField(decisionForm(), name);
  return normalized(texts[name] ?? (field && field.defaultValue));
}

function readForm() {
  const form = decisionForm();
  nameTouchedFields(form);
  const data = new FormData(form);
  const texts = {};
  for (const name of ["choice", "label", ...fieldNames(), ...CARRIED]) {
    const isUntouched = form.querySelector(`[data-unsent="${name}"]:not([name])`) !== null;
    if (!isUntouched) texts[name] = normalized(data.get(name));
  }
  // A draft stays with what its writer began from, also when newer values have been brought into
  // the form.
  texts.base = data.get("was_base") || texts.base;
  return texts;
}

function hasSameWords(texts, others) {
  if ((texts.outcome || "") !== (others.outcome || "")) return false;
  if ((texts.label || texts.choice || "") !== (others.label || others.choice || "")) return false;
  return fieldNames().every((name) => textOf(texts, name).trim() === textOf(others, name).trim());
}

// "Can't tell" is a state of the form: the hidden `outcome` says so, and the fields that are not
// submitted then are inert.
export function showCannotTell(isOn) {
  const form = decisionForm();
  form.dataset.outcome = isOn ? UNDECIDABLE : "";
  form.querySelector("[name=outcome]").value = isOn ? UNDECIDABLE : "";
  const unsubmitted = "[data-field]:not([data-field=label], [data-field=reasoning])";
  for (const field of form.querySelectorAll(unsubmitted)) field.inert = isOn;
  const reasoning = form.querySelector("#reasoning");
  const ids = (reasoning.getAttribute("aria-describedby") || "").split(" ");
  const describing = ids.filter((id) => id && id !== CANNOT_TELL_NOTE);
  if (isOn) describing.unshift(CANNOT_TELL_NOTE);
  reasoning.setAttribute("aria-describedby", describing.join(" "));
}

function fillForm(texts) {
  const form = decisionForm();
  for (const name of CARRIED) {
    const field = formField(form, name);
    if (field && texts[name] !== undefined) field.value = texts[name];
  }
  const choices = [...form.querySelectorAll("[name=choice]")];
  const wanted = choices.find((choice) => choice.value === texts.choice);
  for (const choice of choices) choice.checked = !texts.label && choice === wanted;
  const label = formField(form, "label");
  if (label) label.value = texts.label || (wanted ? "" : texts.choice || "");
  for (const name of fieldNames()) {
    const field = formField(form, name);
    if (field) field.value = textOf(texts, name);
    // The draft's base may hold the whole value, and not its digest.
    if (field && texts[name] !== undefined) {
      field.name = name;
      delete field.dataset.unsent;
    }
  }
  showCannotTell(texts.outcome === UNDECIDABLE);
  form.dataset.typed = "yes";
  for (const name of fieldNames()) {
    const event = new CustomEvent("input", { bubbles: true, detail: "filled" });
    formField(form, name).dispatchEvent(event);
  }
}

for (const name of ["input", "submit"]) {
  document.addEventListener(name, () => {
    if (decisionForm()) nameTouchedFields(decisionForm());
  }, name === "submit");
}

// The form's draft: kept in this browser at once, on the server soon after. The line below the form
// says where it is, and never more than is true.

const SOON = 1500;
const AT_THE_LATEST = 10000;
const RETRY_PAUSE = 15000;
const NOWHERE = gettext(
  "Not saved: this browser's storage is full or switched off, or this is too long for it. " +
    "Stay on this page until you have submitted",
);
const REFUSALS = {
  401: gettext("You were signed out"),
  403: gettext("You have no access to save it on the server"),
  413: gettext("It is too large to be saved on the server"),
};
const NOT_SAVED = gettext("The server could not save it; trying again");
const NO_CONNECTION = gettext("No connection");
const seconds = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

// How far the server's clock is ahead of this browser's, in ms.
let clockOffset = 0;
let saveTimer = 0;
// Since when words wait for the server, in ms; 0 if none do.
let unsavedSince = 0;
// What the line says of this browser's storage; "" if it does not have the last words.
let storedSentence = "";
// Whether the last words are in this browser or on the server.
let isKept = true;
// Whether the server lacks the last words.
let isUnsaved = false;
// Another draft of this item is on the server: nothing is saved until the person has chosen between
// the two.
let mustChoose = false;
// The edition of the server's draft that this page knows last.
let knownEdition = "";
// Whether the person changed the form since it came.
let isTouched = false;
// The save under way, and whether to save once more after it.
let saving = null;
let savesAgain = false;

function serverNow() {
  return Date.now() + clockOffset;
}

function sayState(text) {
  const line = document.querySelector("[data-draft-state]");
  if (line) line.textContent = text;
}

function sayStored() {
  sayState(storedSentence || NOWHERE);
}

function sayStoredBecause(reason) {
  sayState(`${storedSentence || NOWHERE}. ${reason}.`);
}

function storeForm({ acked = false } = {}) {
  const [person, item] = personAndItem();
  const isStoredNow = storeDraft({ person, item, at: serverNow(), acked, form: readForm() });
  const time = seconds.format(new Date());
  storedSentence = isStoredNow ? gettext("Saved in this browser %(time)s", { time }) : "";
  return isStoredNow;
}

function planSave(delay) {
  window.clearTimeout(saveTimer);
  if (!draftSection()) return;
  // While the person has to choose, the server is asked now and then whether there still is a
  // choice.
  const untilLatest = unsavedSince + AT_THE_LATEST - Date.now();
  const pause = mustChoose ? RETRY_PAUSE : Math.min(delay, untilLatest);
  saveTimer = window.setTimeout(saveForm, Math.max(0, pause));
}

function retrySave() {
  unsavedSince = Date.now() + RETRY_PAUSE;
  planSave(RETRY_PAUSE);
}

export function formChanged() {
  isUnsaved = true;
  isKept = storeForm();
  sayStored();
  unsavedSince = unsavedSince || Date.now();
  planSave(isKept ? SOON : 0);
}

// Starts anew for the item in the page.
function beginDraft(edition) {
  stopSaving();
  clockOffset = Date.parse(draftSection().dataset.now) - Date.now();
  knownEdition = edition;
  mustChoose = false;
  isKept = true;
  storedSentence = "";
}

// A submit is on its way: should it fail, saving goes on.
function pauseSaving() {
  window.clearTimeout(saveTimer);
}

function resumeSaving() {
  if (!isUnsaved || !draftSection()) return;
  unsavedSince = Date.now();
  planSave(SOON);
}

export function stopSaving() {
  window.clearTimeout(saveTimer);
  isUnsaved = false;
  unsavedSince = 0;
}

// The choice is gone.
function saveAfterChoice() {
  mustChoose = false;
  if (!isUnsaved) return;
  unsavedSince = Date.now();
  planSave(0);
}

// Whoever has chosen between two drafts has seen the one that the server holds.
function followServerDraft() {
  if (knownEdition) formField(decisionForm(), "draft").value = knownEdition;
  mustChoose = false;
}

export function isFormKept() {
  return isKept;
}

export async function saveBeforeLeaving() {
  if (isUnsaved && !mustChoose) await saveForm({ keepalive: true });
}

// Resolves with the state that the server answers: saved, overtaken or decided; undefined if none
// came.
export async function saveForm({ isAsked = false, keepalive = false } = {}) {
  window.clearTimeout(saveTimer);
  if (!isVisible() || !document.querySelector("[data-draft-state]")) return undefined;
  // What has been submitted and waits for the network becomes a decision, or is taken back first.
  if (decisionForm().inert) return undefined;
  if (saving) {
    savesAgain = true;
    return saving;
  }
  saving = requestSave({ isAsked, keepalive }).finally(() => {
    saving = null;
    const isDue = savesAgain && isUnsaved;
    savesAgain = false;
    if (isDue) planSave(0);
  });
  return saving;
}

async function requestSave({ isAsked, keepalive }) {
  const sent = readForm();
  const [person, item] = personAndItem();
  let response;
  try {
    response = await post(draftSection().dataset.save, { ...sent, person }, { keepalive });
  } catch {
    sayStoredBecause(NO_CONNECTION);
    if (isAsked) say(storedSentence ? `${storedSentence}. ${NO_CONNECTION}.` : NOWHERE);
    retrySave();
    return undefined;
  }
  draftAnswered(response, sent, item, isAsked);
  return response.json.state;
}

// The page may have gone on to another item meanwhile, and then the answer is about none here.
function draftAnswered({ status, json }, sent, item, isAsked) {
  if (!decisionForm() || itemId() !== item) return;
  if (json.edition) knownEdition = json.edition;
  // The person has turned to another draft of this item meanwhile, which now follows on from this
  // one.
  if (json.state === "saved") formField(decisionForm(), "draft").value = json.edition;
  if (readForm().decision_id !== sent.decision_id) return;

  if (json.state === "saved") draftSaved(sent, isAsked);
  else if (json.state === "overtaken") draftOvertaken(json, item);
  else if (json.state === "decided") draftDecided();
  else draftNotSaved(status, json.why);
}

function draftSaved(sent, isAsked) {
  mustChoose = false;
  removeServerOffer();
  const isLast = hasSameWords(readForm(), sent);
  if (isLast) {
    isUnsaved = false;
    unsavedSince = 0;
    isKept = true;
  }
  storeForm({ acked: isLast });
  const time = seconds.format(new Date());
  if (isLast) sayState(gettext("Draft saved on the server %(time)s", { time }));
  else sayStored();
  if (isAsked) say(gettext("Draft saved on the server. Nothing is submitted yet."));
}

function draftOvertaken({ at, edition, form }, item) {
  mustChoose = true;
  const isOfTab = isStored(draftSection().dataset.person, item, form);
  addOffer({ at: Date.parse(at), edition, form, isHere: isOfTab, isOfTab, hasRecord: isOfTab });
  sayStoredBecause(
    isOfTab
      ? gettext("Another tab has saved a different draft; choose above which one to keep")
      : gettext("Another browser has saved a different draft; choose above which one to keep"),
  );
  planSave(RETRY_PAUSE);
}

function draftNotSaved(status, why) {
  const reason = why ? why.replace(/\.$/, "") : REFUSALS[status] || NOT_SAVED;
  sayStoredBecause(reason);
  if (status === 401) signedOut();
  if (status >= 500) retrySave();
}

// What this form says was submitted, and the page has not heard of it.
function draftDecided() {
  stopSaving();
  if (isTouched) {
    sayState(
      gettext("This form was already submitted. Submit again to make your changes a new decision"),
    );
    return;
  }
  forgetDrafts(...personAndItem());
  loadItem(review().dataset.address).then(() => notify(SUBMITTED));
}

// On the window, because the form's own listeners on the document set other fields first.
window.addEventListener("input", (event) => {
  if (event.detail === "filled") return;
  isTouched = true;
  if (isVisible() && decisionForm().contains(event.target)) formChanged();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-action=save_draft]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  isUnsaved = true;
  isKept = storeForm();
  sayStored();
  mustChoose = false;
  saveForm({ isAsked: true });
}, true);
window.addEventListener("online", () => {
  if (isUnsaved) planSave(0);
});
document.addEventListener("signed-in", resumeSaving);
window.addEventListener("pagehide", saveBeforeLeaving);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) saveBeforeLeaving();
});

// Other drafts of the same item by the same person (another browser, another tab) that say
// something else: each is offered beside the form until the person has chosen. None is thrown away
// unasked.

const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
let offers = [];

function savedWhen(at) {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return (isToday ? timeOfDay : dateAndTime).format(at);
}

function offerSentence(draft) {
  const { outcome, label, choice, reasoning } = draft.form;
  const excerpt = (reasoning || "").trim().slice(0, 80);
  const answer = label || choice || gettext("no label");
  const decision = outcome === UNDECIDABLE ? gettext("can't tell") : answer;
  const words = excerpt ? `${decision}, “${excerpt}”` : decision;
  const values = { time: savedWhen(draft.at), words };
  if (draft.isOfTab) {
    return gettext("You have another draft, from %(time)s, in another tab: %(words)s", values);
  }
  return draft.isHere
    ? gettext("You have another draft, from %(time)s, in this browser: %(words)s", values)
    : gettext("You have another draft, from %(time)s, in another browser: %(words)s", values);
}

function offerBanner(draft) {
  const template = draftSection().querySelector("[data-draft-offer]");
  const banner = template.content.firstElementChild.cloneNode(true);
  banner.querySelector("[data-words]").textContent = offerSentence(draft);
  banner.querySelector("[data-show]").addEventListener("click", () => showOffer(draft));
  banner.querySelector("[data-drop]").addEventListener("click", () => dropOffer(draft));
  return banner;
}

function setOffers(drafts) {
  offers = drafts;
  draftSection().querySelector("[data-draft-offers]").replaceChildren(...offers.map(offerBanner));
}

function addOffer(draft) {
  if (draft.edition && offers.some((offer) => offer.edition === draft.edition)) return;
  const others = offers.filter((offer) => !(draft.edition && offer.edition));
  setOffers([...others.filter((offer) => !hasSameWords(offer.form, draft.form)), draft]);
}

// The server holds one draft of an item, and it is the form's now: no other is there to be offered.
function removeServerOffer() {
  if (offers.some((offer) => offer.edition)) setOffers(offers.filter((offer) => !offer.edition));
}

function removeOffer(draft) {
  setOffers(offers.filter((offer) => offer !== draft));
}

function showOffer(draft) {
  const mine = { at: serverNow(), form: readForm(), isHere: true };
  removeOffer(draft);
  restoreDraft(draft, { isChosen: true });
  addOffer(mine);
  formChanged();
  decisionForm().querySelector("#reasoning").focus();
}

function dropOffer(draft) {
  const [person, item] = personAndItem();
  removeOffer(draft);
  forgetDraft({ person, item, form: draft.form });
  followServerDraft();
  formChanged();
  decisionForm().querySelector("#reasoning").focus();
}

function sayRestored(draft) {
  const banner = draftSection().querySelector("[data-draft-told]");
  banner.hidden = false;
  banner.querySelector("[data-draft-sentence]").textContent = gettext(
    "Unsent draft from %(time)s restored.",
    { time: savedWhen(draft.at) },
  );
}

// An item comes into the page: the newest draft of it, this browser's or the server's, goes into
// the form, and a draft whose base is older than the item is compared with it first. What is
// submitted or discarded is forgotten here too.

const SUBMITTED = gettext(
  "What you typed here had already been submitted. The form shows the current values.",
);

// The item that came last, as {item, person, decisionId}.
let shownItem = null;

export function loadItem(address, swap = "outerHTML") {
  return window.htmx.ajax("GET", address, { target: "#review", swap });
}

// The server's draft: in the form already, or beside it, to be offered.
function serverDraft() {
  const { at, offered } = draftSection().dataset;
  if (!at && !offered) return null;
  const draft = offered ? JSON.parse(offered) : { at, form: readForm() };
  const isHere = isStored(...personAndItem(), draft.form);
  return { ...draft, at: Date.parse(draft.at), isHere, isOnServer: true };
}

function compareWithItem() {
  window.htmx.ajax("POST", draftSection().dataset.catchUp, {
    source: decisionForm(),
    target: "#decision",
    select: "#decision",
    swap: "outerHTML",
  });
}

async function restoreDraft(draft, { isChosen = false } = {}) {
  const itemBase = formField(decisionForm(), "base").value;
  fillForm(draft.form);
  if (isChosen) followServerDraft();
  sayRestored(draft);
  sayState(
    draft.isOnServer ? gettext("Draft saved on the server") : gettext("Saved in this browser"),
  );
  // What became a decision in the moment of a crash needs no comparison: the server says so when it
  // is asked to save.
  const isKnown = draft.isOnServer || draft.acked;
  const state = await (isKnown ? "saved" : saveForm());
  const isStillShown = decisionForm() && readForm().decision_id === draft.form.decision_id;
  if (state !== "decided" && isStillShown && draft.form.base !== itemBase) compareWithItem();
}

// Whether what was typed here came after the server's draft, which it names: two clocks would not
// tell.
function followsOn(draft, onServer) {
  if (!onServer || draft.acked || !draft.form.draft) return false;
  return draft.form.draft === onServer.form.draft;
}

// The drafts of the item in this browser, as late as the server's draft that they follow on from.
function localDrafts(person, item, onServer) {
  return draftsOf(person, item).map((draft) => {
    const at = followsOn(draft, onServer) ? Math.max(draft.at, onServer.at + 1) : draft.at;
    return { ...draft, at, isHere: true, hasRecord: true };
  });
}

// The same item with the same words under a new decision id: after a 409 or 422, or after changes
// were brought in.
function renameRecord() {
  const [person, item] = personAndItem();
  const { decisionId } = shownItem;
  if (decisionId) forgetDraft({ person, item, form: { decision_id: decisionId } });
  storeForm();
}

function withoutRepetitions(drafts) {
  return drafts.filter((draft, index) => {
    const first = drafts.findIndex((other) => hasSameWords(other.form, draft.form));
    return first === index;
  });
}

// Somebody chose a label or typed before this module ran.
function isChangedAlready() {
  const form = decisionForm();
  const choices = [...form.querySelectorAll("[name=choice]")];
  if (choices.some((choice) => choice.checked !== choice.defaultChecked)) return true;
  const fields = ["label", ...fieldNames()].map((name) => formField(form, name)).filter(Boolean);
  return fields.some((field) => field.value !== field.defaultValue);
}

function itemArrived() {
  const [person, item] = personAndItem();
  const form = readForm();
  const isTyped = decisionForm().dataset.typed === "yes";
  const isChanged = !isTyped && isChangedAlready();
  const onServer = serverDraft();
  const isSameItem = shownItem && shownItem.item === item && shownItem.person === person;
  beginDraft(onServer ? onServer.form.draft : "");
  removeOldDrafts(serverNow(), Number(draftSection().dataset.days));
  if (isTyped && !onServer && isSameItem) renameRecord();
  if (!isTyped) {
    // What says no more than the item itself is no draft.
    const empty = draftsOf(person, item).filter((draft) => hasSameWords(draft.form, form));
    for (const draft of empty) forgetDraft(draft);
  }

  const drafts = localDrafts(person, item, onServer);
  if (onServer) drafts.push(onServer);
  drafts.sort((first, second) => second.at - first.at);
  const [newest] = drafts;
  const inForm = draftSection().dataset.at ? onServer : null;
  const isNewer = newest && !hasSameWords(newest.form, form) && (!isTyped || inForm);
  if (isNewer && !isChanged) restoreDraft(newest);
  else if (inForm) sayRestored(inForm);

  const continued = newest && followsOn(newest, onServer) ? onServer : null;
  const shown = readForm();
  const others = drafts.filter((draft) => draft !== continued && !hasSameWords(draft.form, shown));
  setOffers(withoutRepetitions(others));
  shownItem = { item, person, decisionId: shown.decision_id };
  isTouched = isChanged;
  if (isChanged) formChanged();
}

function isItem(element) {
  return element.id === "review" || element === document.body;
}

document.addEventListener("htmx:load", (event) => {
  if (!isVisible()) return;
  if (isItem(event.target)) itemArrived();
  else if (event.target.id === "decision") {
    renameRecord();
    shownItem.decisionId = readForm().decision_id;
  }
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (draftSection() && event.detail.elt === decisionForm()) pauseSaving();
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout", "htmx:sendAbort"]) {
  document.addEventListener(name, (event) => {
    if (draftSection() && event.detail.elt === decisionForm()) resumeSaving();
  });
}
// Decided, or discarded: nothing of this item asks for anybody any more.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { elt, xhr, requestConfig } = event.detail;
  if (!draftSection() || xhr.status >= 400) return;
  const form = decisionForm();
  const isDecided = elt === form && requestConfig.path === form.getAttribute("hx-post");
  if (!isDecided && !elt.matches("[data-draft-discards]")) return;
  stopSaving();
  forgetDrafts(...personAndItem());
  for (const submit of unsentSubmitsOf(itemId())) {
    if (submit.state !== "waiting") removeSubmit(submit);
  }
});
// Another tab has submitted or discarded: what it had is no draft any more, what was typed in this
// tab still is.
window.addEventListener("storage", (event) => {
  if (!isVisible() || event.newValue !== null) return;
  const [person, item] = personAndItem();
  const gone = offers.filter((offer) => offer.hasRecord && !isStored(person, item, offer.form));
  for (const offer of gone) removeOffer(offer);
  if (isTouched) storeForm();
  if (gone.length) saveAfterChoice();
});

// Sending what waits: in order, one tab at a time, when the network is back: at once when the
// browser says so, else again and again, ever more rarely. Each submit keeps its decision id and
// its base, so twice is once, and every check is made.

const FIRST_PAUSE = 2000;
const LONGEST_PAUSE = 60000;
// What the server will not take, however often it is sent.
const REFUSED_SENTENCES = {
  400: gettext(
    "The server did not accept this form. Open the item, check the form and submit it again.",
  ),
  403: gettext("You no longer have access to decide this. Ask an admin for access."),
  404: gettext("This item no longer exists."),
  413: gettext(
    "This is too large for the server. Open the item, make it shorter and submit it again.",
  ),
};
let sendPause = FIRST_PAUSE;
let sendTimer = 0;
let isSending = false;

function isTyping() {
  const { activeElement } = document;
  return Boolean(activeElement && activeElement.matches("textarea, input:not([type=radio])"));
}

function sendLater() {
  window.clearTimeout(sendTimer);
  sendTimer = window.setTimeout(sendUnsent, sendPause * (0.75 + Math.random() / 2));
  sendPause = Math.min(sendPause * 2, LONGEST_PAUSE);
}

function submitSaved(submit, json) {
  if (submit.kind === "decide") forgetDrafts(pagePerson, submit.item);
  removeSubmit(submit);
  say(`${submit.title}: ${json.said || gettext("Saved.")}`);
  openNextItem(submit);
}

function submitAsks(submit, why) {
  keepAsDraft(submit);
  updateSubmit({ ...submit, state: "asks", why });
  const nextStep = gettext(
    "Your answer is kept: open it from the list “Not saved yet” and submit again.",
  );
  notify(`${submit.title}: ${why} ${nextStep}`);
  if (!isShown(submit)) return;
  lockForms(null);
  loadItem(submit.page);
}

// What to say of a submit that was refused because somebody else is signed in by now; "" otherwise.
export function somebodyElseSentence(status, text) {
  if (status !== 403 || !text.includes("data-somebody-else")) return "";
  return gettext(
    "Unsent decisions here belong to %(name)s. They are kept until %(name)s signs in again.",
    { name: pagePersonName },
  );
}

export function refusalSentence(status) {
  return REFUSED_SENTENCES[status] || sentenceFor(status);
}

function submitRefused(submit, status) {
  keepAsDraft(submit);
  updateSubmit({ ...submit, state: "refused", why: REFUSED_SENTENCES[status] });
}

// Returns whether to go on with the next.
function submitAnswered(submit, { status, json, text }) {
  if (json.state === "saved") {
    submitSaved(submit, json);
    return true;
  }
  if (status === 409 || status === 422) {
    submitAsks(submit, json.why || gettext("The item has changed."));
    return true;
  }
  if (status === 401) {
    signedOut({ opens: !isTyping() });
    return false;
  }
  const somebodyElse = somebodyElseSentence(status, text);
  if (somebodyElse) {
    notify(somebodyElse);
    return false;
  }
  if (REFUSED_SENTENCES[status]) {
    submitRefused(submit, status);
    return true;
  }
  sendLater();
  return false;
}

async function sendInOrder() {
  // Items of which an earlier submit is not saved.
  const blocked = new Set();
  for (const submit of unsentSubmits()) {
    if (submit.state !== "waiting") blocked.add(submit.item);
    if (blocked.has(submit.item)) continue;
    let response;
    try {
      response = await post(submit.url, submit.body);
    } catch {
      sendLater();
      return;
    }
    if (!submitAnswered(submit, response)) return;
    if (response.json.state !== "saved") blocked.add(submit.item);
  }
  sendPause = FIRST_PAUSE;
}

// Another tab that sends has the lock: then there is none for this one.
function sendIfLocked(lock) {
  return lock ? sendInOrder() : sendLater();
}

export async function sendUnsent() {
  const isWaiting = unsentSubmits().some((submit) => submit.state === "waiting");
  if (isSending || !isWaiting) return;
  isSending = true;
  try {
    // Without locks (an old browser, plain http) two tabs may send the same: that is one decision
    // all the same.
    const { locks } = navigator;
    if (locks) await locks.request("reviewapp.waiting", { ifAvailable: true }, sendIfLocked);
    else await sendInOrder();
  } finally {
    isSending = false;
  }
}

window.addEventListener("online", () => {
  sendPause = FIRST_PAUSE;
  sendUnsent();
});
document.addEventListener("signed-in", sendUnsent);

// The review page of a submit that met no network says so, and what was submitted cannot be changed
// under way: it is sent by itself and the next item opens, or it is taken back into the form.

// The submit of the item in the page that waits.
let shownSubmit = null;

function isShown(submit) {
  return Boolean(review()) && submit.item === itemId();
}

function waitingSubmit() {
  return unsentSubmitsOf(itemId()).find((submit) => submit.state === "waiting") || null;
}

function lockForms(submit) {
  shownSubmit = submit;
  const forms = review().querySelectorAll("#decision, [data-waits]");
  for (const form of forms) form.inert = Boolean(submit);
  const banner = document.getElementById("waits");
  banner.hidden = !submit;
  if (!submit) resumeSaving();
}

function openNextItem(submit) {
  if (!review() || !shownSubmit || submit.id !== shownSubmit.id) return;
  const next = review().querySelector("[data-action=item_next]");
  loadItem(next.getAttribute("hx-get"), "outerHTML show:window:top");
}

// Takes a submit back that is listed as waiting: its words are a draft again. Returns whether they
// could be kept as one, or `mayDrop` agrees to lose them.
export function takeBack(submit, mayDrop) {
  if (!keepAsDraft(submit) && !mayDrop()) return;
  removeSubmit(submit);
  if (isShown(submit)) lockForms(null);
}

// The record of a submit of the item in the page, as htmx is about to send it.
export function describeSubmit(elt, requestConfig) {
  const isText = ([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken";
  const body = [...requestConfig.formData.entries()].filter(isText);
  const { decision_id: decisionId } = Object.fromEntries(body);
  return {
    id: decisionId || `${Date.now()}`,
    item: itemId(),
    title: review().dataset.title,
    kind: elt.dataset.waits || "decide",
    state: "waiting",
    url: requestConfig.path,
    page: review().dataset.address,
    at: Date.now(),
    body,
  };
}

// Stores a submit until the network is back; returns whether this browser could.
export function keepUnsent(submit) {
  if (!addSubmit(submit)) return false;
  if (isShown(submit)) lockForms(waitingSubmit());
  sendLater();
  return true;
}

// The server has it: nothing of its item asks for anybody any more.
export function forgetSubmitted(submit) {
  if (submit.kind === "decide") forgetDrafts(pagePerson, submit.item);
  for (const other of unsentSubmitsOf(submit.item)) {
    if (other.id === submit.id || other.state !== "waiting") removeSubmit(other);
  }
}

function queueSubmit(event) {
  const { elt, requestConfig, xhr } = event.detail;
  if (event.type === "htmx:responseError" && !isAway(xhr.status)) return;
  if (!review() || !elt.matches("#decision, [data-waits]")) return;
  if (requestConfig.path !== elt.getAttribute("hx-post")) return;

  if (!keepUnsent(describeSubmit(elt, requestConfig))) return;
  clearNotice();
  clearSaved();
  say(gettext("You are offline. Not saved yet; it is sent when you reconnect."));
  document.querySelector("#waits [data-take-back]").focus();
}

for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, queueSubmit);
}
document.addEventListener("htmx:load", (event) => {
  if (review() && isItem(event.target)) lockForms(waitingSubmit());
});
document.addEventListener("click", (event) => {
  if (!shownSubmit || !event.target.closest("#waits [data-take-back]")) return;
  removeSubmit(shownSubmit);
  lockForms(null);
  review().querySelector("[data-action=submit]").focus();
});
// Another tab has sent it, or somebody took it back there: the server knows what has become of the
// item.
window.addEventListener("storage", () => {
  if (!review() || !shownSubmit || waitingSubmit()) return;
  shownSubmit = null;
  loadItem(review().dataset.address);
});

removeSavedDrafts({ exceptPerson: pagePerson });
sendUnsent();
