// What keys, buttons and the mouse do to the clip at hand.

import { focused } from "../frame/dom.js";
import { Answering } from "./answering.js";
import { showHelp } from "./help.js";
import { showKeys } from "./layout.js";
import { showOptions } from "./options.js";
import { askLabel } from "./typeahead.js";

const isTyping = (element) =>
  element && (element.isContentEditable || /^(TEXTAREA|SELECT)$/.test(element.tagName) ||
    (element.tagName === "INPUT" && !/^(checkbox|radio|button)$/.test(element.type)));

export class Actions {
  constructor(work) {
    this.work = work;
    this.answering = new Answering(work);
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
    const focus = focused();
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
    const { work, answering } = this;
    if (!work.clip && !["undo", "back", "help", "options", "queues", "saving"].includes(command)) return undefined;
    const since = event.timeStamp || performance.now();
    const { sight } = work;
    const view = { dimmer: () => sight.contrast(-1), brighter: () => sight.contrast(1), less: () => sight.around(-1), more: () => sight.around(1) };
    const does = {
      confirm: () => answering.confirm(since),
      nothing: () => this.nothing(since),
      skip: () => answering.answer("skip", since),
      undo: () => answering.undo(),
      accept: () => this.accept(),
      add: () => this.add(),
      note: () => work.parts.note.focus(),
      complete: () => this.switchComplete(),
      back: () => answering.back(since),
      next: () => answering.next(since),
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
    this.work.boxesToView();
    work.say(`${label}: ${now ?? "nothing said"}`, { quiet: true });
    work.redraw();
    if (work.prefs.oneKey && byKey && now === "present") this.answering.confirm(performance.now());
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

  async nothing(since) {
    const { work } = this;
    const { clip } = work;
    // "None of the labels" says nothing while there is none.
    if (!work.labels.length && !(await this.firstLabel())) return;
    if (work.clip !== clip) return;
    const isOn = clip.draft.toggleNothing();
    this.work.boxesToView();
    this.work.say(isOn ? "Nothing here" : "Not “nothing here”", { quiet: true });
    if (isOn && this.work.prefs.oneKey) this.answering.confirm(since);
    work.redraw();
  }

  // The first label of a project, not marked in this clip; whether there is one now.
  async firstLabel() {
    const { work } = this;
    try {
      const chosen = await askLabel("What do you look for?", "“Nothing here” means none of your labels, and there are none yet. Name one: it counts as absent in this clip.");
      if (!chosen) return false;
      await work.addLabel(chosen);
      return true;
    } catch (error) {
      work.say(error.message);
      return false;
    } finally {
      showKeys(work.parts.root, work.keys);
      work.redraw();
    }
  }

  accept() {
    const { work } = this;
    const likely = (work.suggested ?? []).filter((one) => one.probability >= work.prefs.threshold);
    for (const { label } of likely) {
      if (work.clip.draft.marks.get(label) !== "present") work.clip.draft.toggle(label, "present");
    }
    this.work.boxesToView();
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
    this.work.boxesToView(index);
    work.redraw();
  }

  dropUnnamed() {
    this.work.boxesToView();
    this.work.redraw();
  }

  nameBox(index, label) {
    const { work } = this;
    const { draft } = work.clip;
    if (index >= draft.boxes.length) draft.addBox({ ...work.sight.view.boxes[index], label });
    else draft.nameBox(index, label);
    this.boxesAre(label);
    this.work.boxesToView(index);
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

  drawPlaying() {
    const { playing } = this.work.sight.view;
    this.work.parts.root.querySelector('[data-command="play"] .act-text').textContent = playing ? "Pause" : "Play";
  }
}
