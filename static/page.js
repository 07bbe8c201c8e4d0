// What every page does, and all that most pages do: times in the reader's zone, menus, the banner
// about deliveries, forms that are not left unsaved, what waits to be sent, and signing out.

import {
  forgetDraft,
  removeSavedDrafts,
  removeSubmit,
  saveForm,
  sendUnsent,
  stopSaving,
  takeBack,
  unsavedDrafts,
  unsentSubmits,
} from "./drafts.js";
import { gettext, ngettext, notify, post, say, sentenceFor } from "./server.js";

export const isApple = /Mac|iPhone|iPad|iPod/.test(navigator.platform);

// Every <time datetime> in the reader's own zone, as an age (data-age) or as the time of day alone
// (data-clock); the title has the exact instant.

const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const exactTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const ago = new Intl.RelativeTimeFormat(undefined, { style: "narrow", numeric: "always" });
const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

function age(at) {
  const elapsed = (at - Date.now()) / 1000;
  const unit = UNITS.find(([, length]) => Math.abs(elapsed) >= length);
  if (!unit) return gettext("just now");
  const [name, length] = unit;
  return ago.format(Math.trunc(elapsed / length), name);
}

function timeText(element, at) {
  if ("age" in element.dataset) return age(at);
  return ("clock" in element.dataset ? timeOfDay : dateAndTime).format(at);
}

function showTimes(root) {
  const times = root.querySelectorAll ? root.querySelectorAll("time[datetime]") : [];
  for (const element of times) {
    const at = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(at.getTime())) continue;
    element.title = exactTime.format(at);
    element.textContent = timeText(element, at);
  }
}

showTimes(document);
document.addEventListener("htmx:load", (event) => showTimes(event.target.parentNode || document));
window.setInterval(() => showTimes(document), 60000);

// The seconds for which the last decision can still be undone. The server decides, and says so anew
// when they are over (`_undo.html`); here they are only shown.

let undoEndsAt = 0;

function undoSeconds() {
  return document.querySelector("[data-seconds-left]");
}

document.addEventListener("htmx:load", () => {
  const place = undoSeconds();
  if (!place || place.dataset.counting) return;
  place.dataset.counting = "yes";
  undoEndsAt = performance.now() + Number(place.dataset.secondsLeft) * 1000;
});
window.setInterval(() => {
  const place = undoSeconds();
  if (!place) return;
  const left = Math.ceil((undoEndsAt - performance.now()) / 1000);
  place.textContent = String(Math.max(1, left));
}, 250);

// The banner that says that nothing is delivered comes and goes while a page is open. Each request
// says what the banner shows, and a response brings another one when that has changed. Whoever
// types sees nothing move: it lies over the page, or leaves its place empty, until they go on to
// the next item or leave the field.

const banner = () => document.getElementById("pause");
const attentionCount = () => document.getElementById("attention_count");
let bannerHeight = 0;

function isTyping() {
  return Boolean(document.activeElement && document.activeElement.closest("main form, dialog"));
}

function releaseBanner() {
  delete banner().dataset.over;
  banner().style.removeProperty("height");
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-Standing"] = banner().dataset.told;
  if (attentionCount()) event.detail.headers["X-Attention"] = attentionCount().dataset.told;
});
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target !== banner()) return;
  bannerHeight = "over" in banner().dataset ? 0 : banner().getBoundingClientRect().height;
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id !== "pause" || !isTyping()) return;
  if (bannerHeight) banner().style.height = `${bannerHeight}px`;
  else banner().dataset.over = "";
});
document.addEventListener("htmx:load", (event) => {
  if (event.target.id === "review") releaseBanner();
});
document.addEventListener("focusout", () => {
  window.setTimeout(() => {
    if (!document.getElementById("review") && !isTyping()) releaseBanner();
  });
});

// What needs a person comes to the badge and, if it is the reader's own, into a toast in the same
// way. Lists that show it load anew (`hx-trigger="attention from:body"`).

document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id !== "attention_count") return;
  document.body.dispatchEvent(new CustomEvent("attention"));
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close-toast]")) return;
  document.getElementById("attention_toast").replaceChildren();
});

// How many submits wait, in the bar at the top, and which, in a drawer: nothing in it is called
// saved.

const NOT_SENT = {
  decide: (time) => gettext("Decision from %(time)s, not sent yet", { time }),
  skip: (time) => gettext("Skip from %(time)s, not sent yet", { time }),
  defer: (time) => gettext("Defer from %(time)s, not sent yet", { time }),
};
const TAKE_BACK_QUESTION = gettext(
  "What you typed cannot be saved as a draft. Undo and lose it?",
);
const unsentCount = document.querySelector("[data-waiting-count]");
const unsentDrawer = document.getElementById("waiting");

function unsentSentence(submits) {
  const waiting = submits.filter((submit) => submit.state === "waiting");
  const sentences = [];
  if (waiting.length) {
    const areDecisions = waiting.every((submit) => submit.kind === "decide");
    sentences.push(
      areDecisions
        ? ngettext("%(number)s unsent decision", "%(number)s unsent decisions", waiting.length)
        : ngettext("%(number)s unsent action", "%(number)s unsent actions", waiting.length),
    );
  }
  const needing = submits.length - waiting.length;
  if (needing) sentences.push(ngettext("%(number)s needs you", "%(number)s need you", needing));
  return sentences.join(", ");
}

function submitSentence(submit) {
  if (submit.state !== "waiting") return submit.why;
  return NOT_SENT[submit.kind](timeOfDay.format(submit.at));
}

function submitLine(submit) {
  const line = unsentDrawer.querySelector("template").content.firstElementChild.cloneNode(true);
  const link = line.querySelector("a");
  link.href = submit.page;
  link.textContent = submit.title;
  line.querySelector("[data-says]").textContent = submitSentence(submit);
  line.querySelector("[data-take-back]").addEventListener("click", () => {
    takeBack(submit, () => window.confirm(TAKE_BACK_QUESTION));
  });
  return line;
}

function showUnsent() {
  const submits = unsentSubmits();
  unsentCount.hidden = !submits.length;
  unsentCount.querySelector("[data-words]").textContent = unsentSentence(submits);
  unsentCount.querySelector("[data-number]").textContent = submits.length;
  unsentDrawer.querySelector("ol").replaceChildren(...submits.map(submitLine));
  if (!submits.length && unsentDrawer.matches(":popover-open")) unsentDrawer.hidePopover();
}

if (unsentCount && unsentDrawer) {
  unsentDrawer.querySelector("[data-try]").addEventListener("click", sendUnsent);
  document.addEventListener("unsent-submits-changed", showUnsent);
  window.addEventListener("storage", showUnsent);
  showUnsent();
}

// Signing out at a computer that others use too: what waits is sent and what is typed is saved
// first, and what the server has then leaves this browser. What it cannot have now is never thrown
// away unasked.

const LONGEST_WAIT = 8000;
const DELETE_QUESTION = gettext("Delete what you typed? This cannot be undone.");
const { person } = document.body.dataset;
const signingOut = document.getElementById("signing_out");
let signOutForm = null;
let isSigningOut = false;

// Drafts that only this browser has; an unsent submit holds the words of its draft.
function draftsToSave() {
  const submitted = unsentSubmits().map((submit) => submit.id);
  return unsavedDrafts(person).filter((draft) => !submitted.includes(draft.form.decision_id));
}

async function saveDraft(draft) {
  const review = document.getElementById("review");
  if (review && review.dataset.item === draft.item) {
    await saveForm();
    return;
  }
  const url = signingOut.dataset.save.replace("/0/", `/${draft.item}/`);
  const { json } = await post(url, { ...draft.form, person });
  if (json.state === "saved" || json.state === "decided") forgetDraft(draft);
}

async function sendAndSave() {
  await sendUnsent();
  for (const draft of draftsToSave()) await saveDraft(draft);
}

function atMost(milliseconds, work) {
  const timeout = new Promise((resolve) => {
    window.setTimeout(resolve, milliseconds);
  });
  return Promise.race([work.catch(() => {}), timeout]);
}

function showSigningOut(isNow) {
  isSigningOut = isNow;
  signOutForm.querySelector("[type=submit]").disabled = isNow;
  if (isNow) say(gettext("Saving your work, then signing you out."));
}

function signOut() {
  removeSavedDrafts({ exceptPerson: "" });
  signOutForm.submit();
}

function askAboutUnsaved() {
  const submits = unsentSubmits().length;
  const drafts = draftsToSave().length;
  const decisions = ngettext(
    "%(number)s unsent decision",
    "%(number)s unsent decisions",
    submits,
  );
  const unsaved = ngettext("%(number)s unsaved draft", "%(number)s unsaved drafts", drafts);
  let work = submits ? decisions : unsaved;
  if (submits && drafts) {
    work = gettext("%(first)s and %(second)s", { first: decisions, second: unsaved });
  }
  signingOut.querySelector("[data-told]").textContent = gettext(
    "This browser has %(work)s. If you keep your work, it is sent when you sign in here again. " +
      "Until then others who use this browser could read it.",
    { work },
  );
  signingOut.showModal();
  signingOut.querySelector("[data-stay]").focus();
}

function deleteUnsaved() {
  if (!window.confirm(DELETE_QUESTION)) return;
  stopSaving();
  for (const submit of unsentSubmits()) removeSubmit(submit);
  for (const draft of unsavedDrafts(person)) forgetDraft(draft);
  signOut();
}

if (signingOut) {
  document.addEventListener("submit", async (event) => {
    if (!event.target.matches("[data-signs-out]")) return;
    event.preventDefault();
    if (isSigningOut) return;
    signOutForm = event.target;
    showSigningOut(true);
    await atMost(LONGEST_WAIT, sendAndSave());
    showSigningOut(false);
    if (unsentSubmits().length || draftsToSave().length) askAboutUnsaved();
    else signOut();
  });
  for (const name of ["stay", "close"]) {
    signingOut.querySelector(`[data-${name}]`).addEventListener("click", () => signingOut.close());
  }
  // What was pressed is in a menu that is shut by now.
  signingOut.addEventListener("close", () => {
    const menu = signOutForm.closest("details.menu");
    if (menu) menu.querySelector("summary").focus();
    else signOutForm.querySelector("[type=submit]").focus();
  });
  signingOut.querySelector("[data-keep]").addEventListener("click", signOut);
  signingOut.querySelector("[data-delete]").addEventListener("click", deleteUnsaved);
}

// A <details class="menu"> closes like a menu: on Escape, and when the attention goes elsewhere.

function openMenus() {
  return document.querySelectorAll("details.menu[open]");
}

for (const name of ["click", "focusin"]) {
  document.addEventListener(name, (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}
// One with a field is opened to write into it.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches("details.menu[open]")) return;
  const field = event.target.querySelector("input:not([type=hidden])");
  if (field) field.focus();
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
    // The key has done its work: it leaves no field as well.
    event.preventDefault();
  }
});

// The theme, chosen in the person's menu: the server has stored the choice (`HX-Trigger`), and the
// page follows without losing what is typed on it.

document.addEventListener("theme", (event) => {
  const theme = event.detail.value;
  document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll(".theme button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
  const preference = `.preferences [name="theme"][value="${theme}"]`;
  const choice = document.querySelector(preference);
  if (choice) choice.checked = true;
});

// The bar of pages, where it is wider than the screen: the page one is on is in sight, and an edge
// that fades says that there is more.

const navigation = document.querySelector(".top-nav");

function showMore() {
  const before = navigation.scrollLeft;
  const after = navigation.scrollWidth - navigation.clientWidth - before;
  const sides = [];
  if (before > 1) sides.push("before");
  if (after > 1) sides.push("after");
  if (sides.length) navigation.dataset.more = sides.join(" ");
  else delete navigation.dataset.more;
}

if (navigation) {
  const current = navigation.querySelector("[aria-current]");
  if (current) {
    const margin = (navigation.clientWidth - current.offsetWidth) / 2;
    navigation.scrollLeft = current.offsetLeft - navigation.offsetLeft - margin;
  }
  navigation.addEventListener("scroll", showMore, { passive: true });
  new ResizeObserver(showMore).observe(navigation);
}

// Keys. A page that has keys has their table (reviewapp/annotations/review/shortcuts.py), without
// those that its person has switched off. Here a key press is matched to it, and the keys are shown
// on what they press; the module of the page carries the actions out.

export const keyTable = JSON.parse(document.getElementById("key-table")?.textContent || "[]");
const KEY_NAMES = {
  Mod: isApple ? "⌘" : "Ctrl",
  Alt: isApple ? "⌥" : "Alt",
  Shift: "⇧",
  Escape: "Esc",
  Enter: isApple ? "↵" : "Enter",
  Digit: "1 … 9, 0",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
};
const KEYS_BY_PLACE = { BracketLeft: "[", BracketRight: "]", Slash: "/" };

// Whether somebody who has switched single keys off does not have it.
export function isSingle(key) {
  return !key.startsWith("Mod+") && !key.startsWith("Alt+") && key !== "Escape";
}

function keyOf(event) {
  if (event.code === "Space") return "Space";
  if (event.key.length > 1) return event.key;
  if (event.key.charCodeAt(0) < 128) return event.key.toLowerCase();
  // Another alphabet, or a letter where others have a bracket: the key's place says which one is
  // meant.
  const letter = /^Key([A-Z])$/.exec(event.code);
  return letter ? letter[1].toLowerCase() : KEYS_BY_PLACE[event.code] || event.key;
}

// The pressed key as the table spells it; "" for a combination that it has no spelling for.
function pressedKey(event) {
  const modifier = isApple ? event.metaKey : event.ctrlKey;
  const otherModifier = isApple ? event.ctrlKey : event.metaKey;
  const key = keyOf(event);
  // Shift is a part of writing a sign such as "?", and a modifier otherwise.
  const isSign = !modifier && !event.altKey && key.length === 1 && !/[a-z]/.test(key);
  if (otherModifier || (event.shiftKey && !isSign)) return "";
  return `${modifier ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${key}`;
}

// The row of the table with the pressed key, which is its `key`; null if there is none.
export function pressedRow(event) {
  const key = pressedKey(event);
  const row = keyTable.find(({ keys }) => keys.includes(key));
  return row ? { ...row, key } : null;
}

// The row with a key that is pressed with Shift alone; null if there is none.
export function shiftedRow(event) {
  if (!event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return null;
  const key = `Shift+${keyOf(event)}`;
  return keyTable.find(({ keys }) => keys.includes(key)) || null;
}

function keyName(part) {
  return KEY_NAMES[part] || (part.length === 1 ? part.toUpperCase() : part);
}

// The key of an action as people read it, "" where its person has none for it.
function keyText(keys) {
  const key = keys.find((candidate) => !isSingle(candidate)) || keys[keys.length - 1];
  if (!key) return "";
  const parts = key.length === 1 ? [key] : key.split("+");
  return parts.map(keyName).join(isApple ? "" : "+");
}

function showBadge(badge) {
  const row = keyTable.find(({ action }) => action === badge.dataset.keyOf);
  const text = row ? keyText(row.keys) : "";
  badge.hidden = !text;
  badge.textContent = text;
}

// `aria-keyshortcuts` of what has keys: what a badge stands on, or an action is named on.

function spokenKey(key) {
  const parts = key.length === 1 ? [key] : key.split("+");
  const names = { Mod: isApple ? "Meta" : "Control" };
  return parts.map((part) => names[part] || (part.length === 1 ? part.toUpperCase() : part)).join("+");
}

function nameKeys(control, actions) {
  const keys = keyTable.filter(({ action }) => actions.includes(action)).flatMap((row) => row.keys);
  if (keys.length) control.setAttribute("aria-keyshortcuts", keys.map(spokenKey).join(" "));
}

function nameKeysOfControls(root) {
  for (const badge of root.querySelectorAll("[data-key-of]")) {
    const place = badge.closest("button, a, summary, label");
    const control = place?.control || place;
    if (control) nameKeys(control, [badge.dataset.keyOf]);
  }
  for (const control of root.querySelectorAll("[data-action]")) {
    nameKeys(control, [control.dataset.action]);
  }
  for (const control of root.querySelectorAll("[data-keys-for]")) {
    nameKeys(control, control.dataset.keysFor.split(" "));
  }
}

function showKeys(root) {
  nameKeysOfControls(root);
  for (const badge of root.querySelectorAll("[data-key-of]")) showBadge(badge);
  for (const badge of root.querySelectorAll("[data-mod]")) badge.textContent = KEY_NAMES.Mod;
}

document.addEventListener("htmx:load", (event) => showKeys(event.target.parentNode || document));

// The command palette (palette.js), by its key on every page. The module of a page offers what can
// be done on it now: a function that returns [{title, keys, run}].

const palette = document.getElementById("palette");
let offeredActions = () => [];

export function offerActions(list) {
  offeredActions = list;
}

async function openPalette() {
  const module = await import("./palette.js");
  const actions = offeredActions().map(({ title, keys, run }) => ({
    title,
    keys: keyText(keys),
    run,
  }));
  module.openPalette(actions);
}

function togglePalette() {
  if (palette.open) palette.close();
  else if (!document.querySelector("dialog[open]")) {
    openPalette().catch(() => notify(sentenceFor(503)));
  }
}

if (palette) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || pressedKey(event) !== "Mod+k") return;
    event.preventDefault();
    if (!event.repeat) togglePalette();
  });
  document.querySelector("[data-opens-palette]").addEventListener("click", togglePalette);
}

// Forms that ask for it (`data-guards`): what was typed and not saved is not left behind without a
// question.

const LEAVE_QUESTION = gettext("You have unsaved changes. Leave and lose them?");
const touchedForms = new WeakSet();
let isLeaving = false;

function isOptionChanged(option, index) {
  const select = option.closest("select");
  const isImplied = index === 0 && !select.querySelector("[selected]");
  return option.selected !== (option.defaultSelected || isImplied);
}

function isFieldChanged(field) {
  const isBox = field.type === "checkbox" || field.type === "radio";
  if (isBox) return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some(isOptionChanged);
  return field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
}

// A form that came back from the server with something typed in it (wrong, overtaken) says `yes` by
// itself.
function isUnsavedForm(form) {
  if (form.dataset.guards === "yes" || touchedForms.has(form)) return true;
  return [...form.elements].some(isFieldChanged);
}

function unsavedForms() {
  return [...document.querySelectorAll("form[data-guards]")].filter(isUnsavedForm);
}

// For fields that scripts move, add and remove.
export function touchForm(element) {
  const form = element.closest("form[data-guards]");
  if (form) touchedForms.add(form);
}

window.addEventListener("beforeunload", (event) => {
  if (!isLeaving && unsavedForms().length) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-guards]") && !event.defaultPrevented) isLeaving = true;
});
window.addEventListener("pageshow", () => {
  isLeaving = false;
});
for (const name of ["htmx:afterRequest", "htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    isLeaving = false;
  });
}
// What htmx would put in a form's place.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target, requestConfig } = event.detail;
  if (requestConfig.verb !== "get" || !target || elt.matches("form[data-guards]")) return;
  if (!unsavedForms().some((form) => target.contains(form))) return;
  if (!window.confirm(LEAVE_QUESTION)) event.preventDefault();
});
