// What went wrong with a passkey, said where its button is; allauth's scripts only tell the console.
(() => {
  const place = document.getElementById("passkey_error");
  document.addEventListener("allauth.error", (event) => {
    if (!place) return;
    event.preventDefault();
    const { name } = event.detail.exception;
    place.textContent =
      name === "NotAllowedError"
        ? "Nothing came from your passkey: it was given up, took too long, or there is none for this site."
        : name === "InvalidStateError"
          ? "This passkey is here already."
          : "Your browser cannot use passkeys on this page.";
    place.hidden = false;
  });
})();
