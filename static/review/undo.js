// Counts down the seconds for which the last decision can still be taken back. The server decides, and says so anew
// when they are over (`_undo.html`); here they are only shown.
(() => {
  let ends = 0;
  const shown = () => document.querySelector("[data-seconds-left]");
  const show = () => {
    const left = shown();
    if (left) left.textContent = String(Math.max(1, Math.ceil((ends - performance.now()) / 1000)));
  };
  document.addEventListener("htmx:load", () => {
    const left = shown();
    if (!left || left.dataset.counting) return;
    left.dataset.counting = "yes";
    ends = performance.now() + Number(left.dataset.secondsLeft) * 1000;
  });
  window.setInterval(show, 250);
})();
