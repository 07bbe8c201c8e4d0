// An item comes into the page: the newest draft of it, this browser's or the server's, goes into the form, and a draft
// whose base is older than the item is compared with it first. What is submitted or discarded is forgotten here too.
(() => {
  const { store, fields, offers, keeping } = window.reviewapp;
  const SUBMITTED = "What was typed here had been submitted before this page closed. These are the values as they stand.";
  const section = () => document.getElementById("draft");
  const form = () => document.getElementById("decision");
  const review = () => document.getElementById("review");
  const whose = () => [section().dataset.person, review().dataset.item];
  let shown = null, touched = false;

  const here = (theirs) => store.holds(...whose(), theirs);
  const ofServer = () => {
    const { at, offered } = section().dataset;
    if (offered) { const one = JSON.parse(offered); return { ...one, at: Date.parse(one.at), here: here(one.form), server: true }; }
    if (!at) return null;
    const read = fields.read(form());
    return { at: Date.parse(at), form: read, here: here(read), server: true };
  };

  const compare = () => window.htmx.ajax("POST", section().dataset.catchUp, {
    source: form(), target: "#decision", select: "#decision", swap: "outerHTML",
  });
  const put = (one, { wanted = false } = {}) => {
    const base = form().querySelector("[name=base]").value;
    fields.write(form(), one.form);
    if (wanted) keeping.saw();
    offers.tell(one);
    keeping.tell(one.server ? "Draft saved on the server" : "Saved in this browser");
    // What became a decision in the moment of a crash needs no comparison: the server says so when it is asked to save.
    const asked = one.server || one.acked ? Promise.resolve() : keeping.save();
    asked.then((state) => {
      const still = form() && fields.read(form()).decision_id === one.form.decision_id;
      if (state !== "decided" && still && one.form.base !== base) compare();
    });
  };

  const chosen = {
    show: (one) => {
      const mine = { at: keeping.now(), form: fields.read(form()), here: true };
      offers.take(one, chosen);
      put(one, { wanted: true });
      offers.add(mine, chosen);
      keeping.changed();
      form().querySelector("#reasoning").focus();
    },
    drop: (one) => {
      offers.take(one, chosen);
      store.forget({ person: whose()[0], item: whose()[1], form: one.form });
      keeping.saw();
      keeping.changed();
      form().querySelector("#reasoning").focus();
    },
  };

  // Whether what was typed here came after the server's draft, which it names: two clocks would not tell.
  const follows = (one, server) => server && !one.acked && one.form.draft && one.form.draft === server.form.draft;

  // The same item with the same words under a new decision id: after a 409 or 422, or after news were brought in.
  const goOn = () => {
    if (shown.decision) store.forget({ person: whose()[0], item: whose()[1], form: { decision_id: shown.decision } });
    keeping.locally();
  };
  const arrive = () => {
    const [person, item] = whose(), again = shown && shown.item === item && shown.person === person;
    const typed = form().dataset.typed === "yes", server = ofServer(), now = fields.read(form());
    keeping.begin(server ? server.form.draft : "");
    keeping.set();
    store.prune(keeping.now(), Number(section().dataset.days));
    if (typed && !server && again) goOn();
    // What says no more than the item itself is no draft.
    if (!typed) for (const one of store.of(person, item)) if (fields.same(one.form, now)) store.forget(one);
    const local = store.of(person, item).map((one) => {
      const at = follows(one, server) ? Math.max(one.at, server.at + 1) : one.at;
      return { ...one, at, here: true, stored: true };
    });
    const all = [...local, ...(server ? [server] : [])].sort((one, other) => other.at - one.at);
    const [newest] = all, inForm = section().dataset.at ? server : null;
    if (newest && !fields.same(newest.form, now) && (!typed || inForm)) put(newest);
    else if (inForm) offers.tell(inForm);
    const continued = newest && follows(newest, server) ? server : null;
    const holds = fields.read(form()), others = all.filter((one) => one !== continued && !fields.same(one.form, holds));
    offers.set(others.filter((one, at) => others.findIndex((other) => fields.same(other.form, one.form)) === at), chosen);
    shown = { item, person, decision: fields.read(form()).decision_id };
    touched = false;
  };

  document.addEventListener("htmx:load", (event) => {
    if (!section() || !form()) return;
    if (event.target.id === "review" || event.target === document.body) arrive();
    else if (event.target.id === "decision") { goOn(); shown.decision = fields.read(form()).decision_id; }
  });

  const ended = () => {
    keeping.stop();
    store.drop(...whose());
    document.dispatchEvent(new CustomEvent("draft:ended", { detail: whose()[1] }));
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === form() && section()) keeping.hold();
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout", "htmx:sendAbort"]) {
    document.addEventListener(name, (event) => { if (event.detail.elt === form() && section()) keeping.resume(); });
  }
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    if (!section() || xhr.status >= 400) return;
    const decides = elt === form() && requestConfig.path === form().getAttribute("hx-post");
    if (decides || elt.matches("[data-draft-discards]")) ended();
  });
  // Another tab has submitted or discarded: what it had is no draft any more, what was typed in this tab still is.
  window.addEventListener("storage", (event) => {
    if (!section() || !form() || event.newValue !== null) return;
    const gone = offers.list().filter((one) => one.stored && !store.holds(...whose(), one.form));
    for (const one of gone) offers.take(one, chosen);
    if (touched) keeping.locally();
    if (gone.length) keeping.goOn();
  });
  document.addEventListener("input", (event) => { if (event.detail !== "filled") touched = true; });
  document.addEventListener("draft:decided", () => {
    if (touched) return keeping.tell("This form was submitted before. Submit again to make what differs your new decision");
    store.drop(...whose());
    const anew = window.htmx.ajax("GET", review().dataset.address, { target: "#review", swap: "outerHTML" });
    anew.then(() => document.dispatchEvent(new CustomEvent("notice", { detail: SUBMITTED })));
  });

  window.reviewapp.drafts = { chosen };
})();
