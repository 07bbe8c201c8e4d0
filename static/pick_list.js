// Lists to pick from (retrievers, deliveries): pick all of a page, and say how many are picked.

import "./find_choice.js";
import "./page.js";
import { gettext } from "./server.js";

const TAG_FIELDS = ".picking-bar [name=add], .picking-bar [name=remove]";

// What was picked on another page goes along, and is no part of all on this one. Where no more can
// be picked, only what is picked already can change.
function isOnPage(box) {
  return !("elsewhere" in box.dataset) && !box.disabled;
}

function boxesOnPage(form) {
  return [...form.querySelectorAll("[name=pk]")].filter(isOnPage);
}

function countSentence(onPage, elsewhere) {
  const total = onPage + elsewhere;
  return elsewhere
    ? gettext("%(total)s selected, %(elsewhere)s of them on other pages", { total, elsewhere })
    : gettext("%(total)s selected", { total });
}

function showCount(form) {
  const place = form.querySelector("[data-picked]");
  if (!place) return;
  const boxes = boxesOnPage(form);
  const picked = boxes.filter((box) => box.checked).length;
  const elsewhere = form.querySelectorAll("[name=pk][data-elsewhere]:checked").length;
  place.textContent = picked + elsewhere ? countSentence(picked, elsewhere) : place.dataset.picked;
  const pickAll = form.querySelector("[data-pick-all]");
  pickAll.checked = boxes.length > 0 && picked === boxes.length;
  pickAll.indeterminate = picked > 0 && picked < boxes.length;
}

document.addEventListener("change", (event) => {
  const form = event.target.closest(".picking");
  if (!form) return;
  if (event.target.matches("[data-pick-all]")) {
    for (const box of boxesOnPage(form)) box.checked = event.target.checked;
  }
  showCount(form);
});
// Enter in a field of tags asks for the preview, though the first button of its form is that of the
// search.
document.addEventListener("submit", (event) => {
  const preview = document.querySelector("[data-preview]");
  if (!preview || event.target !== preview.form || event.submitter === preview) return;
  const field = document.activeElement;
  if (!field || !field.matches(TAG_FIELDS)) return;
  event.preventDefault();
  // A form that is being submitted cannot be submitted in another way. Meanwhile the list, and the
  // button with it, may have been replaced.
  window.setTimeout(() => document.querySelector("[data-preview]")?.click());
});
document.addEventListener("htmx:load", () => {
  for (const form of document.querySelectorAll(".picking")) showCount(form);
});
