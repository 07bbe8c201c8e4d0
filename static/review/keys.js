// The keys of the review page. The table (reviewapp/annotations/review/shortcuts.py) comes with the page; this file knows how a
// key press is matched to it and what each action does. A held key, a key while somebody types, while a list or dialog
// is open, while an item loads or a submit is in flight does nothing: nobody decides what nobody has seen.
(() => {
  const table = JSON.parse(document.getElementById("key-table").textContent);
  const apple = /Mac|iPhone|iPad|iPod/.test(navigator.platform);
  const NAMES = { Mod: apple ? "⌘" : "Ctrl", Alt: apple ? "⌥" : "Alt", Shift: "⇧", Escape: "Esc", Digit: "1 … 9, 0",
    ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };
  const CODES = { BracketLeft: "[", BracketRight: "]", Slash: "/" };
  const STEP = 0.05, MEDIA_STEP = 5;

  const review = () => document.getElementById("review");
  const find = (selector) => review().querySelector(selector);
  const singleKeys = () => review().dataset.singleKeys === "on";
  const isSingle = (key) => !key.startsWith("Mod+") && !key.startsWith("Alt+") && key !== "Escape";
  const parts = (key) => (key.length === 1 ? [key] : key.split("+"));

  // Matching

  const byLayout = (event) => {
    if (event.code === "Space") return "Space";
    if (event.key.length > 1) return event.key;
    if (event.key.charCodeAt(0) < 128) return event.key.toLowerCase();
    // Another alphabet, or a letter where others have a bracket: the key's place says which one is meant.
    const letter = /^Key([A-Z])$/.exec(event.code);
    return letter ? letter[1].toLowerCase() : CODES[event.code] || event.key;
  };
  const digit = (event) => {
    const found = /^(Digit|Numpad)([0-9])$/.exec(event.code);
    if (!found || event.ctrlKey || event.metaKey || event.altKey) return "";
    return found[1] === "Numpad" && !/^[0-9]$/.test(event.key) ? "" : found[2];
  };
  const pressed = (event) => {
    const [mod, other] = apple ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey];
    const key = byLayout(event);
    const shifted = event.shiftKey && (mod || event.altKey || key.length > 1 || /[a-z]/.test(key));
    return other || shifted ? "" : `${mod ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${key}`;
  };
  const match = (event) => {
    const number = digit(event);
    if (number) {
      const target = find(`[data-digit="${event.shiftKey ? "Shift+" : ""}${number}"]`);
      if (target) return { action: "label", keys: ["Digit"], typing: false, target, key: "Digit" };
    }
    const key = pressed(event);
    const row = table.find((candidate) => candidate.keys.includes(key));
    return row ? { ...row, key } : null;
  };

  // When keys rest

  let inFlight = false;
  const isAboutItem = (event) => event.detail.target && event.detail.target.id === "review";
  document.addEventListener("htmx:beforeRequest", (event) => { if (isAboutItem(event)) inFlight = true; });
  document.addEventListener("htmx:afterRequest", (event) => { if (isAboutItem(event)) inFlight = false; });
  const open = () => document.querySelector("dialog[open], details.menu[open], [popover]:popover-open");
  const isLine = (element) => element.matches("input:not([type=radio]):not([type=checkbox]):not([type=range])");
  const isTyping = (element) => element.isContentEditable || isLine(element) || element.matches("textarea, select, input[type=range]");
  const moves = (action) => action === "field_previous" || action === "field_next";
  const rests = (event, row) => {
    if (isSingle(row.key) && !singleKeys()) return true;
    // Mine or theirs: the arrows are the browser's own way from one to the other.
    if (event.target.matches("[data-keep]") && row.key.startsWith("Arrow")) return true;
    return isTyping(event.target) && !row.typing && !(moves(row.action) && isLine(event.target));
  };

  // What they do

  const light = (element) => {
    element.classList.add("is-lit");
    window.setTimeout(() => element.classList.remove("is-lit"), 300);
  };
  const press = (element) => {
    // A script's click would go through to what has been submitted and waits.
    if (!element || element.closest("[inert]")) return;
    light(element.closest("label") || element);
    element.click();
  };
  const stop = (name) => (name === "payload"
    ? find("[data-payload-fields] :is(input, textarea)") || find("[data-payload-raw][open] textarea") : find(`#${name}`));
  const fields = () => [
    find("[name=choice]:checked") || find("[name=choice]"), find("#label"),
    ...find("#decision").dataset.fields.split(" ").map(stop), find("[data-action=submit]"),
  ].filter((field) => field && !field.closest("[inert]"));
  const move = (by) => {
    const stops = fields();
    const here = stops.findIndex((stop) =>
      stop === document.activeElement || (stop.name && stop.name === document.activeElement.name));
    const next = stops[here < 0 ? (by > 0 ? 0 : stops.length - 1) : Math.min(Math.max(here + by, 0), stops.length - 1)];
    if (next.id === "reasoning") write();
    else next.focus();
  };
  const surer = (by) => {
    const field = find("#confidence");
    const now = field.value.trim() === "" ? 0.5 : Number(field.value);
    if (Number.isNaN(now) || field.closest("[inert]")) return;
    field.value = String(Math.round(Math.min(Math.max(now + by, 0), 1) * 100) / 100);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    light(field);
  };
  const write = () => find("#reasoning").focus();
  const leave = () => {
    if (window.reviewapp.cannotTell.isOn()) window.reviewapp.cannotTell.leave();
    else document.activeElement.blur();
  };
  const unfold = (name) => {
    const section = find(`[data-action-target=${name}]`);
    if (!section) return;
    section.open = !section.open;
    if (section.open) section.querySelector("summary").focus();
  };
  const media = (act) => {
    const all = [...review().querySelectorAll("[data-plays]")];
    const one = all.find((medium) => !medium.paused) || all[0];
    if (one) act(one);
    return Boolean(one);
  };
  // A pause that comes before the medium plays is no error.
  const play = (medium) => { medium.play().catch(() => {}); };
  const step = (by) => media((medium) => { medium.currentTime = Math.max(0, medium.currentTime + by); });
  const ACTIONS = {
    label: (row) => { press(row.target); row.target.focus(); },
    field_previous: () => move(-1),
    field_next: () => move(1),
    less_sure: () => surer(-STEP),
    more_sure: () => surer(STEP),
    reasoning: write,
    take_reasoning: () => press(find("[data-action=take_reasoning]")),
    leave,
    guidelines: () => unfold("guidelines"),
    history: () => unfold("history"),
    search: () => { window.location.assign(`${document.querySelector(".top-nav a").href}#id_q`); },
    media_play: () => media((medium) => (medium.paused ? play(medium) : medium.pause())),
    media_back: () => step(-MEDIA_STEP),
    media_forward: () => step(MEDIA_STEP),
  };

  document.addEventListener("keydown", (event) => {
    if (!review() || event.defaultPrevented || event.isComposing) return;
    // Enter in a field, or held on a button, would submit by the browser's own rule.
    const enters = event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.target.closest("#decision");
    if (enters && (event.target.matches("input") || (event.repeat && event.target.matches("button")))) return event.preventDefault();
    if (event.getModifierState("AltGraph")) return;
    const row = match(event);
    if (!row || rests(event, row)) return;
    if (row.action === "leave" && (open() || !(isTyping(event.target) || window.reviewapp.cannotTell.isOn()))) return;
    if (row.action.startsWith("media") && !find("[data-plays]")) return;
    event.preventDefault();
    if (event.repeat || inFlight || open()) return;
    if (ACTIONS[row.action]) ACTIONS[row.action](row);
    else press(find(`[data-action=${row.action}]`));
  });

  // How they are shown

  const paint = (root) => {
    for (const badge of root.querySelectorAll("[data-key-of]")) {
      const row = table.find((candidate) => candidate.action === badge.dataset.keyOf);
      const key = row.keys.find((one) => !isSingle(one)) || row.keys[row.keys.length - 1];
      badge.hidden = isSingle(key) && !singleKeys();
      badge.textContent = parts(key).map((part) => NAMES[part] || (part.length === 1 ? part.toUpperCase() : part)).join(apple ? "" : "+").replace("Enter", apple ? "↵" : "Enter");
    }
    for (const badge of root.querySelectorAll("[data-mod]")) badge.textContent = NAMES.Mod;
  };
  document.addEventListener("htmx:load", (event) => paint(event.target.parentNode || document));
})();
