// The queue: where the last item of a list leads to, and its decision can be undone by key as on
// the review page.

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
document.addEventListener("htmx:load", () => {
  // The filters, the search and the order may have been changed without a page load.
  const start = document.querySelector("[data-start]");
  const list = document.getElementById("queue");
  if (start && list) start.href = list.dataset.next;
  if (isApple && undoButton()) undoButton().querySelector("kbd").textContent = "⌘Z";
});
