// Answers and their undoing, and going back and forth among them.

import { uuid } from "../frame/dom.js";
import { Draft } from "./draft.js";
import { earlierClip, saidOf, showAnswer } from "./trail.js";

// Clips fetched at once on the way back past the beginning of the session.
const EARLIER = 8;

export class Answering {
  constructor(work) {
    this.work = work;
  }

  confirm(since) {
    const { work } = this;
    const { clip } = work;
    if (clip.draft.isEmpty) {
      work.say("Mark a label, say “nothing here”, or skip.");
      return;
    }
    if (clip.said && same(clip.said, clip.draft.said(work.prefs.complete))) {
      this.onward(since);
      return;
    }
    this.answer(clip.kind ?? work.kind, since);
  }

  answer(kind, since) {
    const { work } = this;
    const { clip } = work;
    const { recording, channel, start_s, end_s } = clip.window;
    const key = uuid();
    const said = kind === "skip" ? new Draft().said(false) : clip.draft.said(work.prefs.complete);
    // What comes back by undo: of a skip the marks that were there, of an answer what it said.
    const draft = kind === "skip" ? clip.draft.copy() : Draft.from(said, clip.draft.nothing);
    work.trail.push({ clip, ref: key, before: { said: clip.said, state: clip.state }, draft });
    if (kind !== "skip") clip.draft = draft.copy();
    const seconds = work.clock.take();
    if (clip.state === "open" && clip.item !== null) work.strip.count(-1);
    clip.state = kind === "skip" ? "skipped" : "answered";
    clip.said = kind === "skip" ? null : said;
    const body = {
      window: { recording, channel, start_s, end_s }, ...said, kind, key, seen: clip.seen, item: clip.item, seconds,
      suggested: clip.suggestionsSeen ? clip.suggested : null, force: false,
    };
    work.page.outbox.add({ kind: "answer", key, body, at: Date.now(), name: clip.window.name ?? null });
    this.onward(since);
  }

  onward(since) {
    this.work.strip.onward();
    this.work.show(since);
  }

  // The server has it.
  saved({ entry, answer }) {
    const { work } = this;
    if (!answer) return;
    if (entry.kind === "undo") {
      const clip = work.strip.find(answer.retracted.window);
      if (!clip) return;
      // Below an answer from before this page there may be one that stands again.
      if (entry.isEarlier && answer.standing && clip.state === "open") showAnswer(clip, answer.standing);
      clip.seen = Math.max(clip.seen, answer.retracted.id, answer.item?.seen ?? 0);
      if (clip.item === null) clip.item = answer.item?.item ?? null;
      if (answer.item?.suggested?.length && !clip.suggested.length) clip.suggested = answer.item.suggested;
      if (clip === work.clip) {
        work.boxesToView();
        work.redraw();
      }
      return;
    }
    work.trail.note(entry.key, answer.id);
    const clip = work.strip.find(answer.window);
    if (clip) clip.seen = Math.max(clip.seen, answer.id);
  }

  async undo() {
    const { work } = this;
    const { trail, strip } = work;
    if (this.undoing) return;
    this.undoing = true;
    try {
      const act = trail.acts.pop();
      if (act) this.takeBack(act);
      else await this.takeBackEarlier();
    } catch (error) {
      work.say(error.message);
    } finally {
      this.undoing = false;
    }
    if (strip.clip) work.redraw();
  }

  takeBack({ clip, ref, before, draft, isEarlier = false }) {
    const { work } = this;
    const wasSkip = clip.state === "skipped";
    clip.said = before.said;
    clip.state = before.state;
    // An open clip shows what was about to be said, another what stands again.
    clip.draft = before.state === "open" ? draft : Draft.from(before.said);
    if (clip.state === "open" && clip.item !== null) work.strip.count(1);
    if (!work.page.outbox.cancel(ref)) {
      work.page.outbox.add({ kind: "undo", key: uuid(), of: ref, item: clip.item, at: Date.now(), isEarlier });
    }
    const at = work.strip.clips.indexOf(clip);
    if (at >= 0) work.strip.go(at);
    else work.strip.insert(clip);
    work.show().then(() => work.say(wasSkip ? "Skip taken back" : "Answer taken back"));
  }

  async takeBackEarlier() {
    const { work } = this;
    const answer = await work.trail.earlier();
    if (!answer) {
      work.say("There is nothing left to undo.");
      return;
    }
    const there = work.strip.find(answer.window);
    const clip = there ?? (await earlierClip(answer));
    work.trail.take();
    clip.item ??= answer.item;
    const before = { said: null, state: "open" };
    this.takeBack({ clip, ref: answer.id, before, draft: Draft.from(saidOf(answer)), isEarlier: true });
  }

  // Looking back and forth

  async back(since) {
    const { work } = this;
    const { strip } = work;
    if (strip.at === 0) {
      try {
        strip.prepend(await work.trail.windows(strip, EARLIER));
      } catch (error) {
        work.say(error.message);
        return;
      }
    }
    if (strip.at === 0) {
      work.say("This is your first clip.");
      return;
    }
    strip.go(strip.at - 1);
    work.show(since);
  }

  next(since) {
    const { work } = this;
    if (work.strip.at + 1 >= work.strip.clips.length) {
      work.say("There is no further clip at hand yet.");
      return;
    }
    work.strip.go(work.strip.at + 1);
    work.show(since);
  }

  // The person gave up an answer that another's was in the way of.
  dropped(entry, stuck) {
    const { work } = this;
    if (entry.kind === "undo") {
      work.say("This answer had been taken back before.");
      return;
    }
    work.trail.acts = work.trail.acts.filter((act) => act.ref !== entry.key);
    const clip = work.strip.find(entry.body.window);
    if (!clip) return;
    Object.assign(clip, { said: null, state: "skipped", draft: new Draft(), others: stuck?.answers ?? clip.others });
    if (clip === work.clip) work.show();
  }
}

// Whether an earlier answer says the same as the marks on the screen.
function same(one, other) {
  const plain = ({ present, absent, unsure, complete, boxes, note }) =>
    JSON.stringify([[...present].sort(), [...absent].sort(), [...unsure].sort(), complete, boxes, note ?? null]);
  return plain(one) === plain(other);
}
