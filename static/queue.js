// The queue: where the last item of a list leads to, and its keys. The keys for the next item, the
// previous one, the search, the list of keys and undo are those of the review page.

import "./find_choice.js";
import { keyTable, offerActions, pressedRow } from "./page.js";

const IN_THE_WAY = "dialog[open], [popover]:popover-open";
const TEXT_FIELD = "input:not([type=checkbox]), textarea, select, [contenteditable]";

function moveInList(by) {
  const links = [...document.querySelectorAll("#queue .row-link")];
  const here = links.indexOf(document.activeElement);
  const place = here < 0 && by < 0 ? links.length - 1 : here + by;
  const link = links[Math.min(Math.max(place, 0), links.length - 1)];
  if (!link) return;
  link.focus({ preventScroll: true });
  link.scrollIntoView({ block: "nearest" });
}

function press(action) {
  const button = document.querySelector(`[data-action=${action}]`);
  if (button) button.click();
}

// Enter opens a row by itself: its link has the focus.
const ACTIONS = {
  item_next: () => moveInList(1),
  item_previous: () => moveInList(-1),
  search: () => document.getElementById("id_q").focus(),
  sheet: () => press("sheet"),
  undo: () => press("undo"),
};

function isHeld(event, row) {
  return event.repeat && !row.action.startsWith("item");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.getModifierState("AltGraph")) return;
  if (event.target.closest(TEXT_FIELD) || document.querySelector(IN_THE_WAY)) return;
  const row = pressedRow(event);
  if (!row || !ACTIONS[row.action] || isHeld(event, row)) return;
  event.preventDefault();
  ACTIONS[row.action]();
});
offerActions(() => {
  const rows = keyTable.filter(({ action }) => {
    if (action === "undo") return document.querySelector("[data-action=undo]") !== null;
    return Boolean(ACTIONS[action]);
  });
  return rows.map(({ action, sentence, keys }) => ({ title: sentence, keys, run: ACTIONS[action] }));
});
document.addEventListener("htmx:load", () => {
  // The filters, the search and the order may have been changed without a page load.
  const start = document.querySelector("[data-start]");
  const list = document.getElementById("queue");
  if (start && list) start.href = list.dataset.next;
});
