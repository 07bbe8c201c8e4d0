// The queue: where the last item of a list leads to, and its keys. The keys for the next item, the
// previous one, the search, the list of keys and undo are those of the review page.

import "./find_choice.js";
import { keyTable, offerActions, pressedRow, shiftedRow } from "./page.js";
import { ngettext, say } from "./server.js";

const IN_THE_WAY = "dialog[open], [popover]:popover-open";
const TEXT_FIELD = "input:not([type=checkbox]), textarea, select, [contenteditable]";

function rows() {
  return [...document.querySelectorAll("#queue .row-line")];
}

function focusedRow() {
  return document.activeElement.closest("#queue .row-line");
}

function boxOf(row) {
  return row.querySelector("[name=item]");
}

function moveInList(by) {
  const all = rows();
  const here = all.indexOf(focusedRow());
  const place = here < 0 && by < 0 ? all.length - 1 : here + by;
  const row = all[Math.min(Math.max(place, 0), all.length - 1)];
  if (!row) return;
  row.querySelector(".row-link").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// Rows to decide together (`_batch_bar.html`, which the style sheet shows while a row is selected).

const bar = document.getElementById("batch_bar");
const pickAll = bar?.querySelector("[data-pick-all]");
let lastBox = null;

function boxes() {
  return rows().map(boxOf);
}

function selectionSentence(number) {
  return ngettext("%(number)s row selected", "%(number)s rows selected", number);
}

function showSelection() {
  if (!bar) return;
  const all = boxes();
  const number = all.filter((box) => box.checked).length;
  bar.querySelector("[data-picked]").textContent = selectionSentence(number);
  pickAll.checked = number > 0 && number === all.length;
  pickAll.indeterminate = number > 0 && number < all.length;
}

function select(chosen, isSelected) {
  for (const box of chosen) box.checked = isSelected;
  showSelection();
  say(selectionSentence(boxes().filter((box) => box.checked).length));
}

function toggleRow() {
  if (!focusedRow()) moveInList(1);
  const row = focusedRow();
  if (!row) return;
  lastBox = boxOf(row);
  select([lastBox], !lastBox.checked);
}

function extendSelection(by) {
  const from = focusedRow();
  moveInList(by);
  const to = focusedRow();
  if (to) select([from || to, to].map(boxOf), true);
}

function clearSelection() {
  lastBox = null;
  select(boxes(), false);
}

// With Shift, all rows from the one that was clicked before.
function selectRange(box) {
  const all = boxes();
  const [first, last] = [all.indexOf(lastBox), all.indexOf(box)].sort((one, other) => one - other);
  select(all.slice(first, last + 1), box.checked);
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches("#queue [name=item]")) return;
  if (event.shiftKey && boxes().includes(lastBox)) selectRange(box);
  lastBox = box;
});
document.addEventListener("change", ({ target }) => {
  if (target.matches("#queue [name=item]")) showSelection();
});
if (bar) {
  pickAll.addEventListener("change", () => select(boxes(), pickAll.checked));
  bar.querySelector("[data-clears-selection]").addEventListener("click", () => {
    moveInList(0);
    clearSelection();
  });
}

function press(action) {
  const button = document.querySelector(`[data-action=${action}]`);
  if (button) button.click();
}

// Enter opens a row by itself: its link has the focus.
const ACTIONS = {
  item_next: () => moveInList(1),
  item_previous: () => moveInList(-1),
  select: toggleRow,
  select_next: () => extendSelection(1),
  select_previous: () => extendSelection(-1),
  clear_selection: clearSelection,
  search: () => document.getElementById("id_q").focus(),
  sheet: () => press("sheet"),
  undo: () => press("undo"),
};

function isHeld(event, row) {
  return event.repeat && !/^(item|select_)/.test(row.action);
}

function canDo(action) {
  if (action === "undo") return document.querySelector("[data-action=undo]") !== null;
  if (action === "clear_selection") return boxes().some((box) => box.checked);
  if (action.startsWith("select") && !bar) return false;
  return Boolean(ACTIONS[action]);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.getModifierState("AltGraph")) return;
  if (event.target.closest(TEXT_FIELD) || document.querySelector(IN_THE_WAY)) return;
  const row = pressedRow(event) || shiftedRow(event);
  if (!row || !canDo(row.action) || isHeld(event, row)) return;
  event.preventDefault();
  ACTIONS[row.action]();
});
offerActions(() => {
  const offered = keyTable.filter(({ action }) => canDo(action));
  return offered.map(({ action, sentence, keys }) => ({ title: sentence, keys, run: ACTIONS[action] }));
});
document.addEventListener("htmx:load", () => {
  // The filters, the search and the order may have been changed without a page load.
  const start = document.querySelector("[data-start]");
  const list = document.getElementById("queue");
  if (start && list) start.href = list.dataset.next;
  showSelection();
});
