// From item to item: where the focus goes, how long an item was looked at, and what keeps typed text from being lost.
(() => {
  // The second click of a double click must not fall on the next item's button.
  const SETTLED_AFTER = 400;
  const QUESTION = "You have typed something that could not be kept as a draft. Leave it?";
  let shownAt = 0, spent = 0, since = performance.now(), leaving = false, item = null;

  const review = () => document.getElementById("review");
  const form = () => document.getElementById("decision");
  const typed = () => {
    // What is kept as a draft is there again when its writer comes back.
    if (!form() || window.reviewapp.keeping.kept()) return false;
    if (form().dataset.typed === "yes") return true;
    const fields = ["label", ...form().dataset.fields.split(" ")].map((name) => form().querySelector(`#${name}`));
    return fields.some((field) => field && field.value !== field.defaultValue);
  };
  const count = () => {
    if (since !== null) spent += performance.now() - since;
    since = document.hidden ? null : performance.now();
  };

  const arrive = (fresh) => {
    document.title = `${review().dataset.title} · reviewapp`;
    if (item !== review().dataset.item) { item = review().dataset.item; spent = 0; since = document.hidden ? null : performance.now(); }
    leaving = false;
    shownAt = fresh ? performance.now() : 0;
    window.setTimeout(() => { if (review()) review().dataset.ready = "yes"; }, fresh ? SETTLED_AFTER : 0);
    const wrong = review().querySelector("#stale [aria-invalid=true] input") || review().querySelector("#stale input, [aria-invalid=true]");
    const target = wrong || ["[name=choice]:checked", "[name=choice]", "#label"].map((one) => review().querySelector(one)).find(Boolean);
    if (target) target.focus({ preventScroll: !wrong });
  };
  document.addEventListener("htmx:load", (event) => {
    if (event.target.id === "review") arrive(true);
    else if (event.target === document.body && review()) arrive(false);
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.closest("#review, #bar")) return;
    if (performance.now() - shownAt < SETTLED_AFTER && shownAt) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (event.target !== form()) return;
    count();
    form().querySelector("[data-seconds]").value = (spent / 1000).toFixed(1);
    leaving = true;
  }, true);
  document.addEventListener("visibilitychange", count);

  document.addEventListener("click", (event) => {
    const away = event.target.closest("[data-leaves]");
    if (away && form()) window.reviewapp.keeping.leaving();
    if (!away || !typed()) return;
    if (window.confirm(QUESTION)) { leaving = true; return; }
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  window.addEventListener("beforeunload", (event) => { if (!leaving && typed()) event.preventDefault(); });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => { leaving = false; });
})();
