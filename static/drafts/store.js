// Drafts in this browser: one entry for each form that somebody typed into, by person, item and the decision that it
// would become. A storage that is full or forbidden is an answer (false), never an error.
(() => {
  const PREFIX = "reviewapp.draft.", MOST = 60, LARGEST = 400000, DAY = 86400000;

  const keys = () => { try { return Object.keys(window.localStorage).filter((key) => key.startsWith(PREFIX)); } catch { return []; } };
  const read = (key) => { try { return JSON.parse(window.localStorage.getItem(key)); } catch { return null; } };
  const remove = (key) => { try { window.localStorage.removeItem(key); } catch { /* forbidden: then nothing is in it */ } };
  const all = () => keys().map((key) => ({ key, ...read(key) })).filter((one) => one.form);
  const name = (one) => `${PREFIX}${one.person}.${one.item}.${one.form.decision_id}`;

  // Only what the server has may be thrown away to make room.
  const makeRoom = (but) => {
    const spare = all().filter((one) => one.acked && one.key !== but).sort((one, other) => one.at - other.at);
    for (const one of spare.slice(0, Math.max(1, Math.ceil(spare.length / 4)))) remove(one.key);
    return spare.length > 0;
  };
  const put = (one) => {
    const key = name(one), text = JSON.stringify(one);
    if (text.length > LARGEST) return false;
    if (keys().length >= MOST && !keys().includes(key) && !makeRoom(key)) return false;
    for (let tries = 0; tries < 8; tries += 1) {
      try { window.localStorage.setItem(key, text); return true; } catch { if (!makeRoom(key)) return false; }
    }
    return false;
  };

  const of = (person, item) => all().filter((one) => one.person === person && one.item === item);
  const drop = (person, item) => { for (const one of of(person, item)) remove(one.key); };
  const forget = (one) => remove(name(one));
  // Whether this browser has the draft that a form became: the server tells of drafts, not of where they were typed.
  const holds = (person, item, form) => of(person, item).some(({ form: ours }) =>
    ours.decision_id === form.decision_id || (ours.draft && ours.draft === form.draft));
  // What only this browser has.
  const unsaved = (person) => all().filter((one) => one.person === person && !one.acked);
  // Takes away what the server has of everybody, or of everybody but one: the next at this computer has no use for it.
  const leave = (but) => { for (const one of all()) if (one.acked && one.person !== but) remove(one.key); };
  const prune = (now, days) => { for (const one of all()) if (one.at < now - days * DAY) remove(one.key); };

  leave(document.body.dataset.person || "");
  window.reviewapp.store = { put, of, holds, drop, forget, unsaved, leave, prune };
})();
