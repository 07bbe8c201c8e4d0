// The decision form's conveniences: slider and presets for the confidence, one label at a time, the counter.
(() => {
  const form = () => document.getElementById("decision");
  const at = (selector) => form().querySelector(selector);

  const confidence = () => {
    const value = at("#confidence").value.trim();
    const number = Number(value);
    const usable = value !== "" && number >= 0 && number <= 1;
    const slider = at("[data-slider]");
    slider.value = usable ? number : 0.5;
    slider.classList.toggle("is-blank", !usable);
    slider.setAttribute("aria-valuetext", usable ? value : "blank");
    for (const preset of form().querySelectorAll("[data-preset]")) {
      preset.setAttribute("aria-pressed", String(usable && Number(preset.dataset.preset) === number));
    }
  };
  const setConfidence = (value) => {
    at("#confidence").value = value;
    at("#confidence").dispatchEvent(new Event("input", { bubbles: true }));
  };
  // The machine's reasoning becomes the person's, below what they have written already.
  const useMachineReasoning = () => {
    const reasoning = at("#reasoning"), machine = document.querySelector("[data-machine-reasoning]").textContent;
    if (reasoning.value.includes(machine)) { reasoning.focus(); return; }
    reasoning.value = reasoning.value.trim() ? `${reasoning.value.trimEnd()}\n${machine}` : machine;
    reasoning.dispatchEvent(new Event("input", { bubbles: true }));
    reasoning.focus();
  };
  const counter = () => {
    const shown = at("[data-count-of=reasoning]");
    // Characters as the server counts them: an emoji is one.
    const length = [...at("#reasoning").value].length, most = Number(shown.dataset.most);
    shown.textContent = `${length.toLocaleString()} / ${most.toLocaleString()}`;
    shown.classList.toggle("is-over", length > most);
  };
  const takeMine = (field) => {
    const mine = at(`[data-keep="${field}"][value=mine]`);
    if (mine && !mine.checked) { mine.checked = true; showTaken(field, false); }
  };
  const showTaken = (field, taken) => at(`[data-field="${field}"]`).classList.toggle("is-taken", taken);

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!form() || !form().contains(field)) return;
    if (field.id === "confidence") confidence();
    if (field.id === "reasoning") counter();
    if (field.matches("[data-slider]")) setConfidence(field.value);
    if (field.id === "label" && field.value) for (const radio of form().querySelectorAll("[name=choice]:checked")) radio.checked = false;
    if (field.name === "choice" && at("#label")) at("#label").value = "";
    if (field.dataset.keep) showTaken(field.dataset.keep, field.value === "theirs");
    else if (field.closest("[data-field]")) takeMine(field.closest("[data-field]").dataset.field);
  });
  document.addEventListener("click", (event) => {
    const preset = event.target.closest("[data-preset]");
    if (preset) setConfidence(preset.dataset.preset);
    if (event.target.closest("[data-action=take_reasoning]")) useMachineReasoning();
  });
  document.addEventListener("htmx:load", () => {
    if (!form() || form().dataset.started) return;
    form().dataset.started = "yes";
    confidence();
    counter();
    for (const theirs of form().querySelectorAll("[data-keep][value=theirs]:checked")) showTaken(theirs.dataset.keep, true);
  });
})();
