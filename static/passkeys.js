// Ties the button for a passkey to allauth's scripts, and says what went wrong where the button is: they only tell the
// console.
(() => {
  const button = document.querySelector("[data-passkey]");
  const place = document.getElementById("passkey_error");
  if (!button || !place) return;

  window.allauth.webauthn.forms[button.dataset.passkey]({
    ids: {
      add: button.id,
      authenticate: button.id,
      login: button.id,
      credential: "passkey_credential",
      passwordless: "id_passwordless",
      data: "js_data",
    },
  });

  const sentences = {
    NotAllowedError: "Nothing came from your passkey: it was given up, took too long, or there is none for this site.",
    InvalidStateError: "This passkey is here already.",
  };
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    place.textContent = sentences[event.detail.exception.name] ?? "Your browser cannot use passkeys on this page.";
    place.hidden = false;
  });
})();
