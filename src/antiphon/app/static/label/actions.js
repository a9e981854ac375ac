// What keys, buttons and the mouse do to the clip at hand.

import { uuid } from "./dom.js";
import { Draft } from "./draft.js";
import { showHelp } from "./help.js";
import { showKeys } from "./layout.js";
import { showOptions } from "./options.js";
import { earlierClip, saidOf, showAnswer } from "./trail.js";
import { askLabel } from "./typeahead.js";

const EARLIER = 8;

const isTyping = (element) =>
  element && (element.isContentEditable || /^(TEXTAREA|SELECT)$/.test(element.tagName) ||
    (element.tagName === "INPUT" && !/^(checkbox|radio|button)$/.test(element.type)));

export class Actions {
  constructor(work) {
    this.work = work;
    this.ends = new AbortController();
    const { signal } = this.ends;
    const { root, states, note } = work.parts;
    document.addEventListener("keydown", (event) => this.key(event), { signal });
    // Buttons do not take the focus from a mouse: Space and Enter go on meaning the clip.
    root.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-command]");
      if (button) this.run(button.dataset.command, event);
      const radio = event.target.closest("[data-state][role=radio]");
      if (radio) this.tapAs(radio.dataset.state);
    });
    states.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const radios = [...states.children];
      const at = radios.findIndex((radio) => radio.dataset.state === work.tap);
      const next = radios[(at + step + radios.length) % radios.length];
      this.tapAs(next.dataset.state);
      next.focus();
    });
    note.addEventListener("input", () => {
      if (work.clip) work.clip.draft.note = note.value;
      work.keep();
    });
    note.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      note.blur();
    });
    const { view } = work.sight;
    view.on("box", ({ index }) => this.boxDrawn(index));
    view.on("boxchange", () => this.boxesChanged());
    view.on("boxselect", () => work.drawHint());
    for (const event of ["play", "stop"]) view.on(event, () => this.drawPlaying());
    view.on("error", ({ error }) => work.say(error.message));
  }

  end() {
    this.ends.abort();
  }

  key(event) {
    const { work } = this;
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const focus = document.activeElement;
    if (isTyping(focus)) return;
    const found = work.keys.find(event);
    if (!found) return;
    // A button reached by Tab keeps its own Space and Enter.
    if ((event.key === " " || event.key === "Enter") && focus?.closest("button, a, summary, [role=button]")) return;
    if (event.repeat && !["back", "next"].includes(found.command)) {
      event.preventDefault();
      return;
    }
    event.preventDefault();
    if (found.label) this.mark(found.label, found.state, true);
    else this.run(found.command, event);
  }

  run(command, event = {}) {
    const { work } = this;
    if (!work.clip && !["undo", "back", "help", "options", "queues", "saving"].includes(command)) return undefined;
    const since = event.timeStamp || performance.now();
    const { sight } = work;
    const view = { dimmer: () => sight.contrast(-1), brighter: () => sight.contrast(1), less: () => sight.around(-1), more: () => sight.around(1) };
    const does = {
      confirm: () => this.confirm(since),
      nothing: () => this.nothing(since),
      skip: () => this.answer("skip", since),
      undo: () => this.undo(),
      accept: () => this.accept(),
      add: () => this.add(),
      note: () => work.parts.note.focus(),
      complete: () => this.switchComplete(),
      back: () => this.back(since),
      next: () => this.next(since),
      play: () => sight.view.toggle(),
      loop: () => sight.loop(),
      slower: () => sight.speed(-1),
      faster: () => sight.speed(1),
      band: () => sight.hearBand(),
      scale: () => sight.change({ scale: sight.scaleOf(work.clip.window) === "mel" ? "linear" : "mel" }),
      pcen: () => sight.change({ pcen: !sight.prefs.pcen }),
      blind: () => this.switchBlind(),
      box: () => sight.view.addBox(),
      unbox: () => sight.view.removeBox(),
      leave: () => sight.view.selectBox(-1),
      help: () => showHelp(work.keys, work.labels, () => (showKeys(work.parts.root, work.keys), work.redraw())),
      options: () => showOptions(work),
      queues: () => work.page.leave(),
      saving: () => work.page.decide(true),
      ...view,
    }[command];
    does?.();
    if (work.clip) work.redraw();
    if (command in view) work.prefetch();
    return undefined;
  }

  // Marks

  mark(label, state, byKey = false) {
    const { work } = this;
    const { clip } = work;
    if (!clip) return;
    const { view } = work.sight;
    if (view.selectedBox >= 0 && state === "present") {
      this.nameBox(view.selectedBox, label);
      return;
    }
    const now = clip.draft.toggle(label, state);
    if (now === "present") this.boxesAre(label);
    this.boxesToView();
    work.say(`${label}: ${now ?? "nothing said"}`, { quiet: true });
    work.redraw();
    if (work.prefs.oneKey && byKey && now === "present") this.confirm(performance.now());
  }

  // The label of the next box is the one used last.
  boxesAre(label) {
    this.work.boxLabel = label;
    this.work.sight.view.boxLabel = label;
  }

  tapAs(state) {
    this.work.tap = state;
    this.work.redraw();
  }

  nothing(since) {
    const { clip } = this.work;
    const isOn = clip.draft.toggleNothing();
    this.boxesToView();
    this.work.say(isOn ? "Nothing here" : "Not “nothing here”", { quiet: true });
    if (isOn && this.work.prefs.oneKey) this.confirm(since);
  }

  accept() {
    const { work } = this;
    const likely = (work.suggested ?? []).filter((one) => one.probability >= work.prefs.threshold);
    for (const { label } of likely) {
      if (work.clip.draft.marks.get(label) !== "present") work.clip.draft.toggle(label, "present");
    }
    this.boxesToView();
    work.say(likely.length ? `Taken: ${likely.map((one) => one.label).join(", ")}` : "Nothing suggested is likely enough");
  }

  async add(index = null) {
    const { work } = this;
    const { clip } = work;
    const chosen = await askLabel(index === null ? "Add a label" : "What is in the box?");
    if (!chosen || work.clip !== clip) return null;
    try {
      const name = await work.addLabel(chosen);
      if (index !== null) this.nameBox(index, name);
      else if (clip.draft.marks.get(name) !== "present") this.mark(name, "present");
      showKeys(work.parts.root, work.keys);
      work.redraw();
      return name;
    } catch (error) {
      work.say(error.message);
      return null;
    }
  }

  switchComplete() {
    const { draft } = this.work.clip;
    const complete = !(draft.complete ?? this.work.prefs.complete);
    if (draft.complete !== null) draft.complete = complete;
    this.work.remember({ complete });
    this.work.say(complete ? "Unmarked labels count as absent" : "Nothing is said of unmarked labels");
  }

  switchBlind() {
    const blind = !this.work.prefs.blind;
    this.work.remember({ blind });
    this.work.say(blind ? "Blind: suggestions and others' answers are hidden" : "Suggestions are shown");
  }

  // Boxes: the view holds what is drawn, the draft what it means.

  boxDrawn(index) {
    const { work } = this;
    const { view } = work.sight;
    const { window, draft } = work.clip;
    const box = view.boxes[index];
    if (box.start_s >= window.end_s || box.end_s <= window.start_s) {
      view.removeBox();
      work.say("A box must touch the clip, the bright part.");
      return;
    }
    const marked = draft.of("present");
    const label = work.boxLabel ?? (marked.length === 1 ? marked[0] : null) ?? marked.at(-1) ?? "";
    if (!label) {
      this.add(index).then((name) => name ?? this.dropUnnamed());
      return;
    }
    draft.addBox({ ...box, label });
    work.boxLabel = label;
    this.boxesToView(index);
    work.redraw();
  }

  dropUnnamed() {
    this.boxesToView();
    this.work.redraw();
  }

  nameBox(index, label) {
    const { work } = this;
    const { draft } = work.clip;
    if (index >= draft.boxes.length) draft.addBox({ ...work.sight.view.boxes[index], label });
    else draft.nameBox(index, label);
    this.boxesAre(label);
    this.boxesToView(index);
    work.say(`Box: ${label}`, { quiet: true });
    work.redraw();
  }

  // Moved, resized or removed by hand.
  boxesChanged() {
    const { work } = this;
    if (!work.clip) return;
    work.clip.draft.setBoxes(work.sight.view.boxes.filter((box) => box.label));
    work.redraw();
  }

  boxesToView(selected = -1) {
    const { view } = this.work.sight;
    view.boxes = this.work.clip.draft.boxes;
    if (selected >= 0) view.selectBox(selected);
  }

  drawPlaying() {
    const { playing } = this.work.sight.view;
    this.work.parts.root.querySelector('[data-command="play"] .act-text').textContent = playing ? "Pause" : "Play";
  }

  // Answers

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
    this.answer(work.kind, since);
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
        this.boxesToView();
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
      work.page.outbox.add({ kind: "undo", key: uuid(), of: ref, at: Date.now(), isEarlier });
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
