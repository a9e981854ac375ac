// What the person is told of their answers' way to the server.

import { askConflict } from "./conflict.js";

export function drawSaved(element, outbox) {
  const stuck = outbox.stuck.length;
  const waiting = outbox.waiting - stuck;
  let text = "All saved";
  let state = "saved";
  if (waiting) {
    text = outbox.offline ? `Server not reached: ${waiting} kept here` : `${waiting} not saved yet`;
    state = outbox.offline ? "offline" : "saving";
  }
  if (stuck) {
    text = `${stuck} to decide${waiting ? `, ${waiting} not saved yet` : ""}`;
    state = "stuck";
  }
  if (outbox.waiting && outbox.isKept === false) text += " (this browser cannot keep them: do not close it)";
  if (element.textContent !== text) element.textContent = text;
  element.dataset.state = state;
}

// Put conflicts and refusals to the person, one after the other.
export class Decisions {
  constructor(outbox, { dropped = () => {} } = {}) {
    this.outbox = outbox;
    this.dropped = dropped;
    this.isAsking = false;
    this.later = new Set();
  }

  async ask(isWanted = false) {
    if (isWanted) this.later.clear();
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      for (;;) {
        const entry = this.outbox.stuck.find((one) => !this.later.has(one.key));
        if (!entry) return;
        await this._decide(entry);
      }
    } finally {
      this.isAsking = false;
    }
  }

  async _decide(entry) {
    if (entry.kind === "undo") {
      // What cannot be undone was undone before, or lies below a later answer.
      this.outbox.forget(entry);
      this.dropped(entry);
      return;
    }
    const decided = await askConflict({ stuck: entry.stuck, body: entry.body, clip: entry.name });
    if (decided === "keep") this.outbox.again(entry, { force: entry.stuck.kind === "conflict" });
    else if (decided === "drop") {
      const { stuck } = entry;
      this.outbox.forget(entry);
      this.dropped(entry, stuck);
    } else this.later.add(entry.key);
  }
}
