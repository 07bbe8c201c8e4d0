// Other drafts of the same item by the same person (another browser, another tab) that say something else: each is
// offered beside the form until the person has chosen. None is thrown away unasked.
(() => {
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const dated = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const when = (at) => (new Date(at).toDateString() === new Date().toDateString() ? clock : dated).format(at);
  const where = (one) => (one.tab ? "another tab" : one.here ? "this browser" : "another browser");

  const section = () => document.getElementById("draft");
  let offered = [];

  const paint = (act) => {
    const place = section().querySelector("[data-draft-offers]"), template = section().querySelector("[data-draft-offer]");
    place.replaceChildren(...offered.map((one) => {
      const banner = template.content.firstElementChild.cloneNode(true);
      const said = (one.form.reasoning || "").trim().slice(0, 80);
      const outcome = one.form.outcome === "undecidable" ? "can't tell" : one.form.label || one.form.choice || "no label";
      banner.querySelector("[data-words]").textContent =
        `Another draft of yours, of ${when(one.at)} from ${where(one)}, says something else: ` +
        `${outcome}${said ? `, “${said}”` : ""}`;
      banner.querySelector("[data-show]").addEventListener("click", () => act.show(one));
      banner.querySelector("[data-drop]").addEventListener("click", () => act.drop(one));
      return banner;
    }));
  };
  const set = (all, act) => { offered = all; paint(act); };
  const add = (one, act) => {
    if (one.edition && offered.some((other) => other.edition === one.edition)) return;
    const others = offered.filter((other) => !(one.edition && other.edition));
    offered = [...others.filter((other) => !window.reviewapp.fields.same(other.form, one.form)), one];
    paint(act);
  };
  // The server holds one draft of an item, and it is the form's now: no other is there to be offered.
  const noneOnServer = (act) => {
    if (!offered.some((one) => one.edition)) return;
    offered = offered.filter((one) => !one.edition);
    paint(act);
  };
  const take = (one, act) => { offered = offered.filter((other) => other !== one); paint(act); };

  const tell = (one) => {
    const banner = section().querySelector("[data-draft-told]");
    banner.hidden = false;
    banner.querySelector("[data-draft-sentence]").textContent =
      `Your draft of ${when(one.at)} from ${where(one)} is below, not submitted yet.`;
  };

  window.reviewapp.offers = { set, add, take, noneOnServer, tell, list: () => offered };
})();
