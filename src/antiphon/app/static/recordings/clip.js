// A detection or a recording close up: see, hear, label, find more like it.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";
import { button, clock, dot, get, moment } from "./common.js";
import { SpectrogramView } from "../media/spectrogram.js";
import { suited } from "../media/urls.js";

const WINDOW_S = 10;

export class Clip {
  constructor({ colour, opened }) {
    Object.assign(this, { colour, opened });
    this.title = h("h2", { id: "clip-title" });
    this.facts = h("p", { class: "dim" });
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    this.back = button("‹", () => this.step?.(-1), { "aria-label": "One before (K)", title: "One before (K)" });
    this.on = button("›", () => this.step?.(1), { "aria-label": "Next one (J)", title: "Next one (J)" });
    this.play = button("Play", () => this.view.toggle(), { class: "", title: "Space" });
    this.context = h("select", { "aria-label": "Seconds around it", onchange: () => this.#context() },
      [["0", "no context"], ["1", "± 1 s"], ["3", "± 3 s"], ["10", "± 10 s"], ["30", "± 30 s"]].map(([value, text]) =>
        h("option", { value, selected: value === "3" }, text)));
    this.label = button("Label this", () => this.#label(), { title: "Makes a queue of it and opens the page Label" });
    this.alike = h("a", { class: "button plain", title: "Opens the page Search" }, "More like this");
    this.picture = h("div", { class: "clip-picture" });
    this.element = h("section", { class: "clip", "aria-labelledby": "clip-title", hidden: true },
      h("div", { class: "clip-bar" }, this.back, this.on,
        h("div", { class: "clip-name" }, this.title, this.facts), this.said,
        this.context, this.play, this.label, this.alike, button("✕", () => this.close(), { "aria-label": "Close", title: "Close (Esc)" })),
      this.picture);
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  // span: {recording, channel, start_s, end_s, name, site, start_time, label?, score?}
  async show(span, { step = null, from = null } = {}) {
    this.span = span;
    this.step = step;
    this.from = from;
    const fresh = this.element.hidden;
    this.element.hidden = false;
    this.opened(true);
    this.view ??= this.#made();
    if (fresh) this.element.scrollIntoView({ block: "end" });
    this.back.hidden = this.on.hidden = !step;
    this.title.replaceChildren(...(span.label
      ? [dot(this.colour(span.label)), `${span.label} `, h("span", { class: "dim" }, `score ${span.score.toFixed(2)}`)]
      : [span.name]));
    const begins = span.start_time ? `${clock(span.start_time).slice(0, 10)} ${moment(span.start_time, span.start_s)}` : "start time unknown";
    this.facts.textContent = `${begins} · ${span.site || "site unknown"} · ${span.name} · ` +
      `${span.start_s.toFixed(1)} to ${span.end_s.toFixed(1)} s`;
    this.said.textContent = "";
    const search = new URLSearchParams();
    for (const name of ["recording", "channel", "start_s", "end_s"]) search.set(name, span[name]);
    this.alike.href = `${window.antiphon.root}/search?${search}`;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const known = await this.#recording(span.recording);
    if (turn !== this.turn) return;
    this.recording = known;
    await this.#draw();
    if (turn !== this.turn) return;
    // A long span is no example to search by: its best window is.
    const best = (await this.#windows()).at(0);
    if (turn !== this.turn || !best) return;
    for (const name of ["channel", "start_s", "end_s"]) search.set(name, best[name]);
    this.alike.href = `${window.antiphon.root}/search?${search}`;
  }

  #made() {
    const view = new SpectrogramView(this.picture, { draw: false, label: "Spectrogram", height: 210 });
    view.on("play", () => { this.play.textContent = "Pause"; });
    view.on("stop", () => { this.play.textContent = "Play"; });
    view.on("error", ({ error }) => { this.said.textContent = error.message; });
    return view;
  }

  async #recording(id) {
    if (this.recording?.id === id) return this.recording;
    return get(`/recordings/${id}`);
  }

  #draw() {
    const { span, recording } = this;
    const window = { recording: span.recording, channel: span.channel, start_s: span.start_s, end_s: span.end_s,
      name: span.name, sample_rate: recording.sample_rate, duration_s: recording.duration_s };
    return this.view.show(window, { ...suited(window), context_s: Number(this.context.value) });
  }

  #context() {
    this.#draw().catch((error) => { this.said.textContent = error.message; });
  }

  // The detected windows within the span, best first; its own start where nothing was detected.
  async #windows() {
    const { span } = this;
    if (!span.label) {
      return [{ channel: span.channel, start_s: span.start_s, end_s: Math.min(span.end_s, span.start_s + WINDOW_S) }];
    }
    const found = await get("/detections", { run: span.run, recording: span.recording, label: span.label, limit: 1000, sort: "score", descending: true });
    return found.rows.filter((row) => row.channel === span.channel && row.start_s >= span.start_s - 1e-6 && row.end_s <= span.end_s + 1e-6);
  }

  async #label() {
    try {
      const windows = (await this.#windows()).map((row) => ({
        recording: this.span.recording, channel: row.channel, start_s: row.start_s, end_s: row.end_s }));
      await toQueue(windows, `${this.span.label ?? "Chosen"} in ${this.span.name}`);
    } catch (error) {
      this.said.textContent = error.message;
    }
  }

  close() {
    this.turn = (this.turn ?? 0) + 1;
    this.view?.stop();
    this.element.hidden = true;
    this.opened(false);
    const { from } = this;
    if (from?.isConnected) from.focus();
  }

  #key(event) {
    if (this.element.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || event.target.closest?.("input, select, textarea")) return;
    const onControl = event.target.closest?.("button, a, tr");
    if (event.key === " " && !onControl) this.view.toggle();
    else if (event.key === "j" && this.step) this.step(1);
    else if (event.key === "k" && this.step) this.step(-1);
    else if (event.key === "p") this.view.toggle();
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }
}

// Make a queue of windows and open the page Label with it.
export async function toQueue(windows, name) {
  const made = await api("POST", "/queues", {
    kind: "chosen", n: windows.length, mine: true, windows, name: name.slice(0, 100) });
  window.location.assign(`${window.antiphon.root}/label?queue=${made.id}`);
}
