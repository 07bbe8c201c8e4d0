// How many submits wait, in the bar at the top, and which, in a drawer: nothing in it is called saved.
(() => {
  const { waiting, replay } = window.reviewapp;
  const chip = document.querySelector("[data-waiting-count]"), drawer = document.getElementById("waiting");
  if (!chip || !drawer) return;
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const KINDS = { decide: "Decision", skip: "Skip", defer: "Defer" };
  const many = (number, one, more) => `${number} ${number === 1 ? one : more}`;

  const words = (all) => {
    const wait = all.filter((one) => one.state === "waiting"), ask = all.length - wait.length;
    const decisions = wait.every((one) => one.kind === "decide");
    const told = wait.length ? [many(wait.length, decisions ? "decision waits for the network" : "submit waits for the network", decisions ? "decisions wait for the network" : "submits wait for the network")] : [];
    return [...told, ...(ask ? [many(ask, "needs you", "need you")] : [])].join(", ");
  };
  const says = (entry) => {
    if (entry.state !== "waiting") return entry.why;
    return `${KINDS[entry.kind]} of ${clock.format(entry.at)}, not saved yet: it waits for the network`;
  };
  const line = (entry) => {
    const row = drawer.querySelector("template").content.firstElementChild.cloneNode(true);
    const link = row.querySelector("a");
    link.href = entry.page;
    link.textContent = entry.title;
    row.querySelector("[data-says]").textContent = says(entry);
    row.querySelector("[data-take-back]").addEventListener("click", () => {
      if (!waiting.asDraft(entry) && !window.confirm("What was typed cannot be kept as a draft. Take it back all the same?")) return;
      waiting.remove(entry);
      document.dispatchEvent(new CustomEvent("waiting:back", { detail: entry }));
    });
    return row;
  };
  const paint = () => {
    const all = waiting.list();
    chip.hidden = !all.length;
    chip.querySelector("[data-words]").textContent = words(all);
    chip.querySelector("[data-number]").textContent = all.length;
    drawer.querySelector("ol").replaceChildren(...all.map(line));
    if (!all.length && drawer.matches(":popover-open")) drawer.hidePopover();
  };

  drawer.querySelector("[data-try]").addEventListener("click", () => replay());
  document.addEventListener("waiting:changed", paint);
  window.addEventListener("storage", paint);
  paint();
})();
