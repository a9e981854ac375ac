// The clips of this session in a row: earlier ones, the one on the screen, those to come.

import { api } from "../frame/api.js";
import { Draft } from "./draft.js";

// Fewer clips at hand than this, and more are asked for.
const AHEAD = 7;
const MOST = 10;
const RENEW_MS = 100_000;
const IDLE_MS = 600_000;

export const placeOf = (window) =>
  [window.recording, window.channel ?? -1, window.start_s, window.end_s].join("/");

// person: whose earlier answer to the window, if there is one, is shown to begin with.
export function clipOf(given, person = null) {
  const { window, suggested = [], answers = [] } = given;
  const mine = answers.find((answer) => answer.annotator === person && answer.kind === "answer");
  return {
    item: given.item ?? null,
    window,
    suggested,
    others: answers,
    seen: given.seen ?? 0,
    draft: mine ? Draft.from(mine) : new Draft(),
    isKnown: Boolean(mine),
    // answer or settle, where it is another than the queue's.
    kind: null,
    // What stands of the person, null where nothing does.
    said: null,
    state: "open",
    spent: 0,
    wasShown: false,
    suggestionsSeen: false,
  };
}

export class Strip extends EventTarget {
  constructor(queue, held, { person, unsent, busy }) {
    super();
    this.queue = queue;
    this.held = held;
    this.person = person;
    // Items of answers on their way, and of answers and undos.
    this.unsent = unsent;
    this.busy = busy;
    this.clips = [];
    this.at = 0;
    this.left = queue.left ?? queue.total - queue.done - queue.skipped;
    this.counted = 0;
    this.failure = null;
    this.moved = Date.now();
    this._filling = null;
    this._timer = setInterval(() => {
      // Who walked away holds nothing for longer than a lease after ten minutes.
      if (Date.now() - this.moved < IDLE_MS) this.fill(true);
    }, RENEW_MS);
  }

  get clip() {
    return this.clips[this.at] ?? null;
  }

  get open() {
    return this.clips.filter((clip) => clip.state === "open" && clip.item !== null);
  }

  // The next clips that will be shown, for fetching them before.
  coming(n) {
    return this.clips.slice(this.at + 1).filter((clip) => clip.state === "open").slice(0, n);
  }

  go(index) {
    this.at = index;
    this.moved = Date.now();
    this.fill();
  }

  // On to the clip to be answered next; past the end when none is at hand.
  onward() {
    const after = this.clips.findIndex((clip, i) => i > this.at && clip.state === "open");
    const any = this.clips.findIndex((clip) => clip.state === "open");
    this.go(after >= 0 ? after : any >= 0 ? any : this.clips.length);
  }

  // An answer closed a clip of the queue (-1), or an undo opened it (1).
  count(step) {
    this.left = Math.max(0, this.left + step);
    this.counted += 1;
  }

  insert(clip) {
    this.clips.splice(this.at, 0, clip);
    this.moved = Date.now();
  }

  prepend(clips) {
    this.clips.unshift(...clips);
    this.at += clips.length;
  }

  find(window) {
    const place = placeOf(window);
    return this.clips.find((clip) => placeOf(clip.window) === place) ?? null;
  }

  get isAsking() {
    return this._filling !== null;
  }

  // Ask for more clips when few are left, or only hold those at hand for longer.
  fill(renewing = false) {
    if (this._filling) return this._filling;
    const ahead = this.coming(AHEAD).length + (this.clip?.state === "open" ? 1 : 0);
    if (!renewing && ahead >= AHEAD) return Promise.resolve();
    this._filling = this._ask(Math.max(0, MOST - ahead))
      .then(() => (this.failure = null))
      .catch((error) => (this.failure = error))
      .finally(() => {
        this._filling = null;
        this.dispatchEvent(new Event("filled"));
      });
    return this._filling;
  }

  async _ask(n) {
    const own = this.open.map((clip) => clip.item);
    // Answers on their way close their items soon: those are not to come again.
    const holding = [...new Set([...own, ...this.unsent(), ...this.held.others()])];
    const before = this.busy();
    const [quiet, counted] = [!this.unsent().length, this.counted];
    const [given, queue] = await Promise.all([
      api("POST", `/queues/${this.queue.id}/next`, { n, holding }),
      api("GET", `/queues/${this.queue.id}`),
    ]);
    // A queue may grow or be chosen anew while it is labelled.
    this.left = Math.max(0, this.left + queue.total - this.queue.total);
    Object.assign(this.queue, queue);
    // An item whose answer is just being taken back looks closed to the server.
    const moving = [...before, ...this.busy()];
    const lost = new Set((given.lost || []).filter((item) => !moving.includes(item)));
    const current = this.clip;
    this.clips = this.clips.filter((clip) => clip === current || clip.state !== "open" || !lost.has(clip.item));
    const at = current ? this.clips.indexOf(current) : this.clips.length;
    const known = new Set(this.open.map((clip) => clip.item));
    for (const item of given.items) {
      if (known.has(item.item) || this.unsent().includes(item.item)) continue;
      const clip = clipOf(item, this.person);
      // A settlement outweighs everybody: of labels that are not marked, people may agree.
      if (this.queue.kind === "disagreement" && !clip.isKnown) clip.draft.complete = false;
      this.clips.push(clip);
    }
    this.at = at;
    // With an answer on its way meanwhile, nobody knows whether the server has counted it.
    if (quiet && counted === this.counted && !this.unsent().length) this.left = given.left;
    if (current && current.item !== null && current.state === "open" && lost.has(current.item)) {
      this.dispatchEvent(new CustomEvent("lost", { detail: current }));
    }
    this.held.set(this.open.map((clip) => clip.item));
  }

  // Let go of what will not be answered here.
  async leave() {
    clearInterval(this._timer);
    const items = this.open.map((clip) => clip.item);
    this.held.set([]);
    if (items.length) await api("POST", `/queues/${this.queue.id}/release`, { items }).catch(() => {});
  }
}
