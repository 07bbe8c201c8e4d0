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
  const sentence = (status) =>
    SENTENCES[status] ||
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
    document.addEventListener(name, () =>
      show("The server cannot be reached. What you typed is still here; try again when you are back online."));
  }
  document.addEventListener("htmx:afterSwap", () => { box.hidden = true; });
  box.querySelector("[data-close]").addEventListener("click", () => { box.hidden = true; });

  document.addEventListener("say", (event) => {
    document.getElementById("live").textContent = event.detail.value;
  });
})();
