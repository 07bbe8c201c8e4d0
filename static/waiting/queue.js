// Submits that met no network: kept in this browser, in order, for the person who made them, until the server has them.
(() => {
  const PREFIX = "reviewapp.waiting.";
  const keys = () => { try { return Object.keys(window.localStorage).filter((key) => key.startsWith(PREFIX)).sort(); } catch { return []; } };
  const read = (key) => { try { return { key, ...JSON.parse(window.localStorage.getItem(key)) }; } catch { return null; } };
  const write = ({ key, ...entry }) => { try { window.localStorage.setItem(key, JSON.stringify(entry)); return true; } catch { return false; } };
  const told = () => document.dispatchEvent(new CustomEvent("waiting:changed"));

  const person = () => document.body.dataset.person || "";
  const list = () => keys().filter((key) => key.startsWith(`${PREFIX}${person()}.`)).map(read).filter((one) => one && one.body);
  const add = (entry) => {
    // The same decision sent again replaces itself.
    const before = list().find((one) => one.id === entry.id);
    const key = before ? before.key : `${PREFIX}${person()}.${String(entry.at).padStart(15, "0")}.${entry.id}`;
    const kept = Boolean(person()) && write({ ...entry, key });
    if (kept) told();
    return kept;
  };
  const update = (entry) => { write(entry); told(); };
  const remove = (entry) => { try { window.localStorage.removeItem(entry.key); } catch { /* forbidden: then it is not there */ } told(); };
  const about = (item) => list().filter((one) => one.item === item);

  // What a submit held, as a draft: its words, its base and its decision id stay what they were.
  const asDraft = (entry) => {
    const form = Object.fromEntries(entry.body);
    if (!form.decision_id) return true;
    form.base = form.was_base || form.base;
    return window.reviewapp.store.put({ person: person(), item: entry.item, at: entry.at, acked: false, form });
  };

  window.reviewapp.waiting = { list, add, update, remove, about, asDraft };
})();
