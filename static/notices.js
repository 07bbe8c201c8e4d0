// Says what a request could not do, without touching what the person has typed; and speaks to the live region:
// a response with the header `HX-Trigger: {"say": "Saved. 12 left"}` is read out.
(() => {
  const box = document.getElementById("failure");
  const SIGNED_OUT = "You are signed out. Sign in again in another tab and come back: what you typed is still here.";
  const SENTENCES = {
    401: SIGNED_OUT,
    403: "You may not do that. If you have just signed in again, reload the page and try once more.",
    404: "That is not here any more. Reload the page to see what is.",
    429: "Too many requests at once. Wait a moment and try again; what you typed is still here.",
  };
  const sentence = (status) =>
    SENTENCES[status] ||
    (status >= 500
      ? "The server could not do that. Nothing was saved; what you typed is still here. Try again in a moment."
      : "That request was not accepted. Nothing was saved; what you typed is still here.");

  const fail = (text) => {
    box.querySelector("[data-text]").textContent = text;
    box.hidden = false;
  };
  const signIn = document.body.dataset.signIn;
  const isSignIn = (xhr) =>
    Boolean(signIn && xhr.responseURL) && new URL(xhr.responseURL).pathname === signIn && location.pathname !== signIn;

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isSignIn(event.detail.xhr)) return;
    event.detail.shouldSwap = false;
    fail(SIGNED_OUT);
  });
  document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
    if (isSignIn(event.detail.xhr)) event.preventDefault();
  });
  document.addEventListener("htmx:responseError", (event) => fail(sentence(event.detail.xhr.status)));
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () =>
      fail("The server cannot be reached. What you typed is still here; try again when you are back online."));
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && !isSignIn(event.detail.xhr)) box.hidden = true;
  });
  box.querySelector("[data-close]").addEventListener("click", () => { box.hidden = true; });

  document.addEventListener("say", (event) => {
    document.getElementById("live").textContent = event.detail.value;
  });
})();
