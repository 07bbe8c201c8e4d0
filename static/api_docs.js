// The page of the API: Swagger UI is dark where the page is.

import "./page.js";

const root = document.documentElement;
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

function followTheme() {
  const { theme } = root.dataset;
  const isDark = theme === "dark" || (theme === "system" && systemIsDark.matches);
  root.classList.toggle("dark-mode", isDark);
}

systemIsDark.addEventListener("change", followTheme);
new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-theme"] });
followTheme();
