// The payload as fields: texts, numbers, yes/no and lists of texts, also inside objects. The raw JSON stays the truth
// that is submitted: a field replaces its own value in that text and touches nothing else, so that 0.0 stays 0.0.
(() => {
  const MOST = 30;
  const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+)/y;
  const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
  const form = () => document.getElementById("decision");
  const raw = () => form().querySelector("#payload");
  const isLine = (text) => typeof text === "string" && text.trim() !== "" && !text.includes("\n");
  const isTexts = (value) => Array.isArray(value) && value.every(isLine);
  const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value) || isTexts(value);

  const isObject = (text) => {
    try {
      const value = JSON.parse(text.trim() || "{}");
      return Boolean(value) && typeof value === "object" && !Array.isArray(value);
    } catch { return false; }
  };
  // Every value of a JSON object that is no object itself: {path, start, end, source, value}, the places in the text.
  const leaves = (text) => {
    const found = [];
    const next = () => {
      const [, source] = TOKEN.exec(text);
      return { source, start: TOKEN.lastIndex - source.length, end: TOKEN.lastIndex };
    };
    const endOf = (token) => {
      let depth = token.source === "[" ? 1 : 0, last = token;
      while (depth) {
        last = next();
        if ("[{".includes(last.source)) depth += 1;
        if ("]}".includes(last.source)) depth -= 1;
      }
      return last.end;
    };
    const members = (path) => {
      let token = next();
      while (token.source !== "}") {
        const inner = [...path, JSON.parse(token.source)];
        next();
        const first = next();
        if (first.source === "{") members(inner);
        else {
          const end = endOf(first), source = text.slice(first.start, end);
          found.push({ path: inner, start: first.start, end, source, value: JSON.parse(source) });
        }
        token = next();
        if (token.source === ",") token = next();
      }
    };
    TOKEN.lastIndex = 0;
    if (text.trim()) { next(); members([]); }
    return found;
  };
  // The digits that count and their exponent: 0.50 and 5e-1 are the same number.
  const exactly = (text) => {
    const [mantissa, exponent = "0"] = text.toLowerCase().replace(/^-/, "").split("e");
    const [whole, fraction = ""] = mantissa.split(".");
    const all = (whole + fraction).replace(/^0+/, ""), digits = all.replace(/0+$/, "");
    return digits ? `${digits}e${Number(exponent) - fraction.length + all.length - digits.length}` : "0";
  };
  const whyNoNumber = (text) => {
    if (!NUMBER.test(text)) return "is a number, such as 12 or 0.75.";
    const kept = Number(text);
    if (/^-?\d+$/.test(text) || exactly(text) === exactly(String(kept))) return "";
    return Number.isFinite(kept) ? `cannot be kept to the digit; ${kept} can.` : "is too large a number.";
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
  const write = (path, source) => {
    const text = raw().value;
    const leaf = leaves(text).find((one) => JSON.stringify(one.path) === JSON.stringify(path));
    raw().value = text.slice(0, leaf.start) + source + text.slice(leaf.end);
  };
  const lines = (text, before) => text.split("\n").map((line) => (before.includes(line) ? line : line.trim())).filter(Boolean);

  const editor = ({ path, source, value }) => {
    if (typeof value === "boolean") {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: value, className: "form-check-input" });
      box.addEventListener("input", () => write(path, String(box.checked)));
      return box;
    }
    const list = Array.isArray(value), long = list || (typeof value === "string" && (value.length > 60 || value.includes("\n")));
    const field = document.createElement(long ? "textarea" : "input");
    field.className = "form-control form-control-sm";
    field.dir = "auto";
    if (long) field.rows = Math.min(Math.max(list ? value.length : 3, 2), 6);
    if (typeof value === "number") field.inputMode = "decimal";
    field.value = list ? value.join("\n") : typeof value === "number" ? source : value;
    field.addEventListener("input", () => {
      if (typeof value !== "number") return write(path, JSON.stringify(list ? lines(field.value, value) : field.value));
      const text = field.value.trim(), wrong = whyNoNumber(text);
      field.setAttribute("aria-invalid", String(Boolean(wrong)));
      problem(wrong && `${path.join(".")} ${wrong}`);
      if (!wrong) write(path, text);
    });
    return field;
  };
  const row = (leaf, at) => {
    const line = document.createElement("div"), label = document.createElement("label"), field = editor(leaf), { path, value } = leaf;
    field.id = `payload-${at}`;
    label.htmlFor = field.id;
    label.textContent = path.join(".");
    if (Array.isArray(value)) label.append(Object.assign(document.createElement("span"), { className: "muted", textContent: " one per line" }));
    line.className = typeof value === "boolean" ? "payload-row payload-check" : "payload-row";
    line.append(label, field);
    return line;
  };

  const build = () => {
    const place = form().querySelector("[data-payload-fields]"), understood = isObject(raw().value);
    place.replaceChildren();
    problem(understood || known() ? "" : "This is not a JSON object yet.");
    if (!understood) return 0;
    const all = leaves(raw().value), plain = all.filter(({ value }) => isPlain(value)).slice(0, MOST);
    place.append(...plain.map(row));
    const rest = all.length - plain.length;
    if (rest) place.append(Object.assign(document.createElement("p"), { className: "muted", textContent: `${rest} more in the raw JSON` }));
    return plain.length;
  };

  // What a field cannot take is not in the raw JSON, so it must not be submitted as if it were.
  document.addEventListener("submit", (event) => {
    const wrong = event.target === form() && form().querySelector("[data-payload-fields] [aria-invalid=true]");
    if (!wrong || form().dataset.outcome === "undecidable") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    wrong.focus();
  }, true);
  document.addEventListener("input", (event) => { if (event.target.id === "payload") build(); });
  document.addEventListener("htmx:load", () => {
    if (!form() || form().dataset.payload) return;
    form().dataset.payload = "yes";
    const shown = build(), wrong = raw().getAttribute("aria-invalid") === "true";
    if (isObject(raw().value) && !wrong) form().querySelector("[data-payload-raw]").open = !shown && raw().value.trim() !== "";
  });
})();
