// What a person is about to say of one clip: marks, boxes, note.

export const STATES = ["present", "absent", "unsure"];

export class Draft {
  constructor() {
    this.marks = new Map();
    this.boxes = [];
    this.nothing = false;
    this.note = "";
    // Whether unmarked labels are absent; null: as the switch stands.
    this.complete = null;
    // Boxes of a label that was just taken off, so that a second key press brings them back.
    this._kept = new Map();
  }

  static from(said, nothing = false) {
    const draft = new Draft();
    for (const state of STATES) for (const name of said?.[state] || []) draft.marks.set(name, state);
    draft.boxes = (said?.boxes || []).map((box) => ({ ...box }));
    draft.note = said?.note || "";
    draft.nothing = nothing || Boolean(said?.complete && !draft.of("present").length && !draft.of("unsure").length);
    // An earlier answer keeps what it says of unmarked labels; "nothing here" says it by itself.
    if (said && !draft.nothing) draft.complete = said.complete;
    return draft;
  }

  copy() {
    const copy = Draft.from(this.said(false), this.nothing);
    copy.complete = this.complete;
    return copy;
  }

  of(state) {
    return [...this.marks].filter(([, value]) => value === state).map(([name]) => name);
  }

  get isEmpty() {
    return this.marks.size === 0 && !this.nothing;
  }

  // Put a label into a state, or out of it when it is in it already.
  toggle(name, state) {
    const before = this.marks.get(name);
    if (before === state) this.marks.delete(name);
    else this.marks.set(name, state);
    const now = this.marks.get(name);
    if (before === "present" && now !== "present") {
      const own = this.boxes.filter((box) => box.label === name);
      if (own.length) this._kept.set(name, own);
      this.boxes = this.boxes.filter((box) => box.label !== name);
    }
    if (now === "present") {
      this.nothing = false;
      if (!this.boxes.some((box) => box.label === name)) {
        this.boxes.push(...(this._kept.get(name) || []));
      }
      this._kept.delete(name);
    }
    return now;
  }

  // "Nothing here" takes back what was said to be there.
  toggleNothing() {
    this.nothing = !this.nothing;
    if (this.nothing) {
      for (const name of this.of("present")) this.toggle(name, "present");
      for (const name of this.of("unsure")) this.marks.delete(name);
    }
    return this.nothing;
  }

  // A box marks its label; a mark that only boxes made goes with the last of them.
  addBox(box) {
    this.boxes.push({ ...box, made: !this.marks.has(box.label) });
    this._marked(box.label);
  }

  // Another label for a box.
  nameBox(index, label) {
    const old = this.boxes[index];
    const made = label === old.label ? old.made : !this.marks.has(label);
    this.boxes[index] = { ...old, label, made };
    this._marked(label);
    this._unmark(old);
  }

  setBoxes(boxes) {
    const gone = this.boxes.filter((box) => !boxes.some((other) => other.label === box.label));
    this.boxes = boxes;
    for (const box of gone) this._unmark(box);
  }

  _marked(label) {
    this.nothing = false;
    this.marks.set(label, "present");
  }

  _unmark({ label, made }) {
    if (made && !this.boxes.some((box) => box.label === label)) this.marks.delete(label);
  }

  said(complete) {
    return {
      present: this.of("present"),
      absent: this.of("absent"),
      unsure: this.of("unsure"),
      complete: (this.complete ?? complete) || this.nothing,
      boxes: this.boxes.map(({ label, start_s, end_s, low_hz, high_hz }) => ({ label, start_s, end_s, low_hz, high_hz })),
      note: this.note.trim() || null,
    };
  }
}
