// The payload as fields: texts, numbers, yes/no and lists of texts. The raw JSON stays the truth that is submitted;
// what the fields cannot show without changing it (nested values, very long numbers) is edited there.
(() => {
  const LONG_NUMBER = /\d{16}|\d[eE][+-]?\d|\.\d*0[,\s}\]]/;
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
  const problem = (text) => {
    const place = form().querySelector("[data-payload-problem]");
    place.textContent = text;
    place.hidden = !text;
  };
  const write = (name, value) => {
    const payload = parsed();
    if (!payload) return;
    payload[name] = value;
    raw().value = JSON.stringify(payload, null, 2);
  };

  const editor = (name, value) => {
    if (typeof value === "boolean") {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: value, className: "form-check-input" });
      box.addEventListener("input", () => write(name, box.checked));
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
      if (typeof value !== "number") return write(name, list ? field.value.split("\n").map((one) => one.trim()).filter(Boolean) : field.value);
      const number = Number(field.value), wrong = field.value.trim() === "" || !Number.isFinite(number);
      field.setAttribute("aria-invalid", String(wrong));
      problem(wrong ? `${name} is a number.` : "");
      if (!wrong) write(name, number);
    });
    return field;
  };
  const row = (name, value, at) => {
    const line = document.createElement("div"), label = document.createElement("label"), field = editor(name, value);
    field.id = `payload-${at}`;
    label.htmlFor = field.id;
    label.textContent = name;
    if (Array.isArray(value)) label.append(Object.assign(document.createElement("span"), { className: "muted", textContent: " one per line" }));
    line.className = typeof value === "boolean" ? "payload-row payload-check" : "payload-row";
    line.append(label, field);
    return line;
  };

  const build = () => {
    const place = form().querySelector("[data-payload-fields]"), payload = parsed();
    place.replaceChildren();
    problem(payload ? "" : "This is not a JSON object yet.");
    if (!payload || LONG_NUMBER.test(raw().value)) return 0;
    const plain = Object.entries(payload).filter(([, value]) => isPlain(value));
    place.append(...plain.map(([name, value], at) => row(name, value, at)));
    const nested = Object.keys(payload).length - plain.length;
    if (nested) place.append(Object.assign(document.createElement("p"), { className: "muted", textContent: `${nested} more in the raw JSON` }));
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
