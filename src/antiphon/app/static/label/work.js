// Labelling: one clip after the other, by keys.

import { api } from "../frame/api.js";
import { Actions } from "./actions.js";
import { Chips } from "./chips.js";
import { Clock } from "./clock.js";
import { words } from "./conflict.js";
import { memory } from "../frame/dom.js";
import { Draft } from "./draft.js";
import { Keys } from "./keys.js";
import { build, pressed, showKeys } from "./layout.js";
import { drawSaved } from "./saving.js";
import { hz, Sight } from "./sight.js";
import { placeOf, Strip } from "./strip.js";
import { Trail } from "./trail.js";

const PREFETCH = 4;

export class Work {
  // page: {config, outbox, held, root, leave(), finished(queue)}
  constructor(page, queue, labels) {
    this.page = page;
    this.queue = queue;
    this.labels = labels;
    this.prefs = { complete: true, blind: false, oneKey: false, threshold: 0.5, ...memory.get("label", {}) };
    this.tap = "present";
    this.boxLabel = null;
    this.keys = new Keys(page.config.project);
    this.assignKeys();
    this.trail = new Trail();
    this.clock = new Clock();
    this.parts = build();
    page.root.replaceChildren(this.parts.root);
    this.sight = new Sight(this.parts.sight, (text) => this.say(text));
    this.strip = new Strip(queue, page.held, {
      person: page.config.person,
      unsent: () => page.outbox.items("answer"),
      busy: () => page.outbox.items("answer", "undo"),
    });
    this.chips = new Chips(this.parts.chips, this, { onmark: (name, state) => this.actions.mark(name, state ?? this.tap) });
    this.actions = new Actions(this);
    this.strip.addEventListener("filled", () => this.filled());
    this.strip.addEventListener("lost", () =>
      this.say("Your hold on this clip ran out, and somebody else has it now. If both of you answer, both are kept."));
    this._savedListener = () => this.drawSaved();
    page.outbox.addEventListener("change", this._savedListener);
    showKeys(this.parts.root, this.keys);
  }

  // What the chips show.

  get clip() {
    return this.strip.clip;
  }

  get draft() {
    return this.clip?.draft ?? { marks: new Map(), boxes: [] };
  }

  get suggested() {
    return this.prefs.blind ? null : this.clip?.suggested ?? [];
  }

  get threshold() {
    return this.prefs.threshold;
  }

  get kind() {
    return this.queue.kind === "disagreement" ? "settle" : "answer";
  }

  assignKeys() {
    const often = [...this.labels].sort((a, b) => (b.present ?? 0) - (a.present ?? 0));
    this.keys.assign(often.map((label) => label.name));
  }

  async start() {
    // Read before anything is drawn, which writes it.
    const kept = this.kept();
    await this.strip.fill();
    const again = kept && this.strip.clips.findIndex((clip) => placeOf(clip.window) === kept.place);
    if (kept && again >= 0) {
      const clip = this.strip.clips[again];
      clip.draft = Draft.from(kept.said, kept.nothing);
      clip.draft.complete = kept.complete;
      this.strip.clips.splice(again, 1);
      this.strip.clips.unshift(clip);
    }
    this.strip.at = 0;
    this.isStarted = true;
    await this.show();
  }

  filled() {
    if (!this.isStarted) return;
    if (!this._shown && this.clip) this.show();
    else if (!this.clip) this.drawEmpty();
    this.drawProgress();
    this.prefetch();
  }

  // Bring the clip at hand onto the screen.
  async show(since = performance.now()) {
    const clip = this.clip;
    this._shown = clip;
    if (!clip) return this.drawEmpty();
    this.page.ended?.remove();
    this.parts.root.classList.remove("empty");
    this.clock.of(clip);
    clip.wasShown = true;
    if (!this.prefs.blind) clip.suggestionsSeen = true;
    this.parts.note.value = clip.draft.note;
    const shown = this.sight.show(clip.window);
    this.sight.view.boxes = clip.draft.boxes;
    this.redraw();
    this.announce();
    const { superseded } = await shown;
    if (superseded || this.clip !== clip) return undefined;
    performance.measure("antiphon clip change", { start: since, end: performance.now() });
    if (this.sight.prefs.autoplay) this.sight.view.play();
    this.prefetch();
    return undefined;
  }

  async prefetch() {
    // One at a time: the clip on the screen comes first.
    const turn = (this._turn = (this._turn ?? 0) + 1);
    for (const clip of this.strip.coming(PREFETCH)) {
      if (turn !== this._turn) return;
      await this.sight.prefetch(clip.window);
    }
  }

  redraw() {
    const { root, speed, slow, caption } = this.parts;
    const { sight, clip, prefs } = this;
    if (this.sight.view.boxLabel !== this.boxLabel) this.sight.view.boxLabel = this.boxLabel;
    this.chips.draw();
    this.drawProgress();
    this.drawSaved();
    this.drawHint();
    pressed(root, "loop", sight.view.loop);
    pressed(root, "band", sight.band !== null);
    pressed(root, "pcen", sight.prefs.pcen);
    pressed(root, "blind", prefs.blind);
    pressed(root, "complete", clip?.draft.complete ?? prefs.complete);
    pressed(root, "nothing", Boolean(clip?.draft.nothing));
    speed.textContent = `${sight.view.rate}×`;
    for (const radio of this.parts.states.children) {
      radio.setAttribute("aria-checked", String(radio.dataset.state === this.tap));
      radio.tabIndex = radio.dataset.state === this.tap ? 0 : -1;
    }
    if (!clip) return;
    pressed(root, "scale", sight.scaleOf(clip.window) === "mel");
    const factor = sight.slowOf(clip.window);
    slow.textContent = factor === 1 ? "" : `${factor}× slower`;
    root.querySelector('[data-command="accept"]').disabled = !this.suggested?.some((one) => one.probability >= prefs.threshold);
    caption.replaceChildren(...this.captionParts());
    const before = this.parts.before;
    const others = this.prefs.blind ? [] : clip.others.filter((answer) => answer.annotator !== this.page.config.person);
    before.hidden = !others.length;
    before.textContent = `${this.kind === "settle" ? "To settle. " : ""}${others.map((answer) => `${answer.annotator}: ${words(answer)}`).join(" · ")}`;
    this.keep();
  }

  captionParts() {
    const { window, state, isKnown, kind } = this.clip;
    const name = document.createElement("strong");
    name.textContent = window.name ?? "";
    const time = window.time ? String(window.time).slice(0, 16).replace("T", " ") : null;
    const rate = window.sample_rate ? `${+(window.sample_rate / 1000).toPrecision(4)} kHz` : null;
    const facts = [window.site, time, `${+window.start_s.toFixed(2)}–${+window.end_s.toFixed(2)} s`, rate].filter(Boolean);
    const stand = { answered: kind === "settle" ? "your settlement" : "your earlier answer", skipped: "you skipped this" }[state]
      ?? (isKnown ? "you answered this before" : null);
    return [name, ` · ${facts.join(" · ")}`, ...(stand ? [` · ${stand}`] : [])];
  }

  drawProgress() {
    const { queue, progress, count, pace } = this.parts;
    const total = this.queue.total;
    const done = Math.max(0, total - this.strip.left);
    queue.textContent = `${this.queue.name} ▾`;
    queue.setAttribute("aria-label", `Queue ${this.queue.name}. Choose another`);
    progress.max = Math.max(total, 1);
    progress.value = done;
    count.textContent = `${done} of ${total}`;
    const speed = this.clock.pace;
    const held = this.strip.open.length;
    pace.textContent = [speed && `${speed < 10 ? speed.toFixed(1) : Math.round(speed)} a minute`, `${held} held for you`].filter(Boolean).join(" · ");
  }

  drawSaved() {
    drawSaved(this.parts.saved, this.page.outbox);
  }

  drawHint() {
    const { view } = this.sight;
    const box = view.boxes[view.selectedBox];
    this.parts.hint.hidden = !box;
    this.parts.root.querySelector('[data-command="unbox"]').hidden = !box;
    if (!box) return;
    this.parts.hint.textContent =
      `${(box.end_s - box.start_s).toFixed(2)} s, ${hz(box.low_hz)} to ${hz(box.high_hz)} · a label's key renames it`;
  }

  drawEmpty() {
    const { root } = this.parts;
    this._shown = null;
    root.classList.add("empty");
    this.sight.view.stop();
    this.page.finished(this);
  }

  announce() {
    const { window } = this.clip;
    const likely = (this.suggested ?? []).map((one) => `${one.label} ${Math.round(100 * one.probability)} percent`);
    this.say(
      [`Clip ${this.queue.total - this.strip.left + 1} of ${this.queue.total}`, window.site, likely.length && `Suggested: ${likely.join(", ")}`]
        .filter(Boolean).join(". "), { quiet: true });
  }

  // Told to screen readers, and shown for a moment unless the page shows it anyway.
  say(text, { quiet = false } = {}) {
    const { live, toast } = this.parts;
    live.textContent = text;
    if (quiet) return;
    toast.textContent = text;
    toast.classList.add("shown");
    clearTimeout(this._toast);
    this._toast = setTimeout(() => toast.classList.remove("shown"), 2600);
  }

  remember(prefs) {
    Object.assign(this.prefs, prefs);
    memory.set("label", this.prefs);
    if (this.clip && !this.prefs.blind) this.clip.suggestionsSeen = true;
    this.redraw();
  }

  // What is marked but not confirmed outlives a reload of the page.
  keep() {
    const { clip } = this;
    const { project } = this.page.config;
    try {
      if (!clip || clip.state !== "open" || clip.draft.isEmpty) sessionStorage.removeItem(`antiphon.draft.${project}`);
      else {
        sessionStorage.setItem(
          `antiphon.draft.${project}`,
          JSON.stringify({ queue: this.queue.id, place: placeOf(clip.window), said: clip.draft.said(false), nothing: clip.draft.nothing, complete: clip.draft.complete }),
        );
      }
    } catch {
      // No storage, no memory of drafts.
    }
  }

  kept() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(`antiphon.draft.${this.page.config.project}`));
      return kept?.queue === this.queue.id ? kept : null;
    } catch {
      return null;
    }
  }

  boxesToView(selected = -1) {
    const { view } = this.sight;
    view.boxes = this.clip.draft.boxes;
    if (selected >= 0) view.selectBox(selected);
  }

  async addLabel(chosen) {
    const { name, scientific_name, common_name, rank } = chosen;
    let label = this.labels.find((one) => one.name === name);
    if (!label) {
      const known = Object.fromEntries(Object.entries({ scientific_name, common_name, rank }).filter(([, value]) => value));
      label = await api("POST", "/labels", { name, ...known });
      this.labels.push(label);
      this.keys.assign([label.name]);
    }
    return label.name;
  }

  async leave() {
    this.page.outbox.removeEventListener("change", this._savedListener);
    this.actions.end();
    this.clock.pause();
    this.sight.view.destroy();
    await this.strip.leave();
  }
}
