// Sends what waits, in order, one tab at a time, when the network is back: at once when the browser says so, else again
// and again, ever more rarely. Each keeps its decision id and its base, so twice is once, and every check is made.
(() => {
  const { waiting, store, post } = window.reviewapp;
  const FIRST = 2000, LONGEST = 60000;
  let delay = FIRST, timer = 0, busy = false;

  const say = (value) => document.dispatchEvent(new CustomEvent("say", { detail: { value } }));
  const notice = (detail) => document.dispatchEvent(new CustomEvent("notice", { detail }));
  const typing = () => document.activeElement && document.activeElement.matches("textarea, input:not([type=radio])");
  const later = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(replay, delay * (0.75 + Math.random() / 2));
    delay = Math.min(delay * 2, LONGEST);
  };

  const saved = (entry, told) => {
    if (entry.kind === "decide") store.drop(document.body.dataset.person, entry.item);
    waiting.remove(entry);
    say(`${entry.title}: ${told.said || "Saved."}`);
    document.dispatchEvent(new CustomEvent("waiting:sent", { detail: entry }));
  };
  const asks = (entry, why) => {
    waiting.asDraft(entry);
    waiting.update({ ...entry, state: "asks", why });
    notice(`${entry.title}: ${why} Nothing is lost: open it from the list of what waits, and decide.`);
    document.dispatchEvent(new CustomEvent("waiting:asks", { detail: entry }));
  };

  // Returns whether to go on with the next.
  const settle = (entry, { status, told, text }) => {
    if (told.state === "saved") { saved(entry, told); return true; }
    if (status === 409 || status === 422) { asks(entry, told.why || "This met something else."); return true; }
    if (status === 401) {
      document.dispatchEvent(new CustomEvent("signed-out", { detail: { dialog: !typing() } }));
      return false;
    }
    if (status === 403 && text.includes("data-somebody-else")) {
      notice(`What waits here is ${document.body.dataset.personName}’s. It is kept until ${document.body.dataset.personName} signs in again.`);
      return false;
    }
    if (status === 403 || status === 404 || status === 413 || status === 400) {
      waiting.asDraft(entry);
      waiting.update({ ...entry, state: "refused", why: status === 404 ? "This item is not there any more." : "You may not do that any more." });
      return true;
    }
    later();
    return false;
  };

  const all = async () => {
    const blocked = new Set();
    for (const entry of waiting.list()) {
      if (entry.state !== "waiting") blocked.add(entry.item);
      if (blocked.has(entry.item)) continue;
      let answer;
      try { answer = await post(entry.url, entry.body); } catch { later(); return; }
      if (!settle(entry, answer)) return;
      if (answer.told.state !== "saved") blocked.add(entry.item);
    }
    delay = FIRST;
  };
  const replay = async () => {
    if (busy || !waiting.list().some((one) => one.state === "waiting")) return;
    busy = true;
    try {
      // Without locks (an old browser, plain http) two tabs may send the same: that is one decision all the same.
      if (navigator.locks) await navigator.locks.request("reviewapp.waiting", { ifAvailable: true }, (lock) => (lock ? all() : later()));
      else await all();
    } finally { busy = false; }
  };

  window.addEventListener("online", () => { delay = FIRST; replay(); });
  document.addEventListener("signed-in", replay);
  document.addEventListener("waiting:added", later);
  replay();
  window.reviewapp.replay = replay;
})();
