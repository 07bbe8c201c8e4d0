// The label editor: its buttons move, remove and add rows at once, where without this module the
// server does it.

import { touchForm } from "./page.js";
import { gettext } from "./server.js";

const list = () => document.querySelector("[data-rows-list]");
const rows = () => [...list().children];

function showHue(row) {
  const cell = row.querySelector("[data-hue]");
  cell.className = `label-cell hue-${row.querySelector("select").value}`;
}

function isEmpty(row) {
  return [...row.querySelectorAll("input")].every((field) => !field.value.trim());
}

function blankRow() {
  const row = list().querySelector("[data-row]").cloneNode(true);
  for (const field of row.querySelectorAll("input")) field.value = "";
  for (const field of row.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  row.querySelector("select").selectedIndex = 0;
  const error = row.querySelector(".field-error");
  if (error) error.remove();
  showHue(row);
  return row;
}

const BUTTON_NAMES = {
  up: (values) => gettext("Move label %(number)s up", values),
  down: (values) => gettext("Move label %(number)s down", values),
  remove: (values) => gettext("Remove label %(number)s", values),
};

function numberRows() {
  rows().forEach((row, index) => {
    for (const button of row.querySelectorAll("[data-move]")) {
      const { move } = button.dataset;
      button.value = `${move}:${index}`;
      button.setAttribute("aria-label", BUTTON_NAMES[move]({ number: index + 1 }));
    }
  });
}

const MOVES = {
  up(row) {
    const before = row.previousElementSibling;
    if (before) before.before(row);
  },
  down(row) {
    const after = row.nextElementSibling;
    if (after) after.after(row);
  },
  remove(row) {
    if (rows().length === 1) list().append(blankRow());
    row.remove();
  },
  add() {
    const row = rows().find(isEmpty) || blankRow();
    if (!row.isConnected) list().append(row);
    row.querySelector("input").focus();
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  if (!button) return;
  event.preventDefault();
  const { move } = button.dataset;
  MOVES[move](button.closest("[data-row]"));
  numberRows();
  touchForm(list());
  if (button.isConnected && move !== "add") button.focus();
});
document.addEventListener("change", (event) => {
  if (event.target.name === "colour") showHue(event.target.closest("[data-row]"));
});
