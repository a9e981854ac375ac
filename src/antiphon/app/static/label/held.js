// Clips that other tabs of the same browser have open: the server knows people, not tabs.

import { uuid } from "../frame/dom.js";

const FRESH_MS = 45_000;
const BEAT_MS = 10_000;

export class Held {
  constructor(place) {
    this.prefix = `antiphon.held.${place}.`;
    // A copied tab copies its session storage, so the name is taken out while it is in use.
    this.tab = sessionStorage.getItem("antiphon.tab") || uuid();
    sessionStorage.removeItem("antiphon.tab");
    addEventListener("pagehide", () => {
      sessionStorage.setItem("antiphon.tab", this.tab);
      localStorage.removeItem(this.prefix + this.tab);
    });
    addEventListener("pageshow", () => this.items && this.set(this.items));
    this.items = null;
    setInterval(() => this.items && this.set(this.items), BEAT_MS);
  }

  set(items) {
    this.items = items;
    try {
      localStorage.setItem(this.prefix + this.tab, JSON.stringify({ at: Date.now(), items }));
    } catch {
      // Without storage two tabs may show the same clip; the server keeps one answer.
    }
  }

  // Items that other tabs hold.
  others() {
    const found = [];
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(this.prefix) || name === this.prefix + this.tab) continue;
      try {
        const { at, items } = JSON.parse(localStorage.getItem(name));
        if (Date.now() - at < FRESH_MS) found.push(...items);
        else localStorage.removeItem(name);
      } catch {
        localStorage.removeItem(name);
      }
    }
    return found;
  }
}
