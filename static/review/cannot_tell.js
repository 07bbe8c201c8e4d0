// "Can't tell" is a state of the decision form: the hidden `outcome` says so, and the primary button submits that. The
// button or its key enters the state; Escape, the other button or choosing a label leaves it.
(() => {
  const UNDECIDABLE = "undecidable", NOTE = "cannot-tell-note";
  const form = () => document.getElementById("decision");
  const reasoning = () => form().querySelector("#reasoning");
  const isOn = () => Boolean(form()) && form().dataset.outcome === UNDECIDABLE;
  const say = (value) => document.dispatchEvent(new CustomEvent("say", { detail: { value } }));

  const show = (on) => {
    form().dataset.outcome = on ? UNDECIDABLE : "";
    form().querySelector("[name=outcome]").value = on ? UNDECIDABLE : "";
    for (const field of form().querySelectorAll("[data-field]:not([data-field=label], [data-field=reasoning])")) field.inert = on;
    const others = (reasoning().getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== NOTE);
    reasoning().setAttribute("aria-describedby", (on ? [NOTE, ...others] : others).join(" "));
  };
  const change = (on) => {
    if (on === isOn()) return;
    show(on);
    // Who only looks at the state has written nothing that would be worth a draft.
    const isWritten = "typed" in form().dataset || reasoning().value !== reasoning().defaultValue;
    if (isWritten) window.reviewapp.keeping.changed();
  };
  const enter = () => {
    change(true);
    say("Can't tell. Write why you can't tell, then submit.");
    reasoning().focus();
  };
  const leave = () => {
    change(false);
    const label = form().querySelector("[name=choice]:checked, #label") || form().querySelector("[name=choice]");
    if (label) label.focus();
    say("The label is submitted again.");
  };

  document.addEventListener("click", (event) => {
    if (!form() || !form().contains(event.target)) return;
    if (event.target.closest("[data-action=cannot_tell]")) {
      event.preventDefault();
      enter();
    } else if (event.target.closest("[data-leave-cannot-tell]")) {
      leave();
    } else if (event.target.matches("[name=choice]")) {
      change(false);
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "label" && event.target.value) change(false);
  });

  window.reviewapp.cannotTell = { isOn, show, leave };
})();
