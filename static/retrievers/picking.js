// Lists to pick from (retrievers, deliveries): pick all of a page, and say how many are picked.
(() => {
  const boxes = (form) => [...form.querySelectorAll("[name=pk]")];
  const tell = (form) => {
    const all = boxes(form), picked = all.filter((box) => box.checked).length, said = form.querySelector("[data-picked]");
    if (!said) return;
    said.textContent = picked ? `${picked} picked` : said.dataset.picked;
    const every = form.querySelector("[data-pick-all]");
    every.checked = picked === all.length;
    every.indeterminate = picked > 0 && picked < all.length;
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest(".picking");
    if (!form) return;
    if (event.target.matches("[data-pick-all]")) for (const box of boxes(form)) box.checked = event.target.checked;
    tell(form);
  });
  document.addEventListener("htmx:load", () => { for (const form of document.querySelectorAll(".picking")) tell(form); });
})();
