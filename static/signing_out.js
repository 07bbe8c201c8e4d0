// Signing out at a computer that others use too: what waits is sent and what is typed is saved first, and what the server
// has then leaves this browser. What it cannot have now is never thrown away unasked.
(() => {
  const { store, waiting, replay, post } = window.reviewapp;
  const LONGEST = 8000;
  const { person } = document.body.dataset, dialog = document.getElementById("signing_out");
  if (!dialog) return;
  const place = (name) => dialog.querySelector(`[data-${name}]`);
  const many = (number, one, more) => (number ? `${number} ${number === 1 ? one : more}` : "");
  let form = null, busy = false;

  const submits = () => waiting.list();
  // What waits to be submitted holds the words of its draft.
  const drafts = () => store.unsaved(person).filter((one) => !submits().some((entry) => entry.id === one.form.decision_id));

  const save = async (one) => {
    const review = document.getElementById("review"), { keeping } = window.reviewapp;
    if (keeping && review && review.dataset.item === one.item) return keeping.save();
    const { told } = await post(dialog.dataset.save.replace("/0/", `/${one.item}/`), { ...one.form, person });
    if (told.state === "saved" || told.state === "decided") store.forget(one);
    return told.state;
  };
  const settle = async () => {
    await replay();
    for (const one of drafts()) await save(one);
  };
  const inTime = (work) => Promise.race([work.catch(() => {}), new Promise((resolve) => { window.setTimeout(resolve, LONGEST); })]);

  const work = (is) => {
    busy = is;
    form.querySelector("[type=submit]").disabled = is;
    if (is) document.dispatchEvent(new CustomEvent("say", { detail: { value: "What is not saved yet is being saved, then you are signed out." } }));
  };
  const leave = () => {
    store.leave("");
    form.submit();
  };
  const ask = () => {
    const told = [
      many(submits().length, "decision that is not saved yet", "decisions that are not saved yet"),
      many(drafts().length, "draft that the server does not have", "drafts that the server does not have"),
    ].filter(Boolean).join(" and ");
    place("told").textContent = `This browser keeps ${told}. After signing out it stays here until you sign in again at this browser, and whoever uses it could find it. Nothing of it is sent meanwhile.`;
    dialog.showModal();
    place("stay").focus();
  };

  document.addEventListener("submit", async (event) => {
    if (!event.target.matches("[data-signs-out]")) return;
    event.preventDefault();
    if (busy) return;
    form = event.target;
    work(true);
    await inTime(settle());
    work(false);
    if (submits().length || drafts().length) ask();
    else leave();
  });
  for (const name of ["stay", "close"]) place(name).addEventListener("click", () => dialog.close());
  // What was pressed lies in a menu that is shut by now.
  dialog.addEventListener("close", () => {
    const menu = form.closest("details.menu");
    (menu ? menu.querySelector("summary") : form.querySelector("[type=submit]")).focus();
  });
  place("keep").addEventListener("click", leave);
  place("delete").addEventListener("click", () => {
    if (!window.confirm("Delete what you typed, for good? Nobody can bring it back.")) return;
    if (window.reviewapp.keeping) window.reviewapp.keeping.stop();
    for (const entry of submits()) waiting.remove(entry);
    for (const one of store.unsaved(person)) store.forget(one);
    leave();
  });
})();
