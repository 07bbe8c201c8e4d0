// Pages with a button for a passkey: ties it to allauth's scripts, and says what went wrong where
// the button is, because they only tell the console.

import "./page.js";
import { gettext } from "./server.js";

const SENTENCES = {
  NotAllowedError: gettext(
    "No answer from a passkey: it was cancelled, took too long, or this site has none. Try again.",
  ),
  InvalidStateError: gettext("You have already added this passkey."),
};
const UNUSABLE = gettext("Your browser cannot use passkeys on this page.");

const button = document.querySelector("[data-passkey]");
const error = document.getElementById("passkey_error");

if (button && error) {
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
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    error.textContent = SENTENCES[event.detail.exception.name] ?? UNUSABLE;
    error.hidden = false;
  });
}
