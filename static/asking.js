// How scripts ask the server: as JSON, for the person whose page this is, with the token that is valid now. A sign-in
// makes a new token; the cookie has it, the forms of a page that was rendered before have not.
(() => {
  const cookie = () => (/(?:^|; )csrftoken=([^;]+)/.exec(document.cookie) || [])[1] || "";
  const token = () => {
    const field = document.querySelector('input[name="csrfmiddlewaretoken"]');
    return cookie() || (field ? field.value : "");
  };

  // Resolves with {status, told}: `told` is the JSON, {} where there is none. Rejects only when no answer came.
  const post = async (url, fields, { keepalive = false } = {}) => {
    const body = new URLSearchParams(fields);
    body.delete("csrfmiddlewaretoken");
    // A browser lets no more than 64 KiB go out of a page that is being closed.
    const last = keepalive && body.toString().length < 60000;
    const headers = { Accept: "application/json", "HX-Request": "true", "X-CSRFToken": token() };
    const response = await fetch(url, { method: "POST", body, headers, keepalive: last, credentials: "same-origin", cache: "no-store" });
    const text = await response.text();
    let told = {};
    try { told = JSON.parse(text); } catch { /* a page that says why */ }
    return { status: response.status, told, text };
  };

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get" && cookie()) event.detail.headers["X-CSRFToken"] = cookie();
    const given = event.detail.parameters;
    if (cookie() && given && given.csrfmiddlewaretoken) given.csrfmiddlewaretoken = cookie();
  });

  window.reviewapp = { post, token };
})();
