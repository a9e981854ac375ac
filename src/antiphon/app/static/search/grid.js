// Windows as a grid of spectrograms: point, listen, select many by mouse or keyboard.

import { h } from "../frame/dom.js";
import { audioUrl, suited, thumbnailUrl } from "../media/urls.js";
import { clock } from "./clip.js";

export const keyOf = (w) => `${w.recording}:${w.channel}:${w.start_s}:${w.end_s}`;

export class Grid {
  // options: changed() when the selection is another, alike(window), settings() for thumbnails,
  // hover() -> whether pointing at a window plays it.
  constructor(options) {
    this.options = options;
    this.hits = [];
    this.tiles = [];
    this.keys = new Set();
    this.selected = new Set(); // positions
    this.anchor = 0;
    this.at = 0;
    this.sound = new Audio();
    this.sound.addEventListener("timeupdate", () => this.#cursor());
    this.sound.addEventListener("ended", () => this.stop());
    this.element = h("div", {
      class: "grid", role: "listbox", "aria-multiselectable": "true", "aria-label": "Windows found",
      onkeydown: (event) => this.#key(event),
    });
  }

  clear() {
    this.stop();
    this.hits = [];
    this.tiles = [];
    this.keys.clear();
    this.selected.clear();
    this.at = this.anchor = 0;
    this.element.replaceChildren();
    this.options.changed();
  }

  // Add a page of hits; one that is there already (the table may grow meanwhile) is left out.
  add(hits, by) {
    const fresh = hits.filter((hit) => !this.keys.has(keyOf(hit.window)));
    for (const hit of fresh) {
      this.keys.add(keyOf(hit.window));
      const tile = this.#tile(hit, this.hits.length, by);
      this.hits.push(hit);
      this.tiles.push(tile);
      this.element.append(tile);
    }
    if (this.tiles.length === fresh.length) this.#focusable(0);
    return fresh.length;
  }

  // Show what annotations say now.
  say(position, said) {
    this.hits[position].said = said;
    this.tiles[position].querySelector(".chips").replaceChildren(...chips(said));
    this.#name(position);
  }

  windows() {
    return [...this.selected].sort((a, b) => a - b).map((i) => this.hits[i].window);
  }

  select(positions, { add = false } = {}) {
    const wanted = new Set(add ? [...this.selected, ...positions] : positions);
    for (const i of new Set([...this.selected, ...wanted])) {
      this.tiles[i].setAttribute("aria-selected", String(wanted.has(i)));
    }
    this.selected = wanted;
    this.options.changed();
  }

  toggle(i) {
    const wanted = new Set(this.selected);
    if (!wanted.delete(i)) wanted.add(i);
    this.select(wanted);
  }

  play(i) {
    if (this.playing === i) {
      this.stop();
      return;
    }
    this.stop();
    this.playing = i;
    this.tiles[i].classList.add("playing");
    this.sound.src = audioUrl(this.hits[i].window, suited(this.hits[i].window));
    // Refused until the person has touched the page; then the next try plays.
    this.sound.play().catch(() => this.stop());
  }

  stop() {
    this.sound.pause();
    if (this.playing !== undefined) {
      this.tiles[this.playing]?.classList.remove("playing");
      this.tiles[this.playing]?.style.removeProperty("--played");
    }
    this.playing = undefined;
  }

  #tile(hit, i, by) {
    const { window: w } = hit;
    const alike = `${window.antiphon.root}/search?recording=${w.recording}&channel=${w.channel}` +
      `&start_s=${w.start_s}&end_s=${w.end_s}`;
    const tile = h("div", { class: "tile", role: "option", "aria-selected": "false", tabindex: "-1" },
      h("div", { class: "picture" },
        h("img", { src: thumbnailUrl(w, this.options.settings(w), { width: 320, height: 160 }), alt: "",
          loading: "lazy", decoding: "async", draggable: "false" }),
        h("span", { class: "tick", "aria-hidden": "true" }, "✓"),
        h("button", { type: "button", class: "tile-play", tabindex: "-1", "aria-label": "Play", title: "Play (P)",
          onclick: (event) => { event.stopPropagation(); this.play(i); } }, "▶")),
      by === "order" ? null : h("div", { class: "meter" }, h("i", { style: { width: `${100 * shareOf(hit.score)}%` } })),
      h("div", { class: "facts" },
        by === "order" ? null : score(hit.score, by),
        h("span", { class: "when", title: when(w) }, w.time ? when({ ...w, site: null }, false) : clock(w.start_s)),
        h("a", { class: "alike", href: alike, tabindex: "-1", title: "More like this (M)",
          onclick: (event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            event.stopPropagation();
            this.options.alike(w);
          } }, "≈ like it")),
      h("div", { class: "name", title: `${w.name}, ${clock(w.start_s)}` }, w.name.split("/").pop(), w.time ? ` · ${clock(w.start_s)}` : ""),
      h("div", { class: "chips" }, chips(hit.said)),
    );
    tile.addEventListener("click", (event) => this.#click(event, i));
    tile.addEventListener("pointerenter", () => this.options.hover() && this.playing !== i && this.play(i));
    tile.addEventListener("pointerleave", () => this.options.hover() && this.playing === i && this.stop());
    tile.addEventListener("focus", () => {
      this.at = i;
      if (this.options.hover() && this.playing !== i && tile.matches(":focus-visible")) this.play(i);
    });
    tile.setAttribute("aria-label", spoken(hit, by));
    tile.by = by;
    return tile;
  }

  #name(i) {
    this.tiles[i].setAttribute("aria-label", spoken(this.hits[i], this.tiles[i].by));
  }

  #click(event, i) {
    this.#focusable(i);
    this.tiles[i].focus({ preventScroll: true });
    if (event.shiftKey) this.select(range(this.anchor, i), { add: event.ctrlKey || event.metaKey });
    else {
      this.toggle(i);
      this.anchor = i;
    }
  }

  #key(event) {
    const columns = this.#columns();
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns,
      Home: -this.at, End: this.tiles.length - 1 - this.at };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in steps) {
      const next = Math.min(this.tiles.length - 1, Math.max(0, this.at + steps[key]));
      if (event.shiftKey) this.select(range(this.anchor, next));
      else this.anchor = next;
      this.#focusable(next);
      this.tiles[next].focus();
    } else if (key === "a" && (event.ctrlKey || event.metaKey)) {
      this.select(range(0, this.tiles.length - 1));
    } else if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    } else if (key === " ") {
      this.toggle(this.at);
      this.anchor = this.at;
    } else if (key === "p" || key === "Enter") {
      this.play(this.at);
    } else if (key === "m") {
      this.options.alike(this.hits[this.at].window);
    } else if (key === "Escape") {
      this.select([]);
    } else {
      return;
    }
    event.preventDefault();
  }

  #columns() {
    const top = this.tiles[0]?.offsetTop;
    const next = this.tiles.findIndex((tile) => tile.offsetTop !== top);
    return next < 0 ? Math.max(1, this.tiles.length) : next;
  }

  #focusable(i) {
    if (this.tiles[this.at]) this.tiles[this.at].tabIndex = -1;
    this.at = i;
    if (this.tiles[i]) this.tiles[i].tabIndex = 0;
  }

  #cursor() {
    const { duration, currentTime } = this.sound;
    if (this.playing !== undefined && duration > 0) {
      this.tiles[this.playing]?.style.setProperty("--played", currentTime / duration);
    }
  }
}

function range(a, b) {
  const [low, high] = a < b ? [a, b] : [b, a];
  return Array.from({ length: high - low + 1 }, (_, k) => low + k);
}

const shareOf = (score) => Math.min(1, Math.max(0, score));

function score(value, by) {
  const words = by === "similarity" ? "Similarity to the example" : "Probability";
  return h("span", { class: "score", title: words }, value.toFixed(2));
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// The site and the local time at which the window begins.
export function when(w, withYear = true) {
  const [year, month, day] = (w.time ?? "").slice(0, 10).split("-");
  const local = w.time
    ? `${Number(day)} ${MONTHS[month - 1]}${withYear ? ` ${year}` : ""}, ${w.time.slice(11, 19)}`
    : `${clock(w.start_s)} into the recording`;
  return w.site ? `${w.site}, ${local}` : local;
}

function chips(said) {
  return Object.entries(said).filter(([, presence]) => presence === "present")
    .map(([name]) => h("span", { class: "chip" }, name));
}

function spoken(hit, by) {
  const { window: w, said, score: value } = hit;
  const labels = Object.keys(said).filter((name) => said[name] === "present");
  const rank = { similarity: `similarity ${value.toFixed(2)}`, probability: `probability ${value.toFixed(2)}` }[by];
  return [rank, w.name, when(w), labels.length ? `labelled ${labels.join(", ")}` : null].filter(Boolean).join(", ");
}
