// A classic script, loaded before anything is painted: a reader who follows the system gets its
// theme at once, and follows its changes.
(() => {
  const root = document.documentElement;
  const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

  function followTheme() {
    const { theme } = root.dataset;
    const isDark = theme === "dark" || (theme === "system" && systemIsDark.matches);
    root.dataset.bsTheme = isDark ? "dark" : "light";
  }

  systemIsDark.addEventListener("change", followTheme);
  new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-theme"] });
  followTheme();
})();
