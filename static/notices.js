// Says what a request could not do, without touching what the person has typed; and speaks to the live region:
// a response with the header `HX-Trigger: {"say": "Saved. 12 left"}` is read out. Other scripts say something by
// `document.dispatchEvent(new CustomEvent("notice", { detail: "..." }))`.
(() => {
  const box = document.getElementById("failure");
  const SENTENCES = {
    403: "You may not do that. Nothing was saved; what you typed is still here.",
    404: "That is not here any more. Reload the page to see what is.",
    413: "That is more than the server accepts. Nothing was saved; what you typed is still here.",
    429: "Too many requests at once. Wait a moment and try again; what you typed is still here.",
  };
  const AWAY_STATUS = [502, 503, 504];
  const AWAY = "The server cannot be reached. What you typed is still here; try again when you are back online.";
  const sentence = (status) =>
    SENTENCES[status] ||
    (AWAY_STATUS.includes(status) ? AWAY : null) ||
    (status >= 500
      ? "The server could not do that. What you typed is still here; try again in a moment."
      : "That request was not accepted. Nothing was saved; what you typed is still here.");

  const show = (text) => {
    box.querySelector("[data-text]").textContent = text;
    box.hidden = false;
  };

  document.addEventListener("notice", (event) => show(event.detail));
  document.addEventListener("notice:clear", () => { box.hidden = true; });
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if (status >= 400 && status !== 401) show(sentence(status));
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => show(AWAY));
  }
  // What a page asks for by itself answers nothing that a person did.
  const byItself = (element) => /^(every|load) /.test(element.getAttribute("hx-trigger") || "");
  document.addEventListener("htmx:afterSwap", (event) => {
    const { elt } = event.detail.requestConfig || event.detail;
    if (!elt || !byItself(elt)) box.hidden = true;
  });
  const reached = () => { if (box.querySelector("[data-text]").textContent === AWAY) box.hidden = true; };
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) reached(); });
  document.addEventListener("reached", reached);
  window.addEventListener("online", reached);
  box.querySelector("[data-close]").addEventListener("click", () => { box.hidden = true; });

  document.addEventListener("say", (event) => {
    document.getElementById("live").textContent = event.detail.value;
  });
})();
