// The filters of the history and of decisions. From and Until are in the reader's zone, as the times
// below are; the address keeps UTC, so that a link means the same instants to everybody. Without
// this module both are UTC, and say so.

import "./find_choice.js";
import "./page.js";

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

// What the browser's field takes: the instant on the reader's clock, with seconds only where there
// are any.
function localText(at) {
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60000);
  const text = local.toISOString().slice(0, 19);
  return text.endsWith(":00") ? text.slice(0, 16) : text;
}

function utcText(at) {
  return at.toISOString().slice(0, 19);
}

function isValid(at) {
  return !Number.isNaN(at.getTime());
}

function parseUtc(text) {
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  return new Date(hasZone ? text : `${text}Z`);
}

function showInZone(field) {
  const sent = document.createElement("input");
  sent.type = "hidden";
  sent.name = field.name;
  sent.value = field.dataset.utc;
  field.removeAttribute("name");
  field.after(sent);
  const at = parseUtc(field.dataset.utc);
  field.value = isValid(at) ? localText(at) : "";
  for (const name of ["input", "change"]) {
    field.addEventListener(name, () => {
      const typed = new Date(field.value);
      sent.value = isValid(typed) ? utcText(typed) : "";
    });
  }
}

const fields = document.querySelectorAll("input[type=datetime-local][data-utc]");
for (const field of fields) showInZone(field);
for (const place of document.querySelectorAll("[data-zone]")) place.textContent = `(${zone})`;
for (const field of document.querySelectorAll("[data-zone-name]")) field.value = zone;

// The names of the boxes that are checked, as the closed list shows them.
function showChosen(list) {
  const checked = list.querySelectorAll("input:checked");
  const names = [...checked].map((box) => box.closest("label").textContent.trim());
  list.querySelector("summary").textContent = names.join(", ") || list.dataset.choices;
}

for (const list of document.querySelectorAll("[data-choices]")) {
  list.addEventListener("change", () => showChosen(list));
}
