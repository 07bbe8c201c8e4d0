// A session that ended while somebody was typing: nothing is swapped, nothing is lost, and once they have signed in
// again (in another tab) the forms of this page are given a token that is valid now.
(() => {
  const SIGNED_OUT = "You are signed out. Sign in again in another tab and come back: what you typed is still here.";
  const BACK = "You are signed in again. What you typed is still here: send it once more.";
  const signIn = document.body.dataset.signIn;
  let out = false;

  const notice = (text) => document.dispatchEvent(new CustomEvent("notice", { detail: text }));
  const leadsToSignIn = (url) =>
    Boolean(signIn && url) && new URL(url, location.href).pathname === signIn && location.pathname !== signIn;
  const fields = (root) => root.querySelectorAll('input[name="csrfmiddlewaretoken"]');

  const renew = async () => {
    const response = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (leadsToSignIn(response.url)) return signedOut();
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const [fresh] = fields(page);
    if (!fresh) return;
    for (const field of fields(document)) field.value = fresh.value;
    out = false;
    notice(BACK);
  };

  const signedOut = () => {
    out = true;
    notice(SIGNED_OUT);
  };

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!leadsToSignIn(event.detail.xhr.responseURL)) return;
    event.detail.shouldSwap = false;
    event.detail.isError = true;
    signedOut();
  });
  document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
    if (leadsToSignIn(event.detail.xhr.responseURL)) event.preventDefault();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (xhr.status === 401) signedOut();
    // 403_csrf.html says so of itself: the person signed in again, which made a new token.
    if (xhr.status === 403 && xhr.responseText.includes("data-grown-old")) renew().catch(() => {});
  });
  document.addEventListener("visibilitychange", () => {
    if (out && document.visibilityState === "visible") renew().catch(() => {});
  });
})();
