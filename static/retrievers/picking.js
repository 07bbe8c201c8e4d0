// Lists to pick from (retrievers, deliveries): pick all of a page, and say how many are picked.
(() => {
  const boxes = (form) => [...form.querySelectorAll("[name=pk]")];
  // What was picked on another page goes along, and is no part of all on this one.
  const here = (box) => !("elsewhere" in box.dataset);
  const tell = (form) => {
    const all = boxes(form).filter(here), picked = all.filter((box) => box.checked).length, said = form.querySelector("[data-picked]");
    if (!said) return;
    const away = boxes(form).filter((box) => !here(box) && box.checked).length, total = picked + away;
    said.textContent = total ? `${total} picked${away ? `, ${away} of them not on this page` : ""}` : said.dataset.picked;
    const every = form.querySelector("[data-pick-all]");
    every.checked = all.length > 0 && picked === all.length;
    every.indeterminate = picked > 0 && picked < all.length;
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest(".picking");
    if (!form) return;
    if (event.target.matches("[data-pick-all]")) for (const box of boxes(form).filter(here)) box.checked = event.target.checked;
    tell(form);
  });
  // Enter in a field of tags asks for the preview, though the first button of its form is that of the search.
  document.addEventListener("submit", (event) => {
    const field = document.activeElement, preview = document.querySelector("[data-preview]");
    if (!preview || event.target !== preview.form || event.submitter === preview || !field || !field.matches(".picking-bar [name=add], .picking-bar [name=remove]")) return;
    event.preventDefault();
    // A form that is being submitted cannot be submitted in another way.
    setTimeout(() => preview.click());
  });
  document.addEventListener("htmx:load", () => { for (const form of document.querySelectorAll(".picking")) tell(form); });
})();
