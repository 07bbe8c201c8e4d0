// The queue: where the last item of a list leads to, and its decision can be undone by key as on
// the review page. The keys for the next item, the previous one and the search move here, too.

import { isApple } from "./page.js";

const IN_THE_WAY = "dialog[open], [popover]:popover-open";
const TEXT_FIELD = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const undoButton = () => document.querySelector("[data-action=undo]");

function isUndoKey(event) {
  const modifier = isApple ? event.metaKey : event.ctrlKey;
  return event.key.toLowerCase() === "z" && modifier && !event.shiftKey && !event.altKey;
}

document.addEventListener("keydown", (event) => {
  if (!isUndoKey(event) || event.repeat || event.target.closest(TEXT_FIELD)) return;
  if (!undoButton() || document.querySelector(IN_THE_WAY)) return;
  event.preventDefault();
  undoButton().click();
});
// The person's single keys of the review page, [] if they have switched them off.
const KEY_TABLE = JSON.parse(document.getElementById("key-table").textContent);

function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length > 1) return "";
  const row = KEY_TABLE.find(({ keys }) => keys.includes(event.key.toLowerCase()));
  return row ? row.action : "";
}

function moveInList(by) {
  const links = [...document.querySelectorAll("#queue .row-link")];
  const here = links.indexOf(document.activeElement);
  const place = here < 0 && by < 0 ? links.length - 1 : here + by;
  const link = links[Math.min(Math.max(place, 0), links.length - 1)];
  if (!link) return;
  link.focus({ preventScroll: true });
  link.scrollIntoView({ block: "nearest" });
}

const ACTIONS = {
  item_next: () => moveInList(1),
  item_previous: () => moveInList(-1),
  search: () => document.getElementById("id_q").focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.getModifierState("AltGraph")) return;
  if (event.target.closest(TEXT_FIELD) || document.querySelector(IN_THE_WAY)) return;
  const action = ACTIONS[actionOf(event)];
  if (!action) return;
  event.preventDefault();
  action();
});
document.addEventListener("htmx:load", () => {
  // The filters, the search and the order may have been changed without a page load.
  const start = document.querySelector("[data-start]");
  const list = document.getElementById("queue");
  if (start && list) start.href = list.dataset.next;
  if (isApple && undoButton()) undoButton().querySelector("kbd").textContent = "⌘Z";
});
