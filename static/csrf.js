// Signing in again in another tab changes the token; a form that was open then must still be accepted, so every
// request takes the token of this moment from the cookie.
(() => {
  const FIELD = "csrfmiddlewaretoken";
  const token = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [])[1] || "";

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb === "get" || !token()) return;
    event.detail.headers["X-CSRFToken"] = token();
    if (event.detail.parameters[FIELD]) event.detail.parameters[FIELD] = token();
  });

  document.addEventListener("submit", (event) => {
    const field = event.target.elements && event.target.elements[FIELD];
    if (field && token()) field.value = token();
  }, true);
})();
