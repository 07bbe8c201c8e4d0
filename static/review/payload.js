// The payload as fields: texts, numbers, yes/no and lists of texts, also inside objects. The raw JSON stays the truth
// that is submitted; what the fields cannot show without changing it (other lists, very long numbers) is edited there.
(() => {
  // An integer that a browser would round.
  const LONG_NUMBER = /(?<![\d.])\d{16,}(?![\d.eE])/;
  const MOST = 30;
  const form = () => document.getElementById("decision");
  const raw = () => form().querySelector("#payload");
  const isTexts = (value) => Array.isArray(value) && value.every((one) => typeof one === "string" && !one.includes("\n"));
  const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value) || isTexts(value);

  const parsed = () => {
    try {
      const value = JSON.parse(raw().value.trim() || "{}");
      return value && typeof value === "object" && !Array.isArray(value) ? value : null;
    } catch { return null; }
  };
  const said = () => form().querySelector("#payload-error");
  const known = () => Boolean(said()) && raw().value === raw().defaultValue;
  const problem = (text) => {
    const place = form().querySelector("[data-payload-problem]");
    place.textContent = text;
    place.hidden = !text;
    // What the server said was about the text before.
    if (said()) said().hidden = Boolean(text);
  };
  const write = (path, value) => {
    const payload = parsed();
    if (!payload) return;
    const holder = path.slice(0, -1).reduce((inner, name) => inner[name], payload);
    holder[path.at(-1)] = value;
    raw().value = JSON.stringify(payload, null, 2);
  };
  const leaves = (value, path = []) =>
    Object.entries(value).flatMap(([name, inner]) =>
      inner && typeof inner === "object" && !Array.isArray(inner)
        ? leaves(inner, [...path, name])
        : [[[...path, name], inner]]);

  const editor = (path, value) => {
    if (typeof value === "boolean") {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: value, className: "form-check-input" });
      box.addEventListener("input", () => write(path, box.checked));
      return box;
    }
    const list = Array.isArray(value), long = list || (typeof value === "string" && (value.length > 60 || value.includes("\n")));
    const field = document.createElement(long ? "textarea" : "input");
    field.className = "form-control form-control-sm";
    field.dir = "auto";
    if (long) field.rows = Math.min(Math.max(list ? value.length : 3, 2), 6);
    if (typeof value === "number") field.inputMode = "decimal";
    field.value = list ? value.join("\n") : String(value);
    field.addEventListener("input", () => {
      if (typeof value !== "number") return write(path, list ? field.value.split("\n").map((one) => one.trim()).filter(Boolean) : field.value);
      const number = Number(field.value), wrong = field.value.trim() === "" || !Number.isFinite(number);
      field.setAttribute("aria-invalid", String(wrong));
      problem(wrong ? `${path.join(".")} is a number.` : "");
      if (!wrong) write(path, number);
    });
    return field;
  };
  const row = (path, value, at) => {
    const line = document.createElement("div"), label = document.createElement("label"), field = editor(path, value);
    field.id = `payload-${at}`;
    label.htmlFor = field.id;
    label.textContent = path.join(".");
    if (Array.isArray(value)) label.append(Object.assign(document.createElement("span"), { className: "muted", textContent: " one per line" }));
    line.className = typeof value === "boolean" ? "payload-row payload-check" : "payload-row";
    line.append(label, field);
    return line;
  };

  const build = () => {
    const place = form().querySelector("[data-payload-fields]"), payload = parsed();
    place.replaceChildren();
    problem(payload || known() ? "" : "This is not a JSON object yet.");
    if (!payload || LONG_NUMBER.test(raw().value)) return 0;
    const all = leaves(payload), plain = all.filter(([, value]) => isPlain(value)).slice(0, MOST);
    place.append(...plain.map(([path, value], at) => row(path, value, at)));
    const rest = all.length - plain.length;
    if (rest) place.append(Object.assign(document.createElement("p"), { className: "muted", textContent: `${rest} more in the raw JSON` }));
    return plain.length;
  };

  document.addEventListener("input", (event) => { if (event.target.id === "payload") build(); });
  document.addEventListener("htmx:load", () => {
    if (!form() || form().dataset.payload) return;
    form().dataset.payload = "yes";
    const shown = build(), wrong = raw().getAttribute("aria-invalid") === "true";
    if (parsed() && !wrong) form().querySelector("[data-payload-raw]").open = !shown && raw().value.trim() !== "";
  });
})();
