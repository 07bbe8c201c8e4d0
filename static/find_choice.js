// Fields to find what a list is too long to offer: the server completes the name (`completed` in
// `macros.html`), and what is picked or typed to its end is chosen in the list beside the field.

import { gettext, say } from "./server.js";

// The last text of a field that the offered names answer, and the field that was left before.
const answered = new WeakMap();
let waiting = null;

function chooseInSelect(select, title, key) {
  const isOffered = [...select.options].some((option) => option.value === key);
  if (!isOffered) select.add(new Option(title, key));
  select.value = key;
  return select;
}

function chooseInBoxes(list, title, key) {
  const boxes = [...list.querySelectorAll("[type=checkbox]")];
  let box = boxes.find((one) => one.value === key);
  if (!box) {
    const line = boxes.at(-1).closest("label").cloneNode(true);
    line.querySelector("span").textContent = title;
    box = line.querySelector("input");
    box.value = key;
    boxes.at(-1).closest("label").after(line);
  }
  box.checked = true;
  return box;
}

function offeredName(field) {
  return [...field.list.options].find((option) => option.value === field.value);
}

function choose(field, { value, dataset }) {
  const list = document.getElementById(field.dataset.chooses);
  const chooseIn = list.matches("select") ? chooseInSelect : chooseInBoxes;
  const chosen = chooseIn(list, value, dataset.key);
  field.value = "";
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
  say(gettext("%(name)s is chosen.", { name: value }));
}

function chooseTyped(field) {
  const name = offeredName(field);
  field.setAttribute("aria-invalid", String(!name));
  if (name) choose(field, name);
  else say(gettext("Choose one of the names that are offered."));
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-chooses]")) return;
  target.removeAttribute("aria-invalid");
  waiting = null;
});
// The lists that it is about, and the form, hear of the choice only.
document.addEventListener(
  "change",
  (event) => {
    const field = event.target;
    if (!field.matches("[data-chooses]")) return;
    event.stopPropagation();
    if (!field.value) return;
    if (offeredName(field) || answered.get(field) === field.value) chooseTyped(field);
    else waiting = field;
  },
  true,
);
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (!target.matches("[data-chooses]") || !detail.successful) return;
  answered.set(target, detail.requestConfig.parameters.q);
  if (waiting !== target || target.value !== answered.get(target)) return;
  waiting = null;
  chooseTyped(target);
});
