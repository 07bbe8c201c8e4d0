// The review page: the decision form, the evidence, from item to item, and the keys for all of it.
// docs/keys.md lists the keys; what is typed is kept by drafts.js.

import { formChanged, isFormKept, saveBeforeLeaving, showCannotTell } from "./drafts.js";
import { afterPaint, isWaitingForAnswer, undoWhenAnswered } from "./next_item.js";
import { isSingle, keyTable, offerActions, pressedRow } from "./page.js";
import { gettext, ngettext, notify, say } from "./server.js";

const review = () => document.getElementById("review");
const decisionForm = () => document.getElementById("decision");
const inForm = (selector) => decisionForm().querySelector(selector);
const inReview = (selector) => review().querySelector(selector);

function isItem(element) {
  return element.id === "review" || element === document.body;
}

function bubblingInput() {
  return new Event("input", { bubbles: true });
}

// The decision form: slider and presets for the confidence, one label at a time, the counter of
// characters.

function showConfidence() {
  const text = inForm("#confidence").value.trim();
  const number = Number(text.replace(",", "."));
  const isUsable = text !== "" && number >= 0 && number <= 1;
  const slider = inForm("[data-slider]");
  slider.value = isUsable ? number : 0.5;
  slider.classList.toggle("is-blank", !isUsable);
  slider.setAttribute("aria-valuetext", isUsable ? text : gettext("blank"));
  for (const preset of decisionForm().querySelectorAll("[data-preset]")) {
    const isPressed = isUsable && Number(preset.dataset.preset) === number;
    preset.setAttribute("aria-pressed", String(isPressed));
  }
}

function setConfidence(text) {
  inForm("#confidence").value = text;
  inForm("#confidence").dispatchEvent(bubblingInput());
}

function showReasoningLength() {
  const counter = inForm("[data-count-of=reasoning]");
  // Characters as the server counts them: an emoji is one.
  const { length } = [...inForm("#reasoning").value];
  const most = Number(counter.dataset.most);
  counter.textContent = `${length.toLocaleString()} / ${most.toLocaleString()}`;
  counter.classList.toggle("is-over", length > most);
}

// The machine's reasoning becomes the person's, below what they have written already.
function takeMachineReasoning() {
  const reasoning = inForm("#reasoning");
  const machine = document.querySelector("[data-machine-reasoning]").textContent;
  if (!reasoning.value.includes(machine)) {
    const written = reasoning.value.trimEnd();
    reasoning.value = written ? `${written}\n${machine}` : machine;
    reasoning.dispatchEvent(bubblingInput());
  }
  reasoning.focus();
}

function showTaken(field, isTaken) {
  inForm(`[data-field="${field}"]`).classList.toggle("is-taken", isTaken);
}

// Who changes a field in conflict keeps their own value of it.
function keepMine(field) {
  const mine = inForm(`[data-keep="${field}"][value=mine]`);
  if (!mine || mine.checked) return;
  mine.checked = true;
  showTaken(field, false);
}

function clearChoice() {
  const checked = decisionForm().querySelectorAll("[name=choice]:checked");
  for (const choice of checked) choice.checked = false;
}

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!decisionForm() || !decisionForm().contains(field)) return;
  if (field.id === "confidence") showConfidence();
  if (field.id === "reasoning") showReasoningLength();
  if (field.matches("[data-slider]")) setConfidence(field.value);
  if (field.id === "label" && field.value) clearChoice();
  if (field.name === "choice" && inForm("#label")) inForm("#label").value = "";
  const section = field.closest("[data-field]");
  if (field.dataset.keep) showTaken(field.dataset.keep, field.value === "theirs");
  else if (section) keepMine(section.dataset.field);
});
document.addEventListener("click", (event) => {
  const preset = event.target.closest("[data-preset]");
  if (preset) setConfidence(preset.dataset.preset);
  if (event.target.closest("[data-action=take_reasoning]")) takeMachineReasoning();
});
document.addEventListener("htmx:load", () => {
  if (!decisionForm() || decisionForm().dataset.started) return;
  decisionForm().dataset.started = "yes";
  showConfidence();
  showReasoningLength();
  const taken = decisionForm().querySelectorAll("[data-keep][value=theirs]:checked");
  for (const choice of taken) showTaken(choice.dataset.keep, true);
});

// "Can't tell": the button or its key enters this state of the form; Escape, the other button or
// choosing a label leaves it.

function isCannotTell() {
  return Boolean(decisionForm()) && decisionForm().dataset.outcome === "undecidable";
}

function setCannotTell(isOn) {
  if (isOn === isCannotTell()) return;
  showCannotTell(isOn);
  // Who only looks at the state has written nothing that would be worth a draft.
  const reasoning = inForm("#reasoning");
  const isWritten = "typed" in decisionForm().dataset || reasoning.value !== reasoning.defaultValue;
  if (isWritten) formChanged();
}

function enterCannotTell() {
  setCannotTell(true);
  say(gettext("Can't tell. Write why you can't tell, then submit."));
  inForm("#reasoning").focus();
}

function leaveCannotTell() {
  setCannotTell(false);
  const label = inForm("[name=choice]:checked, #label") || inForm("[name=choice]");
  if (label) label.focus();
  say(gettext("The label is submitted again."));
}

document.addEventListener("click", (event) => {
  if (!decisionForm() || !decisionForm().contains(event.target)) return;
  if (event.target.closest("[data-action=cannot_tell]")) {
    event.preventDefault();
    enterCannotTell();
  } else if (event.target.closest("[data-leave-cannot-tell]")) {
    leaveCannotTell();
  } else if (event.target.matches("[name=choice]")) {
    setCannotTell(false);
  }
});
document.addEventListener("input", (event) => {
  if (event.target.id === "label" && event.target.value) setCannotTell(false);
});

// The payload as fields: texts, numbers, yes/no and lists of texts, also inside objects. The raw
// JSON is what is submitted: a field replaces its own value in that text and touches nothing else,
// so that 0.0 stays 0.0.

const MAX_PAYLOAD_FIELDS = 30;
const LONG_TEXT = 60;
const JSON_TOKEN = /\s*("(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+)/y;
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const payload = () => inForm("#payload");
const payloadError = () => inForm("#payload-error");

function isJsonObject(text) {
  try {
    const value = JSON.parse(text.trim() || "{}");
    return Boolean(value) && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}

function isLine(text) {
  return typeof text === "string" && text.trim() !== "" && !text.includes("\n");
}

function hasField({ value }) {
  if (Array.isArray(value)) return value.every(isLine);
  return ["string", "number", "boolean"].includes(typeof value);
}

// Every value of a JSON object that is no object itself, as {path, start, end, source, value};
// `text` is from start to end.
function jsonLeaves(text) {
  const leaves = [];

  function nextToken() {
    const [, source] = JSON_TOKEN.exec(text);
    const end = JSON_TOKEN.lastIndex;
    return { source, start: end - source.length, end };
  }

  function endOfValue(first) {
    let depth = first.source === "[" ? 1 : 0;
    let last = first;
    while (depth) {
      last = nextToken();
      if ("[{".includes(last.source)) depth += 1;
      if ("]}".includes(last.source)) depth -= 1;
    }
    return last.end;
  }

  function readMembers(path) {
    let token = nextToken();
    while (token.source !== "}") {
      const memberPath = [...path, JSON.parse(token.source)];
      nextToken();
      const first = nextToken();
      if (first.source === "{") {
        readMembers(memberPath);
      } else {
        const { start } = first;
        const end = endOfValue(first);
        const source = text.slice(start, end);
        leaves.push({ path: memberPath, start, end, source, value: JSON.parse(source) });
      }
      token = nextToken();
      if (token.source === ",") token = nextToken();
    }
  }

  JSON_TOKEN.lastIndex = 0;
  if (text.trim()) {
    nextToken();
    readMembers([]);
  }
  return leaves;
}

// The significant digits and their exponent: 0.50 and 5e-1 are the same number.
function exactNumber(text) {
  const [mantissa, exponent = "0"] = text.toLowerCase().replace(/^-/, "").split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const all = (whole + fraction).replace(/^0+/, "");
  const digits = all.replace(/0+$/, "");
  if (!digits) return "0";
  return `${digits}e${Number(exponent) - fraction.length + all.length - digits.length}`;
}

// Why the number of a field cannot be stored as it was typed; "" if it can.
function numberProblem(text, name) {
  if (!JSON_NUMBER.test(text)) {
    return gettext("%(name)s must be a number, such as 12 or 0.75.", { name });
  }
  const stored = Number(text);
  const isWhole = /^-?\d+$/.test(text);
  if (isWhole || exactNumber(text) === exactNumber(String(stored))) return "";
  if (!Number.isFinite(stored)) return gettext("%(name)s is too large.", { name });
  return gettext("%(name)s cannot be stored exactly. The nearest number is %(stored)s.", {
    name,
    stored,
  });
}

function showPayloadProblem(text) {
  const place = inForm("[data-payload-problem]");
  place.textContent = text;
  place.hidden = !text;
  // What the server said was about the text before.
  if (payloadError()) payloadError().hidden = Boolean(text);
}

function replaceValue(path, source) {
  const text = payload().value;
  const key = JSON.stringify(path);
  const leaf = jsonLeaves(text).find((candidate) => JSON.stringify(candidate.path) === key);
  payload().value = text.slice(0, leaf.start) + source + text.slice(leaf.end);
}

function splitLines(text, before) {
  const lines = text.split("\n").map((line) => (before.includes(line) ? line : line.trim()));
  return lines.filter(Boolean);
}

function checkbox({ path, value }) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = value;
  box.className = "check";
  box.addEventListener("input", () => replaceValue(path, String(box.checked)));
  return box;
}

function numberTyped(field, path) {
  const text = field.value.trim();
  const problem = numberProblem(text, path.join("."));
  field.setAttribute("aria-invalid", String(Boolean(problem)));
  showPayloadProblem(problem);
  if (!problem) replaceValue(path, text);
}

function textField({ path, source, value }) {
  const isList = Array.isArray(value);
  const isNumber = typeof value === "number";
  const isLong = isList || (!isNumber && (value.length > LONG_TEXT || value.includes("\n")));
  const field = document.createElement(isLong ? "textarea" : "input");
  field.className = "input input-small";
  field.dir = "auto";
  if (isLong) {
    const rows = isList ? value.length : 3;
    field.rows = Math.min(Math.max(rows, 2), 6);
  }
  if (isNumber) {
    field.inputMode = "decimal";
    field.value = source;
    field.addEventListener("input", () => numberTyped(field, path));
  } else if (isList) {
    field.value = value.join("\n");
    field.addEventListener("input", () => {
      const lines = splitLines(field.value, value);
      replaceValue(path, JSON.stringify(lines));
    });
  } else {
    field.value = value;
    field.addEventListener("input", () => replaceValue(path, JSON.stringify(field.value)));
  }
  return field;
}

function mutedElement(tag, text) {
  const element = document.createElement(tag);
  element.className = "muted";
  element.textContent = text;
  return element;
}

// A link to each document on the page whose id the field holds.
function documentNotes(field, { value }) {
  const sections = [...review().querySelectorAll("[data-document]")];
  const ids = [value].flat();
  const named = sections.filter((section) => ids.includes(section.dataset.document));
  return named.map((section) => {
    const { document: id, documentTitle: title } = section.dataset;
    const link = document.createElement("a");
    link.href = `#${section.getAttribute("aria-labelledby")}`;
    link.textContent = gettext("Id of the document “%(title)s”", { title });
    const note = mutedElement("p", "");
    note.append(link);
    field.addEventListener("input", () => {
      note.hidden = !field.value.split("\n").includes(id);
    });
    return note;
  });
}

function payloadRow(leaf, index) {
  const isYesNo = typeof leaf.value === "boolean";
  const field = isYesNo ? checkbox(leaf) : textField(leaf);
  field.id = `payload-${index}`;
  const label = document.createElement("label");
  label.htmlFor = field.id;
  label.textContent = leaf.path.join(".");
  if (Array.isArray(leaf.value)) label.append(mutedElement("span", ` ${gettext("one per line")}`));
  const row = document.createElement("div");
  row.className = isYesNo ? "payload-row payload-check" : "payload-row";
  const notes = documentNotes(field, leaf);
  notes.forEach((note, place) => {
    note.id = `${field.id}-document-${place}`;
  });
  if (notes.length) field.setAttribute("aria-describedby", notes.map(({ id }) => id).join(" "));
  row.append(label, field, ...notes);
  return row;
}

// Returns how many fields there are.
function showPayloadFields() {
  const place = inForm("[data-payload-fields]");
  const isReadable = isJsonObject(payload().value);
  const isToldByServer = Boolean(payloadError()) && payload().value === payload().defaultValue;
  place.replaceChildren();
  const problem = isReadable || isToldByServer ? "" : gettext("This is not a valid JSON object.");
  showPayloadProblem(problem);
  if (!isReadable) return 0;

  const leaves = jsonLeaves(payload().value);
  const shown = leaves.filter(hasField).slice(0, MAX_PAYLOAD_FIELDS);
  place.append(...shown.map(payloadRow));
  const others = leaves.length - shown.length;
  if (others) {
    const sentence = ngettext(
      "%(number)s more field in Raw JSON",
      "%(number)s more fields in Raw JSON",
      others,
    );
    place.append(mutedElement("p", sentence));
  }
  return shown.length;
}

// What a field cannot take is not in the raw JSON, so it must not be submitted as if it were.
document.addEventListener("submit", (event) => {
  if (event.target !== decisionForm() || isCannotTell()) return;
  const invalid = inForm("[data-payload-fields] [aria-invalid=true]");
  if (!invalid) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  invalid.focus();
}, true);
document.addEventListener("input", (event) => {
  if (event.target.id === "payload") showPayloadFields();
});
document.addEventListener("htmx:load", () => {
  if (!decisionForm() || decisionForm().dataset.payload) return;
  decisionForm().dataset.payload = "yes";
  const shown = showPayloadFields();
  const isInvalid = payload().getAttribute("aria-invalid") === "true";
  if (!isJsonObject(payload().value) || isInvalid) return;
  inForm("[data-payload-raw]").open = !shown && payload().value.trim() !== "";
});

// Media that did not load is requested twice more by itself (its link may just have expired; the
// server may have had too many to request), then the page says so and offers to load it again.
// Pictures open large, at fit or actual size.

const FILE = "img, video, audio, iframe";
const RETRY_PAUSES = [0, 2000];

function figureOf(element) {
  return element.closest("[data-medium]");
}

// A frame tells nobody that it stayed empty, so the server is asked beside it, and not the file's
// host.
async function checkFrame(frame) {
  let isThere = false;
  try {
    const response = await fetch(frame.src, { redirect: "manual", cache: "no-store" });
    // A redirect leads to the file, which the server has looked at.
    isThere = response.ok || response.type === "opaqueredirect";
  } catch {
    // Nobody answers.
  }
  if (!isThere && frame.isConnected) frame.dispatchEvent(new Event("error"));
}

function loadAgain(element) {
  const [address, fragment] = element.getAttribute("src").split("#");
  const url = new URL(address, window.location.href);
  const times = Number(url.searchParams.get("again") || 0);
  url.searchParams.set("again", String(times + 1));
  if (element.matches("video, audio")) goOnWhereItWas(element);
  element.src = url.href + (fragment ? `#${fragment}` : "");
  if (element.matches("iframe")) checkFrame(element);
}

// A film or recording goes on where it was when its link stopped working; a new address sets it
// back to the start.
function goOnWhereItWas(medium) {
  const { dataset, playbackRate } = medium;
  if (medium.currentTime) dataset.resumeAt = String(medium.currentTime);
  if (!medium.paused) dataset.resumePlaying = "yes";
  medium.addEventListener("loadedmetadata", () => {
    if (dataset.resumeAt) medium.currentTime = Number(dataset.resumeAt);
    medium.playbackRate = playbackRate;
    if (dataset.resumePlaying) medium.play().catch(() => {});
    delete dataset.resumePlaying;
  }, { once: true });
}

// What plays on after it was loaded again may be loaded again twice more, when its next link ends.
document.addEventListener("timeupdate", (event) => {
  const figure = event.target.closest && figureOf(event.target);
  if (!figure || !figure.dataset.tried) return;
  if (event.target.currentTime > Number(event.target.dataset.resumeAt || 0) + 1) {
    delete figure.dataset.tried;
    delete event.target.dataset.resumeAt;
  }
}, true);

const NO_REASON = gettext("Why is not known: the server cannot be reached.");

// The server looks at the file and says why a browser does not show it.
async function showReason(figure) {
  const place = figure.querySelector("[data-why]");
  const url = new URL(figure.querySelector(FILE).getAttribute("src"), window.location.href);
  url.hash = "";
  url.searchParams.set("why", "yes");
  place.textContent = gettext("Looking for the reason …");
  let reason = NO_REASON;
  try {
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    if (response.ok && !response.redirected) reason = await response.text();
  } catch {
    // Nobody answers.
  }
  place.textContent = reason;
}

function showFailed(figure, isFailed) {
  figure.querySelector("[data-failed]").hidden = !isFailed;
  if (isFailed) showReason(figure);
  const file = figure.querySelector(FILE);
  if (file) (file.closest("a") || file).hidden = isFailed;
}

// These events do not bubble, so they are caught on their way down.
document.addEventListener("error", (event) => {
  const figure = event.target.closest && figureOf(event.target);
  if (!figure) return;
  const tried = Number(figure.dataset.tried || 0);
  if (tried >= RETRY_PAUSES.length) {
    showFailed(figure, true);
    return;
  }
  figure.dataset.tried = String(tried + 1);
  window.setTimeout(() => {
    if (event.target.isConnected) loadAgain(event.target);
  }, RETRY_PAUSES[tried]);
}, true);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-again]");
  if (!button) return;
  const figure = figureOf(button);
  showFailed(figure, false);
  loadAgain(figure.querySelector(FILE));
});
// A medium may have failed before this module ran.
document.addEventListener("htmx:load", () => {
  const untried = "[data-medium]:not([data-tried])";
  for (const image of document.querySelectorAll(`${untried} img`)) {
    if (image.complete && !image.naturalWidth) image.dispatchEvent(new Event("error"));
  }
  for (const medium of document.querySelectorAll(`${untried} :is(video, audio)`)) {
    if (medium.error) medium.dispatchEvent(new Event("error"));
  }
  for (const frame of document.querySelectorAll("[data-medium]:not([data-asked]) iframe")) {
    figureOf(frame).dataset.asked = "yes";
    checkFrame(frame);
  }
});

// A picture turns a wheel until it is there. Nobody decides on what they have not seen: while a
// picture loads, or where a file did not load, a submit asks first, once for each item.

const UNSEEN_QUESTION = gettext("A file of this item is not shown yet. Decide without seeing it?");

function showLoaded(image) {
  figureOf(image).dataset.loaded = "yes";
}

function isUnseen(figure) {
  const failed = figure.querySelector("[data-failed]");
  const image = figure.querySelector("img");
  return Boolean((failed && !failed.hidden) || (image && !image.naturalWidth));
}

document.addEventListener("load", ({ target }) => {
  if (target.matches && target.matches("[data-medium] img")) showLoaded(target);
}, true);
document.addEventListener("htmx:load", () => {
  for (const image of document.querySelectorAll("[data-medium] img")) {
    if (image.naturalWidth) showLoaded(image);
  }
});
document.addEventListener("submit", (event) => {
  const form = decisionForm();
  if (event.target !== form || isCannotTell() || form.dataset.unseen) return;
  const figures = [...document.querySelectorAll("#review [data-medium]")];
  if (!figures.some(isUnseen)) return;
  if (window.confirm(UNSEEN_QUESTION)) {
    form.dataset.unseen = "accepted";
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

const zoom = document.getElementById("zoom");
const zoomStage = zoom.querySelector("[data-zoom-stage]");
const zoomSize = zoom.querySelector("[data-zoom-size]");

function showActualSize(isActual) {
  zoom.classList.toggle("is-actual", isActual);
  zoomSize.setAttribute("aria-pressed", String(isActual));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-zoom]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const blur = document.getElementById("blur");
  const isGrey = Boolean(link.closest(".is-grey"));
  const image = document.createElement("img");
  image.src = link.href;
  image.alt = link.querySelector("img").alt;
  zoom.classList.toggle("is-blurred", Boolean(blur && blur.checked));
  zoom.classList.toggle("is-grey", isGrey);
  zoomStage.replaceChildren(image);
  zoom.querySelector("[data-zoom-name]").textContent = link.dataset.name;
  showActualSize(false);
  zoom.showModal();
});
for (const control of [zoomStage, zoomSize]) {
  control.addEventListener("click", () => showActualSize(!zoom.classList.contains("is-actual")));
}

// How long the item is still this person's, said in time to extend it.

const LEASE_ENDS_SOON = 120;
const LEASE_TICK = 10000;
const LEASE_WARNING = gettext(
  "Your reservation of this item ends in two minutes. Extend it to keep the item; " +
    "what you typed is kept either way.",
);
let warnedOf = "";

function leaseSentence(left) {
  if (left <= 0) return gettext("Your reservation has ended");
  if (left < 60) return gettext("Reserved for you, less than a minute left");
  return gettext("Reserved for you, %(minutes)s min left", { minutes: Math.ceil(left / 60) });
}

function showLease() {
  const place = document.querySelector("#lease [data-until]");
  if (!place) return;
  const { until } = place.dataset;
  const left = (new Date(until) - Date.now()) / 1000;
  const isEnding = left < LEASE_ENDS_SOON;
  place.title = gettext("until %(time)s", { time: new Date(until).toLocaleTimeString() });
  place.textContent = leaseSentence(left);
  document.getElementById("lease").classList.toggle("is-ending", isEnding);
  if (!isEnding || warnedOf === until) return;
  warnedOf = until;
  say(LEASE_WARNING);
}

document.addEventListener("htmx:load", showLease);
window.setInterval(showLease, LEASE_TICK);

// From item to item: where the focus goes, how long an item was looked at, and what is not left
// without a question.

const SECOND_CLICK = gettext(
  "The second click was for the item before, so it did nothing here. Click again if you mean it.",
);
const TOO_EARLY = gettext(
  "A key was pressed while this item was loading and did nothing. Press it again.",
);
const LEAVE_QUESTION = gettext(
  "What you typed could not be saved as a draft. Leave and lose it?",
);
// An item that came back unasked takes no key until nobody has typed for so long, in ms.
const QUIET_TIME = 500;
let isQuietUntil = 0;
let shownAt = 0;
// When the first click of a row of quick clicks was.
let firstClickAt = 0;
let wasPressedTooEarly = false;
let shownItem = null;
let millisecondsSpent = 0;
// Since when the person looks at the page, null while they do not.
let lookingSince = performance.now();
let isLeaving = false;

function hasUnkeptWords() {
  // What is kept as a draft is there again when its writer comes back.
  const form = decisionForm();
  if (!form || isFormKept()) return false;
  if (form.dataset.typed === "yes") return true;
  const names = ["label", ...form.dataset.fields.split(" ")];
  const fields = names.map((name) => inForm(`#${name}`)).filter(Boolean);
  return fields.some((field) => field.value !== field.defaultValue);
}

function startLooking() {
  lookingSince = document.hidden ? null : performance.now();
}

function countTime() {
  if (lookingSince !== null) millisecondsSpent += performance.now() - lookingSince;
  startLooking();
}

function firstLabel() {
  return inReview("[name=choice]:checked") || inReview("[name=choice]") || inReview("#label");
}

function itemPainted(item) {
  item.dataset.ready = "yes";
  if (item !== review()) return;
  if (wasPressedTooEarly) notify(TOO_EARLY);
  wasPressedTooEarly = false;
}

function itemArrived({ isSwapped }) {
  document.title = `${review().dataset.title} · reviewapp`;
  if (shownItem !== review().dataset.item) {
    shownItem = review().dataset.item;
    millisecondsSpent = 0;
    startLooking();
  }
  isLeaving = false;
  shownAt = isSwapped ? performance.now() : 0;
  isQuietUntil = "cameBack" in review().dataset ? performance.now() + QUIET_TIME : 0;
  const item = review();
  afterPaint(() => itemPainted(item));
  const unanswered = inReview("#stale [aria-invalid=true] input");
  const invalid = unanswered || inReview("#stale input, [aria-invalid=true]");
  const target = invalid || firstLabel();
  if (target) target.focus({ preventScroll: !invalid });
}

document.addEventListener("htmx:load", (event) => {
  if (review() && isItem(event.target)) itemArrived({ isSwapped: event.target.id === "review" });
});
document.addEventListener("submit", (event) => {
  if (!event.target.closest("#review, #bar")) return;
  if (event.target !== decisionForm()) return;
  countTime();
  inForm("[data-seconds]").value = (millisecondsSpent / 1000).toFixed(1);
  isLeaving = true;
}, true);
// The second click of a double click on the item before must not fall on a button of this one.
document.addEventListener("mousedown", (event) => {
  if (event.detail <= 1) firstClickAt = performance.now();
}, true);
document.addEventListener("click", (event) => {
  if (event.detail < 2 || firstClickAt >= shownAt || !event.target.closest("#review")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  notify(SECOND_CLICK);
}, true);
document.addEventListener("visibilitychange", countTime);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-leaves]")) return;
  if (decisionForm()) saveBeforeLeaving();
  if (!hasUnkeptWords()) return;
  if (window.confirm(LEAVE_QUESTION)) {
    isLeaving = true;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
window.addEventListener("beforeunload", (event) => {
  if (!isLeaving && hasUnkeptWords()) event.preventDefault();
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    isLeaving = false;
  });
}

// An item that changes while somebody has it open: what is gone cannot be decided; and when the
// changes were brought into the form, the focus goes to what must be answered there.
document.addEventListener("htmx:load", (event) => {
  if (!review()) return;
  if (inReview("#news[data-gone]")) {
    const buttons = review().querySelectorAll("[data-action=submit], [data-action=cannot_tell]");
    for (const button of buttons) button.disabled = true;
  }
  if (event.target.id !== "decision") return;
  const questions = "#stale input, [aria-invalid=true]:not(fieldset)";
  const labels = "[name=choice]:checked, #label, [name=choice]";
  const target = event.target.querySelector(`${questions}, ${labels}`);
  if (target) target.focus();
});

// Keys: `pressedRow` of page.js matches a key press to an action, and here each action is carried
// out. A held key, a key while somebody types, while a list or dialog is open, while an item loads
// or a submit is under way does nothing: nobody decides what nobody has seen.

const CONFIDENCE_STEP = 0.05;
const MEDIA_STEP = 5;
// How much of what is in sight a key scrolls.
const PAGE_SHARE = 0.85;

function hasSingleKeys() {
  return review().dataset.singleKeys === "on";
}

function digitOf(event) {
  const match = /^(Digit|Numpad)([0-9])$/.exec(event.code);
  if (!match || event.ctrlKey || event.metaKey || event.altKey) return "";
  const [, place, digit] = match;
  // Without NumLock, the keys of the number pad move.
  return place === "Numpad" && !/^[0-9]$/.test(event.key) ? "" : digit;
}

// The row of the table with the pressed key, and for a digit the label's button as `target`; null
// if there is none.
function matchKey(event) {
  const digit = digitOf(event);
  if (digit) {
    const target = inReview(`[data-digit="${event.shiftKey ? "Shift+" : ""}${digit}"]`);
    if (target) return { action: "label", keys: ["Digit"], typing: false, target, key: "Digit" };
  }
  return pressedRow(event);
}

let isLoading = false;

function isAboutItem(event) {
  return event.detail.target && event.detail.target.id === "review";
}

// Nothing is decided that has not been painted.
function isNotReady() {
  if (isLoading || !("ready" in review().dataset)) return true;
  return isWaitingForAnswer() || performance.now() < isQuietUntil;
}

document.addEventListener("htmx:beforeSend", (event) => {
  if (isAboutItem(event)) isLoading = true;
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (isAboutItem(event)) isLoading = false;
});

function isSomethingOpen() {
  const open = "dialog[open], details.menu[open], [popover]:popover-open";
  return document.querySelector(open) !== null;
}

function isTextLine(element) {
  return element.matches("input:not([type=radio]):not([type=checkbox]):not([type=range])");
}

function isTyping(element) {
  if (element.isContentEditable || isTextLine(element)) return true;
  return element.matches("textarea, select, input[type=range]");
}

function isResting(event, row) {
  if (isSingle(row.key) && !hasSingleKeys()) return true;
  // Mine or theirs: the arrows are the browser's own way from one to the other.
  if (event.target.matches("[data-keep]") && row.key.startsWith("Arrow")) return true;
  const isMove = row.action === "field_previous" || row.action === "field_next";
  return isTyping(event.target) && !row.typing && !(isMove && isTextLine(event.target));
}

function flash(element) {
  element.classList.add("is-lit");
  window.setTimeout(() => element.classList.remove("is-lit"), 300);
}

function press(element) {
  // A script's click would go through to what has been submitted and waits.
  if (!element || element.closest("[inert]")) return;
  flash(element.closest("label") || element);
  element.click();
}

function fieldStop(name) {
  if (name !== "payload") return inReview(`#${name}`);
  const field = inReview("[data-payload-fields] :is(input, textarea)");
  return field || inReview("[data-payload-raw][open] textarea");
}

function fieldStops() {
  const stops = [
    inReview("[name=choice]:checked") || inReview("[name=choice]"),
    inReview("#label"),
    ...decisionForm().dataset.fields.split(" ").map(fieldStop),
    inReview("[data-action=submit]"),
  ];
  return stops.filter((stop) => stop && !stop.closest("[inert]"));
}

function moveFocus(by) {
  const stops = fieldStops();
  const active = document.activeElement;
  const isActive = (stop) => stop === active || (stop.name && stop.name === active.name);
  const here = stops.findIndex(isActive);
  const last = stops.length - 1;
  if (here < 0) {
    stops[by > 0 ? 0 : last].focus();
    return;
  }
  stops[Math.min(Math.max(here + by, 0), last)].focus();
}

function changeConfidence(by) {
  const field = inReview("#confidence");
  const text = field.value.trim();
  const now = text === "" ? 0.5 : Number(text.replace(",", "."));
  if (Number.isNaN(now) || field.closest("[inert]")) return;
  const next = Math.min(Math.max(now + by, 0), 1);
  field.value = String(Math.round(next * 100) / 100);
  field.dispatchEvent(bubblingInput());
  flash(field);
}

function leaveField() {
  if (isCannotTell()) leaveCannotTell();
  else document.activeElement.blur();
}

function unfold(name) {
  const section = inReview(`[data-action-target=${name}]`);
  if (!section) return;
  section.open = !section.open;
  if (section.open) section.querySelector("summary").focus();
}

// A text with a scroll bar of its own first, then the page.
function scrollEvidence(direction) {
  const boxes = [...review().querySelectorAll("#evidence .prose-body")];
  const box = boxes.find(({ clientHeight, scrollHeight, scrollTop }) => {
    const left = direction > 0 ? scrollHeight - clientHeight - scrollTop : scrollTop;
    return left > 1;
  });
  if (box) box.scrollBy(0, direction * box.clientHeight * PAGE_SHARE);
  else window.scrollBy(0, direction * window.innerHeight * PAGE_SHARE);
}

function playingMedium() {
  const media = [...review().querySelectorAll("[data-plays]")];
  return media.find((medium) => !medium.paused) || media[0];
}

function playOrPause() {
  const medium = playingMedium();
  if (!medium) return;
  // A pause that comes before the medium plays is no error.
  if (medium.paused) medium.play().catch(() => {});
  else medium.pause();
}

function seek(by) {
  const medium = playingMedium();
  if (medium) medium.currentTime = Math.max(0, medium.currentTime + by);
}

// All other actions press the button of their name.
const ACTIONS = {
  label: ({ target }) => {
    press(target);
    target.focus();
  },
  field_previous: () => moveFocus(-1),
  field_next: () => moveFocus(1),
  less_sure: () => changeConfidence(-CONFIDENCE_STEP),
  more_sure: () => changeConfidence(CONFIDENCE_STEP),
  reasoning: () => inReview("#reasoning").focus(),
  take_reasoning: () => press(inReview("[data-action=take_reasoning]")),
  leave: leaveField,
  guidelines: () => unfold("guidelines"),
  history: () => unfold("history"),
  undo: () => undoWhenAnswered() || press(inReview("[data-action=undo]")),
  search: () => window.location.assign(`${document.querySelector(".top-nav a").href}#id_q`),
  evidence_up: () => scrollEvidence(-1),
  evidence_down: () => scrollEvidence(1),
  media_play: playOrPause,
  media_back: () => seek(-MEDIA_STEP),
  media_forward: () => seek(MEDIA_STEP),
};

function carryOut(row) {
  const action = ACTIONS[row.action];
  if (action) action(row);
  else press(inReview(`[data-action=${row.action}]`));
}

// Enter in a field, or held on a button, would submit by the browser's own rule.
function isImplicitSubmit(event) {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return false;
  if (!event.target.closest("#decision")) return false;
  return event.target.matches("input") || (event.repeat && event.target.matches("button"));
}

function hasNothingToDo(event, row) {
  if (row.action === "leave") {
    return isSomethingOpen() || !(isTyping(event.target) || isCannotTell());
  }
  // On what it presses or chooses, the space bar does that.
  const pressed = "button, summary, a, input[type=checkbox], [type=radio]:not(:checked)";
  if (row.key === "Space" && event.target.matches(pressed)) return true;
  return row.action.startsWith("media") && !inReview("[data-plays]");
}

document.addEventListener("keydown", (event) => {
  if (!review() || event.defaultPrevented || event.isComposing) return;
  if (performance.now() < isQuietUntil) {
    isQuietUntil = performance.now() + QUIET_TIME;
    event.preventDefault();
    return;
  }
  if (isImplicitSubmit(event)) {
    event.preventDefault();
    return;
  }
  if (event.getModifierState("AltGraph")) return;
  const row = matchKey(event);
  if (!row || isResting(event, row) || hasNothingToDo(event, row)) return;
  if (isSomethingOpen()) {
    // Single keys are left to what is open, such as the arrows that scroll it.
    if (!isSingle(row.key)) event.preventDefault();
    return;
  }
  event.preventDefault();
  const isTooEarly = isNotReady();
  if (isTooEarly && !event.repeat) wasPressedTooEarly = true;
  const isHeld = event.repeat && !row.action.startsWith("evidence");
  if (isHeld || isTooEarly) return;
  carryOut(row);
});

// What each action works on; all others press the button of their name.
const WORKED_ON = {
  field_previous: "#decision",
  field_next: "#decision",
  less_sure: "#confidence",
  more_sure: "#confidence",
  reasoning: "#reasoning",
  guidelines: "[data-action-target=guidelines]",
  history: "[data-action-target=history]",
  search: "*",
  evidence_up: "#evidence",
  evidence_down: "#evidence",
  media_play: "[data-plays]",
  media_back: "[data-plays]",
  media_forward: "[data-plays]",
};

function canCarryOut({ action }) {
  if (action === "leave") return isCannotTell();
  const element = inReview(WORKED_ON[action] || `[data-action=${action}]`);
  return element !== null && !element.closest("[inert], :disabled");
}

// From the palette: as by key, when the page takes one.
function carryOutIfReady(row) {
  if (isNotReady()) notify(TOO_EARLY);
  else carryOut(row);
}

function labelAction(target) {
  const label = target.closest("label").querySelector(".clip").textContent;
  return {
    title: gettext("Choose label: %(label)s", { label }),
    keys: hasSingleKeys() ? [target.dataset.digit] : [],
    run: () => carryOutIfReady({ action: "label", target }),
  };
}

offerActions(() => {
  if (!review()) return [];
  const actions = keyTable.filter(canCarryOut).map((row) => ({
    title: row.sentence,
    keys: row.keys,
    run: () => carryOutIfReady(row),
  }));
  const labels = [...review().querySelectorAll("[data-digit]")];
  return [...actions, ...labels.map(labelAction)];
});
