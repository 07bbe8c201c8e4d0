// How scripts ask the server: as JSON, for the person whose page this is, with the token that is valid now. A sign-in
// makes a new token; the cookie has it, the forms of a page that was rendered before have not.
(() => {
  const cookie = () => (/(?:^|; )csrftoken=([^;]+)/.exec(document.cookie) || [])[1] || "";
  const token = () => {
    const field = document.querySelector('input[name="csrfmiddlewaretoken"]');
    return cookie() || (field ? field.value : "");
  };

  // Who is signed in now; the answer brings a token along that is valid for that session.
  const who = async () => {
    const response = await fetch(document.body.dataset.who, { cache: "no-store", credentials: "same-origin" });
    return response.ok ? response.json() : {};
  };

  const ask = async (url, fields, { keepalive = false } = {}) => {
    const body = new URLSearchParams(fields);
    body.delete("csrfmiddlewaretoken");
    // A browser lets no more than 64 KiB go out of a page that is being closed.
    const last = keepalive && body.toString().length < 60000;
    const headers = { Accept: "application/json", "HX-Request": "true", "X-CSRFToken": token() };
    const response = await fetch(url, { method: "POST", body, headers, keepalive: last, credentials: "same-origin", cache: "no-store" });
    const text = await response.text();
    if (response.ok) document.dispatchEvent(new CustomEvent("reached"));
    let told = {};
    try { told = JSON.parse(text); } catch { /* a page that says why */ }
    return { status: response.status, told, text };
  };
  // A token that has grown old (`403_csrf.html` says so of itself) is renewed, once; without a session it is a 401.
  const isOld = ({ status, text }) => status === 403 && text.includes("data-grown-old");

  // Resolves with {status, told, text}: `told` is the JSON, {} where there is none. Rejects only when no answer came.
  const post = async (url, fields, options) => {
    const answer = await ask(url, fields, options);
    if (!isOld(answer)) return answer;
    const { person } = await who();
    return person && String(person) === document.body.dataset.person ? ask(url, fields, options) : { ...answer, status: 401 };
  };

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get" && cookie()) event.detail.headers["X-CSRFToken"] = cookie();
    const given = event.detail.parameters;
    if (cookie() && given && given.csrfmiddlewaretoken) given.csrfmiddlewaretoken = cookie();
  });

  window.reviewapp = { post, token, who, isOld };
})();
