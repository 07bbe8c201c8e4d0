// The tag field of a retriever: Enter, a comma, or picking from the list makes a tag of its own of
// what was typed. Without this module the field takes several, with commas.

import { touchForm } from "./page.js";
import { gettext } from "./server.js";

function tagField(tag) {
  const field = document.createElement("input");
  field.className = "input input-small";
  field.name = "add_exactly";
  field.value = tag;
  field.size = Math.min(Math.max(tag.length, 4), 60);
  field.setAttribute("aria-label", gettext("Tag to add; clear it to leave it out"));
  const label = document.createElement("label");
  label.className = "tag-edit tag-edit-new";
  label.append("+ ", field);
  return label;
}

// A tag in quotes, in which two quotes stand for one, or text up to a comma.
const TAG = /\s*"((?:[^"]|"")*)"\s*(?=[,\n]|$)|[^,\n]+/g;

function hasOpenQuote(text) {
  return text.trimStart().startsWith('"') && text.split('"').length % 2 === 0;
}

function takeTags(field) {
  const place = field.closest("[data-tags]").querySelector("[data-tags-new]");
  const tags = [...field.value.matchAll(TAG)].map(([text, quoted]) =>
    quoted === undefined ? text.trim() : quoted.replaceAll('""', '"'),
  );
  place.append(...tags.filter(Boolean).map(tagField));
  field.value = "";
  touchForm(field);
}

function isTagField(element) {
  return element.id === "edit_add";
}

document.addEventListener("keydown", (event) => {
  if (!isTagField(event.target) || event.isComposing) return;
  const ends = event.key === "Enter" || event.key === ",";
  if (!ends || !event.target.value.trim()) return;
  if (event.key === "," && hasOpenQuote(event.target.value)) return;
  event.preventDefault();
  takeTags(event.target);
});
// A tag picked from the list arrives as one input event that is no typing.
document.addEventListener("input", (event) => {
  if (!isTagField(event.target) || !event.target.value.trim()) return;
  const isPicked = !event.inputType || event.inputType === "insertReplacementText";
  if (isPicked) takeTags(event.target);
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "details") return;
  const details = document.getElementById("details");
  const invalid = details.querySelector("[aria-invalid=true]");
  const question = details.querySelector(".conflict-field");
  let field = invalid || question;
  if (field && field.matches("fieldset")) field = field.querySelector("[type=radio]");
  const target = field || document.getElementById("edit_name");
  if (target) target.focus();
});
