// While somebody judges an item, the pictures of the one that is probably next come into the browser, so that they are
// there when it opens. Only pictures: the item itself is given and shown as it is when it is asked for.
(() => {
  // Whoever leaves at once, or just looks through the list, needs no more of it.
  const SETTLED = 1000;
  let timer = 0, kept = [];

  const review = () => document.getElementById("review");
  const saves = () => Boolean(navigator.connection && navigator.connection.saveData);
  const look = async () => {
    const address = review() && review().dataset.ahead;
    if (!address || document.hidden || saves()) return;
    const response = await fetch(address, { headers: { Accept: "application/json", "HX-Request": "true" }, credentials: "same-origin", cache: "no-store" });
    if (!response.ok) return;
    const { pictures } = await response.json();
    // A picture that the page holds is not asked for again, whatever its headers say.
    kept = pictures.map((src) => Object.assign(new Image(), { src }));
    if (review()) review().dataset.looked = String(kept.length);
  };

  document.addEventListener("htmx:load", (event) => {
    if (!review() || (event.target.id !== "review" && event.target !== document.body)) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => look().catch(() => {}), SETTLED);
  });
})();
