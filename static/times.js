// Shows every <time datetime> in the reader's own zone, as an age (data-age) or as the time of day alone
// (data-clock); the title keeps the exact instant.
(() => {
  const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const ago = new Intl.RelativeTimeFormat(undefined, { style: "narrow", numeric: "always" });
  const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];

  const age = (at) => {
    const seconds = (at - Date.now()) / 1000;
    const [unit, length] = units.find(([, size]) => Math.abs(seconds) >= size) || ["second", 1];
    return unit === "second" ? "just now" : ago.format(Math.trunc(seconds / length), unit);
  };

  const show = (root) => {
    const times = root.querySelectorAll ? root.querySelectorAll("time[datetime]") : [];
    for (const element of times) {
      const at = new Date(element.getAttribute("datetime"));
      if (Number.isNaN(at.getTime())) continue;
      element.title = exact.format(at);
      element.textContent = "age" in element.dataset ? age(at) : ("clock" in element.dataset ? clock : short).format(at);
    }
  };

  show(document);
  document.addEventListener("htmx:load", (event) => show(event.target.parentNode || document));
  window.setInterval(() => show(document), 60000);
})();
