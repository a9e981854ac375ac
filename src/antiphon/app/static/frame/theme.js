// Light or dark before anything is drawn: what was chosen here before, or what the system wants.
// Not a module, so that it runs before the page's first paint.
(() => {
  const KEY = "antiphon-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage may be shut off.
    }
  }

  function apply() {
    const kept = chosen();
    const theme = kept === "light" || kept === "dark" ? kept : system.matches ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
    window.Quasar?.Dark?.set(theme === "dark");
    window.dispatchEvent(new CustomEvent("antiphon:theme", { detail: { theme } }));
  }

  window.antiphonTheme = {
    apply,
    toggle() {
      const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      try {
        localStorage.setItem(KEY, next);
      } catch {
        document.documentElement.dataset.theme = next;
      }
      apply();
    },
  };
  system.addEventListener("change", apply);
  window.addEventListener("storage", (event) => event.key === KEY && apply());
  apply();
})();
