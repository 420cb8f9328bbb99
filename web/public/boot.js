// Sets the theme before the first paint, so that a dark page never flashes white. Kept in a file of its own
// because the content security policy allows no inline script. The key is written by src/shared/preferences.ts.
(() => {
  let theme = "system";
  try {
    theme = JSON.parse(localStorage.getItem("finer.device") || "{}").theme || theme;
  } catch {
    // A browser that refuses storage gets the system's theme.
  }
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
