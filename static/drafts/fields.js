// What a decision form says, as plain texts, and a form filled from such texts.
(() => {
  // The form lists its fields (reviewapp/annotations/fields.py); the label is both a choice among buttons and a text.
  const others = () => document.getElementById("decision").dataset.fields.split(" ");
  const words = () => ["choice", "label", ...others()];
  const CARRIED = ["decision_id", "base", "base_version", "result_id", "opened", "draft", "outcome"];
  const lines = (text) => String(text ?? "").replace(/\r\n?/g, "\n");
  const field = (form, name) => form.querySelector(`[name="${name}"]:not([type=radio])`);

  const read = (form) => {
    const data = new FormData(form), texts = {};
    for (const name of [...words(), ...CARRIED]) texts[name] = lines(data.get(name));
    // A draft stays with what its writer began from, also when newer values have been brought into the form.
    texts.base = data.get("was_base") || texts.base;
    return texts;
  };
  const label = (one) => one.label || one.choice || "";
  const same = (one, other) =>
    (one.outcome || "") === (other.outcome || "") && label(one) === label(other) && others().every((name) => lines(one[name]).trim() === lines(other[name]).trim());

  const write = (form, texts) => {
    for (const name of CARRIED) if (texts[name] !== undefined && field(form, name)) field(form, name).value = texts[name];
    const radios = [...form.querySelectorAll("[name=choice]")], wanted = radios.find((one) => one.value === texts.choice);
    for (const radio of radios) radio.checked = !texts.label && radio === wanted;
    if (field(form, "label")) field(form, "label").value = texts.label || (wanted ? "" : texts.choice || "");
    for (const name of others()) if (field(form, name)) field(form, name).value = texts[name] ?? "";
    window.reviewapp.cannotTell.show(texts.outcome === "undecidable");
    form.dataset.typed = "yes";
    for (const name of others()) {
      field(form, name).dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "filled" }));
    }
  };

  window.reviewapp.fields = { read, write, same };
})();
