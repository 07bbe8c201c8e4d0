// From and Until of the history in the reader's zone, as the times below are; the address keeps UTC, so that a link means
// the same instants to everybody. Without this file both are UTC, and say so.
(() => {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  // What the field of the browser takes: the instant on the reader's clock, with seconds only where there are any.
  const local = (at) => {
    const shown = new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
    return shown.endsWith(":00") ? shown.slice(0, 16) : shown;
  };
  const instant = (text) => new Date(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);

  for (const field of document.querySelectorAll("input[type=datetime-local][data-utc]")) {
    const sent = document.createElement("input"), at = instant(field.dataset.utc);
    Object.assign(sent, { type: "hidden", name: field.name, value: field.dataset.utc });
    field.removeAttribute("name");
    field.after(sent);
    field.value = Number.isNaN(at.getTime()) ? "" : local(at);
    const take = () => {
      const typed = new Date(field.value);
      sent.value = Number.isNaN(typed.getTime()) ? "" : typed.toISOString().slice(0, 19);
    };
    field.addEventListener("input", take);
    field.addEventListener("change", take);
  }
  for (const place of document.querySelectorAll("[data-zone]")) place.textContent = `(${zone})`;
})();
