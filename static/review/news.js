// An item that changes while somebody has it open: what is gone cannot be decided; and when the news were brought into
// the form, the focus goes to what must be answered there.
(() => {
  const review = () => document.getElementById("review");
  const shut = () => {
    for (const button of review().querySelectorAll("[data-action=submit], [data-action=cannot_tell]")) button.disabled = true;
  };
  document.addEventListener("htmx:load", (event) => {
    if (!review()) return;
    if (review().querySelector("#news[data-gone]")) shut();
    if (event.target.id !== "decision") return;
    const target = event.target.querySelector("#stale input, [aria-invalid=true]:not(fieldset), [name=choice]:checked, #label, [name=choice]");
    if (target) target.focus();
  });
})();
