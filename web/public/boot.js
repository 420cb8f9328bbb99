// Runs before the app. Kept in a file of its own because the content security policy allows no inline script.
(() => {
  // Browsers that know Trusted Types ask this policy for every text that would become HTML. The app makes none but
  // the style sheets of its components, whose only angle brackets name CSS types. So any other tag is an injection,
  // and a script is never made of text.
  const cssType = /(["'])<(angle|color|image|integer|length|number|percentage|time)>\1/g;
  globalThis.trustedTypes?.createPolicy("default", {
    createHTML: (text) => (text.replace(cssType, "").includes("<") ? null : text),
  });
  // The theme is set before the first paint, so that a dark page never flashes white. src/shared/preferences.ts writes
  // the key.
  let theme = "system";
  try {
    theme = JSON.parse(localStorage.getItem("finer.device") || "{}").theme || theme;
  } catch {
    // A browser that refuses storage gets the system's theme.
  }
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
