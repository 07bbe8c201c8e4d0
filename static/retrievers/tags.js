// The tag field: Enter, a comma, or picking from the list makes a tag of its own of what was typed. Without this file
// the field takes several, with commas.
(() => {
  const chip = (tag) => {
    const label = document.createElement("label"), field = document.createElement("input");
    label.className = "tag-edit tag-edit-new";
    field.className = "form-control form-control-sm";
    Object.assign(field, { name: "add_exactly", value: tag, size: Math.min(Math.max(tag.length, 4), 60) });
    field.setAttribute("aria-label", "Tag to add; empty it to leave it out");
    label.append("+ ", field);
    return label;
  };
  const take = (field) => {
    const into = field.closest("[data-tags]").querySelector("[data-tags-new]");
    for (const tag of field.value.split(/[,\n]+/).map((part) => part.trim()).filter(Boolean)) into.append(chip(tag));
    field.value = "";
    field.dispatchEvent(new CustomEvent("guards:touched", { bubbles: true }));
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "edit_add" || event.isComposing) return;
    if ((event.key === "Enter" || event.key === ",") && event.target.value.trim()) {
      event.preventDefault();
      take(event.target);
    }
  });
  // A tag picked from the list arrives as one input event that is no typing.
  document.addEventListener("input", (event) => {
    const picked = event.target.id === "edit_add" && (!event.inputType || event.inputType === "insertReplacementText");
    if (picked && event.target.value.trim()) take(event.target);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "details") return;
    const wrong = document.querySelector("#details [aria-invalid=true]") || document.querySelector("#details .stale-field");
    const first = (wrong && wrong.matches("fieldset") ? wrong.querySelector("[type=radio]") : wrong) || document.getElementById("edit_name");
    if (first) first.focus();
  });
})();
