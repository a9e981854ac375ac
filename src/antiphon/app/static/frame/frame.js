// What all pages have in common: the light switch, the menu and the line that says how things are.

const ROOT = () => window.antiphon.root;
// What is saved is said for so long.
const SAID_MS = 4000;
let fading = null;

// Say something in the line at the top. `state` is ok, busy, warn or bad; warn and bad stay.
export function say(text, state = "ok") {
  const line = document.getElementById("app-status");
  if (!line) return;
  clearTimeout(fading);
  line.dataset.state = state;
  line.querySelector(".text").textContent = text;
  const link = line.querySelector("a");
  link.hidden = true;
  if (state === "ok" || state === "busy") fading = setTimeout(() => clear(line), SAID_MS);
}

function clear(line) {
  line.dataset.state = "";
  line.querySelector(".text").textContent = "";
  line.querySelector("a").hidden = true;
}

window.addEventListener("antiphon:saved", () => say("Saved"));
window.addEventListener("antiphon:offline", () =>
  say("No connection. Trying again; what was saved is safe.", "bad"));
window.addEventListener("antiphon:online", () => say("Connected again"));
window.addEventListener("antiphon:login", () => {
  say("You are logged out.", "bad");
  const link = document.querySelector("#app-status a");
  if (link) link.hidden = false;
});

// Vue draws the page after this script ran, so clicks are caught on the way up.
document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("#theme-switch")) {
    window.antiphonTheme.toggle();
    label();
  }
  if (target?.closest("a.skip")) {
    event.preventDefault();
    const main = document.getElementById("main");
    main?.focus();
    main?.scrollIntoView();
  }
  const menu = document.querySelector("details.person[open]");
  if (menu && !menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.person[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("submit", async (event) => {
  if (!(event.target instanceof Element) || !event.target.matches("form.logout")) return;
  event.preventDefault();
  const { api } = await import("./api.js");
  try {
    await api("POST", "/logout");
  } finally {
    window.location.assign(`${ROOT()}/login`);
  }
});

function label() {
  const button = document.getElementById("theme-switch");
  const dark = document.documentElement.dataset.theme === "dark";
  button?.setAttribute("aria-pressed", String(dark));
}

// NiceGUI loads the page anew when its socket finds a server that was started again. Where the
// page talks to the interface by itself, that would only lose what is being typed: the socket is
// given up instead.
function keepPage(socket) {
  if (window.antiphon.live) return;
  socket.on("disconnect", () => socket.disconnect());
}

function settle() {
  if (!window.socket || !document.getElementById("theme-switch")) {
    setTimeout(settle, 30);
    return;
  }
  window.antiphonTheme.apply();
  label();
  keepPage(window.socket);
  document.querySelector('nav.pages [aria-current="page"]')?.scrollIntoView({ inline: "nearest", block: "nearest" });
}
window.addEventListener("antiphon:theme", label);
settle();
