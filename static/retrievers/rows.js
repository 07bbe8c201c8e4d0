// The label editor: its buttons move, remove and add rows at once, where without this file the server does it.
(() => {
  const list = () => document.querySelector("[data-rows-list]");
  const blank = () => {
    const row = list().querySelector("[data-row]").cloneNode(true);
    for (const field of row.querySelectorAll("input")) field.value = "";
    for (const field of row.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    row.querySelector("select").selectedIndex = 0;
    const error = row.querySelector(".field-error");
    if (error) error.remove();
    paint(row);
    return row;
  };
  const empty = () => [...list().children].find((row) => [...row.querySelectorAll("input")].every((field) => !field.value.trim()));
  const paint = (row) => {
    const cell = row.querySelector("[data-hue]");
    cell.className = `label-cell hue-${row.querySelector("select").value}`;
  };
  const number = () => [...list().children].forEach((row, at) => {
    for (const button of row.querySelectorAll("[data-move]")) {
      button.value = `${button.dataset.move}:${at}`;
      button.setAttribute("aria-label", `${button.dataset.move === "remove" ? "Remove" : "Move"} label ${at + 1}${button.dataset.move === "remove" ? "" : ` ${button.dataset.move}`}`);
    }
  });
  const ACTIONS = {
    up: (row) => row.previousElementSibling && row.previousElementSibling.before(row),
    down: (row) => row.nextElementSibling && row.nextElementSibling.after(row),
    remove: (row) => { if (list().children.length === 1) list().append(blank()); row.remove(); },
    add: () => {
      const row = empty() || blank();
      if (!row.isConnected) list().append(row);
      row.querySelector("input").focus();
    },
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    ACTIONS[button.dataset.move](button.closest("[data-row]"));
    number();
    list().dispatchEvent(new CustomEvent("guards:touched", { bubbles: true }));
    if (button.isConnected && button.dataset.move !== "add") button.focus();
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "colour") paint(event.target.closest("[data-row]"));
  });
})();
