// Keeps what is typed: in this browser at once, on the server soon after. Says where it is, and never more than is true.
(() => {
  const { store, fields, offers, post } = window.reviewapp;
  const SOON = 1500, AT_THE_LATEST = 10000, AGAIN = 15000;
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

  const section = () => document.getElementById("draft");
  const form = () => document.getElementById("decision");
  const item = () => document.getElementById("review").dataset.item;
  const say = (value) => document.dispatchEvent(new CustomEvent("say", { detail: { value } }));
  const tell = (text) => { const place = document.querySelector("[data-draft-state]"); if (place) place.textContent = text; };

  // Of the form on the page: since when the server waits for it, whether its last words are kept, and where.
  let offset = 0, timer = 0, since = 0, here = "", kept = true, waits = false, resting = false, known = "", running = null, again = false;

  const now = () => Date.now() + offset;
  const set = () => { offset = Date.parse(section().dataset.now) - Date.now(); };
  const record = (acked) => ({ person: section().dataset.person, item: item(), at: now(), acked, form: fields.read(form()) });
  const locally = (acked = false) => {
    here = store.put(record(acked)) ? `Saved in this browser ${clock.format(new Date())}` : "";
    return here !== "";
  };
  const nowhere = "Not kept yet: this browser's storage is full or switched off, so stay on this page until it is submitted";

  const changed = () => {
    waits = true;
    kept = locally();
    tell(here || nowhere);
    since = since || Date.now();
    plan(here ? SOON : 0);
  };
  const plan = (delay) => {
    window.clearTimeout(timer);
    if (!section()) return;
    // While the person has to choose, the server is asked now and then whether there still is a choice.
    const wait = resting ? AGAIN : Math.min(delay, since + AT_THE_LATEST - Date.now());
    timer = window.setTimeout(save, Math.max(0, wait));
  };
  // A submit is on its way: should it fail, saving goes on.
  const hold = () => window.clearTimeout(timer);
  const resume = () => { if (waits && section()) { since = Date.now(); plan(SOON); } };
  const stop = () => { window.clearTimeout(timer); waits = false; since = 0; };

  const tryAgain = () => { since = Date.now() + AGAIN; plan(AGAIN); };

  const SENTENCES = { 401: "You are signed out", 403: "You may not save it on the server", 413: "It is too much to be kept on the server" };
  const without = (why) => tell(here ? `${here}. ${why}.` : `${nowhere}. ${why}.`);

  // What the server said of it; the form may have gone on to another item meanwhile, and then it is about none here.
  const answered = ({ status, told }, sent, about, asked) => {
    if (!form() || item() !== about) return;
    if (told.edition) known = told.edition;
    // The person has turned to another draft of this item meanwhile, which now follows on from this one.
    if (told.state === "saved") form().querySelector("[name=draft]").value = told.edition;
    if (fields.read(form()).decision_id !== sent.decision_id) return;
    if (told.state === "saved") {
      resting = false;
      offers.noneOnServer(window.reviewapp.drafts.chosen);
      const settled = fields.same(fields.read(form()), sent);
      if (settled) { waits = false; since = 0; kept = true; }
      locally(settled);
      tell(settled ? `Draft saved on the server ${clock.format(new Date())}` : here || nowhere);
      if (asked) say("Draft saved on the server. Nothing is submitted yet.");
    } else if (told.state === "overtaken") {
      resting = true;
      const tab = store.holds(section().dataset.person, about, told.form);
      const other = { at: Date.parse(told.at), edition: told.edition, form: told.form, here: tab, tab, stored: tab };
      offers.add(other, window.reviewapp.drafts.chosen);
      without(`Another ${tab ? "tab" : "browser"}'s draft is on the server; say above which one you keep`);
      plan(AGAIN);
    } else if (told.state === "decided") {
      stop();
      document.dispatchEvent(new CustomEvent("draft:decided"));
    } else {
      without(told.why ? told.why.replace(/\.$/, "") : SENTENCES[status] || "The server could not save it; it is tried again");
      if (status === 401) document.dispatchEvent(new CustomEvent("signed-out"));
      if (status >= 500) tryAgain();
    }
  };

  const save = async ({ asked = false, keepalive = false } = {}) => {
    window.clearTimeout(timer);
    if (!form() || !section() || !document.querySelector("[data-draft-state]")) return;
    // What has been submitted and waits for the network becomes a decision, or is taken back first.
    if (form().inert) return;
    if (running) { again = true; return running; }
    const sent = fields.read(form()), about = item();
    const sending = { ...sent, person: section().dataset.person };
    running = post(section().dataset.save, sending, { keepalive }).then(
      (answer) => { answered(answer, sent, about, asked); return answer.told.state; },
      () => {
        without("The server cannot be reached");
        if (asked) say(here ? `${here}. The server cannot be reached.` : nowhere);
        tryAgain();
      },
    ).finally(() => { running = null; if (again) { again = false; if (waits) plan(0); } });
    return running;
  };

  document.addEventListener("input", (event) => {
    if (event.detail === "filled" || !section() || !form() || !form().contains(event.target)) return;
    changed();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action=save_draft]");
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waits = true;
    kept = locally();
    tell(here || nowhere);
    resting = false;
    save({ asked: true });
  }, true);
  window.addEventListener("online", () => { if (waits) plan(0); });
  document.addEventListener("signed-in", resume);
  const leaving = () => { if (waits && !resting) save({ keepalive: true }); };
  window.addEventListener("pagehide", leaving);
  document.addEventListener("visibilitychange", () => { if (document.hidden) leaving(); });

  window.reviewapp.keeping = {
    set, now, changed, save, hold, resume, stop, tell, leaving, locally,
    // Whoever has chosen between two drafts has seen the one that the server holds.
    saw: () => { if (known) form().querySelector("[name=draft]").value = known; resting = false; },
    goOn: () => { resting = false; if (waits) { since = Date.now(); plan(0); } },
    begin: (edition) => { known = edition; stop(); resting = false; kept = true; here = ""; },
    kept: () => kept,
  };
})();
