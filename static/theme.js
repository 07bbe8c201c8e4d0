// Loaded before anything is painted: a reader who follows the system gets its theme at once, and follows its changes.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    const theme = root.dataset.theme;
    root.dataset.bsTheme = theme === "dark" || (theme === "system" && dark.matches) ? "dark" : "light";
  };
  // The person's menu: the server has kept the choice, and the page follows without losing what is typed on it.
  document.addEventListener("theme", (event) => {
    root.dataset.theme = event.detail.value;
    follow();
    for (const button of document.querySelectorAll(".theme button")) {
      button.setAttribute("aria-pressed", String(button.value === event.detail.value));
    }
    const choice = document.querySelector(`.preferences [name="theme"][value="${event.detail.value}"]`);
    if (choice) choice.checked = true;
  });
  dark.addEventListener("change", follow);
  follow();
})();
