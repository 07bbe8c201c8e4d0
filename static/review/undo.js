// Undo: counts down the seconds for which the last decision can still be taken back. The server decides, and says so anew
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

  // The review page has all its keys in keys.js; the queue, where the last item of a list leads to, has this one.
  if (document.getElementById("review")) return;
  const apple = /Mac|iPhone|iPad|iPod/.test(navigator.platform);
  const button = () => document.querySelector("[data-action=undo]");
  document.addEventListener("keydown", (event) => {
    const undoes = event.key.toLowerCase() === "z" && (apple ? event.metaKey : event.ctrlKey) && !event.shiftKey && !event.altKey;
    const busy = event.repeat || event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (!undoes || busy || !button() || document.querySelector("dialog[open], [popover]:popover-open")) return;
    event.preventDefault();
    button().click();
  });
  document.addEventListener("htmx:load", () => {
    if (apple && button()) button().querySelector("kbd").textContent = "⌘Z";
  });
})();
