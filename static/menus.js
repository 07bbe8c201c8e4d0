// A <details class="menu"> closes like a menu: on Escape, and when the attention goes elsewhere.
(() => {
  const open = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("focusin", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();

// The bar of pages, where it is wider than the screen: the page one is on is in sight, and an edge that fades says that
// there is more.
(() => {
  const bar = document.querySelector(".top-nav");
  if (!bar) return;
  const here = bar.querySelector("[aria-current]");
  if (here) bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
  const hint = () => {
    const left = bar.scrollWidth - bar.clientWidth - bar.scrollLeft;
    const more = [bar.scrollLeft > 1 && "before", left > 1 && "after"].filter(Boolean).join(" ");
    if (more) bar.dataset.more = more; else delete bar.dataset.more;
  };
  bar.addEventListener("scroll", hint, { passive: true });
  new ResizeObserver(hint).observe(bar);
})();
