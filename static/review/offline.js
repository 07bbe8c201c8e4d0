// A submit that met no network waits in this browser. The page says so, and what was submitted cannot be changed under
// way: it is sent by itself and the next item opens, or it is taken back into the form.
(() => {
  const { waiting } = window.reviewapp;
  const AWAY = [502, 503, 504];
  const review = () => document.getElementById("review");
  const place = () => document.getElementById("waits");
  const forms = () => review().querySelectorAll("#decision, [data-waits]");
  const say = (value) => document.dispatchEvent(new CustomEvent("say", { detail: { value } }));

  let shown = null;

  const shut = (entry) => {
    shown = entry;
    for (const form of forms()) form.inert = Boolean(entry);
    place().hidden = !entry;
    if (!entry) return window.reviewapp.keeping.resume();
    place().querySelector("[data-take-back]").onclick = () => {
      waiting.remove(entry);
      shut(null);
      review().querySelector("[data-action=submit]").focus();
    };
  };
  const mine = () => waiting.about(review().dataset.item).find((one) => one.state === "waiting");

  const queue = (event) => {
    const { elt, requestConfig, xhr } = event.detail;
    if (event.type === "htmx:responseError" && !AWAY.includes(xhr.status)) return;
    if (!review() || !elt.matches("#decision, [data-waits]") || requestConfig.path !== elt.getAttribute("hx-post")) return;
    const body = [...requestConfig.formData.entries()].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken");
    const id = (body.find(([name]) => name === "decision_id") || [])[1] || `${Date.now()}`;
    const entry = {
      id, item: review().dataset.item, title: review().dataset.title, kind: elt.dataset.waits || "decide", state: "waiting",
      url: requestConfig.path, page: review().dataset.address, at: Date.now(), body,
    };
    if (!waiting.add(entry)) return;
    document.dispatchEvent(new CustomEvent("notice:clear"));
    shut(mine());
    say("Not saved yet: it waits in this browser for the network.");
    place().querySelector("[data-take-back]").focus();
    document.dispatchEvent(new CustomEvent("waiting:added"));
  };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) document.addEventListener(name, queue);

  document.addEventListener("htmx:load", (event) => {
    if (!review() || (event.target.id !== "review" && event.target !== document.body)) return;
    shut(mine() || null);
  });
  document.addEventListener("waiting:sent", (event) => {
    if (!review() || !shown || event.detail.id !== shown.id) return;
    const next = review().querySelector("[data-action=item_next]").getAttribute("hx-get");
    window.htmx.ajax("GET", next, { target: "#review", swap: "outerHTML show:window:top" });
  });
  for (const name of ["waiting:asks", "waiting:back"]) {
    document.addEventListener(name, (event) => {
      if (!review() || event.detail.item !== review().dataset.item) return;
      shut(null);
      if (name === "waiting:asks") window.htmx.ajax("GET", event.detail.page, { target: "#review", swap: "outerHTML" });
    });
  }
  // Another tab has sent it, or somebody took it back there: the server knows what has become of the item.
  window.addEventListener("storage", () => {
    if (!review() || !shown || mine()) return;
    shown = null;
    window.htmx.ajax("GET", review().dataset.address, { target: "#review", swap: "outerHTML" });
  });
  // Decided anew, or discarded: nothing of this item asks for anybody any more.
  document.addEventListener("draft:ended", (event) => {
    for (const entry of waiting.about(event.detail)) if (entry.state !== "waiting") waiting.remove(entry);
  });
})();
