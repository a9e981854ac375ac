// Earlier answers: those of this session, and behind them those that the server remembers.

import { api } from "../frame/api.js";
import { Draft } from "./draft.js";
import { clipOf, placeOf } from "./strip.js";

const PAGE = 50;

// An answer of the server as what was said, null for a skip.
export function saidOf(answer) {
  if (!answer || answer.kind === "skip" || answer.kind === "retract") return null;
  const { present, absent, unsure, complete, boxes, note, scope } = answer;
  return { present, absent, unsure, complete, boxes, note, scope };
}

export class Trail {
  constructor() {
    // What was done here, in order: {clip, ref (key or id), before}.
    this.acts = [];
    this.older = [];
    this.before = null;
    this.isAtEnd = false;
    this.retracted = new Set();
    this.keys = new Set();
    this.mine = new Set();
  }

  push(act) {
    this.acts.push(act);
    this.keys.add(act.ref);
  }

  // Answers given here are on the server too; they are not to come up twice.
  note(key, id) {
    if (this.keys.has(key)) this.mine.add(id);
  }

  // The newest answer from before this page, or null.
  async earlier() {
    while (!this.older.length && !this.isAtEnd) await this._load();
    return this.older[0] ?? null;
  }

  take() {
    return this.older.shift();
  }

  // Windows answered before this page that are not in the strip, the newest last.
  async windows(strip, n) {
    const found = [];
    const seen = new Set(strip.clips.map((clip) => placeOf(clip.window)));
    for (let i = 0; found.length < n; i += 1) {
      if (i >= this.older.length) {
        if (this.isAtEnd) break;
        await this._load();
        i -= 1;
        continue;
      }
      const answer = this.older[i];
      const place = placeOf(answer.window);
      if (seen.has(place)) continue;
      seen.add(place);
      found.unshift(await earlierClip(answer));
    }
    return found;
  }

  async _load() {
    const before = this.before === null ? "" : `&before=${this.before}`;
    const { answers } = await api("GET", `/answers?mine=true&limit=${PAGE}${before}`);
    for (const answer of answers) if (answer.kind === "retract") this.retracted.add(answer.replaces);
    const standing = answers.filter(
      ({ id, kind }) => kind !== "retract" && !this.retracted.has(id) && !this.mine.has(id),
    );
    this.older.push(...standing);
    if (answers.length) this.before = answers.at(-1).id;
    if (answers.length < PAGE) this.isAtEnd = true;
  }
}

export async function earlierClip(answer) {
  const clip = clipOf({ window: await described(answer.window), seen: answer.id });
  clip.suggested = answer.suggested || [];
  showAnswer(clip, answer);
  return clip;
}

// Let a clip show what stands of it.
export function showAnswer(clip, answer) {
  clip.said = saidOf(answer);
  // What corrects a settlement is a settlement, whatever the queue at hand asks for.
  clip.kind = answer.kind === "settle" ? "settle" : "answer";
  clip.state = answer.kind === "skip" ? "skipped" : "answered";
  clip.draft = Draft.from(clip.said);
  clip.seen = Math.max(clip.seen, answer.id);
}

const names = new Map();

// Answers carry the span alone; the rest is asked of the recording.
async function described(window) {
  if (!names.has(window.recording)) {
    names.set(
      window.recording,
      api("GET", `/recordings/${window.recording}`).catch(() => {
        names.delete(window.recording);
        return {};
      }),
    );
  }
  const { name, site, sample_rate, duration_s, start_time, time } = await names.get(window.recording);
  const start = start_time ?? time;
  const moved = start ? new Date(Date.parse(`${start.slice(0, 19)}Z`) + 1000 * window.start_s) : null;
  return {
    ...window,
    name: name ?? `recording ${window.recording}`,
    site: site ?? null,
    sample_rate,
    duration_s,
    time: moved ? moved.toISOString().slice(0, 19) : null,
  };
}
