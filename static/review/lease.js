// How long the item is still this person's, said in time to extend it.
(() => {
  const SOON = 120, TICK = 10000;
  let warned = "";
  const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: { value: text } }));
  const show = () => {
    const place = document.querySelector("#lease [data-until]");
    if (!place) return;
    const until = place.dataset.until, left = (new Date(until) - Date.now()) / 1000;
    place.title = `until ${new Date(until).toLocaleTimeString()}`;
    place.textContent = left <= 0 ? "Your hold has ended" : left < 60 ? "Yours for less than a minute" : `Yours for ${Math.ceil(left / 60)} min`;
    document.getElementById("lease").classList.toggle("is-ending", left < SOON);
    if (left < SOON && warned !== until) {
      warned = until;
      say("Your hold on this item ends in two minutes. Extend it to keep it; what you typed stays either way.");
    }
  };
  document.addEventListener("htmx:load", show);
  window.setInterval(show, TICK);
})();
