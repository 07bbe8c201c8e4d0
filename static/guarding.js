// Forms that ask for it (`data-guards`): what was typed and not saved is not left behind without a question.
(() => {
  const QUESTION = "You have typed something that is not saved. Leave it?";
  const touched = new WeakSet();
  let leaving = false;
  const differs = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((one, at) => one.selected !== (one.defaultSelected || (at === 0 && !field.querySelector("[selected]"))));
    return field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
  };
  // A form that came back from the server with something typed in it (wrong, overtaken) says `yes` by itself.
  const typed = (form) => form.dataset.guards === "yes" || touched.has(form) || [...form.elements].some(differs);
  const open = () => [...document.querySelectorAll("form[data-guards]")].filter(typed);

  window.addEventListener("beforeunload", (event) => { if (!leaving && open().length) event.preventDefault(); });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-guards]") && !event.defaultPrevented) leaving = true;
  });
  window.addEventListener("pageshow", () => { leaving = false; });
  for (const name of ["htmx:afterRequest", "htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => { leaving = false; });

  // Rows that scripts move, add and remove, and tags that they make.
  document.addEventListener("guards:touched", (event) => { const form = event.target.closest("form[data-guards]"); if (form) touched.add(form); });

  // What htmx would put in a form's place.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const asked = event.detail.elt, into = event.detail.target;
    if (event.detail.requestConfig.verb !== "get" || !into || asked.matches("form[data-guards]")) return;
    if (!open().some((form) => into === form || into.contains(form))) return;
    if (!window.confirm(QUESTION)) event.preventDefault();
  });
})();
