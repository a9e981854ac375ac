// Which key does what. Labels have keys of their own; commands keep theirs unless rebound.

import { memory } from "../frame/dom.js";

export const COMMANDS = [
  ["confirm", "Enter", "Confirm and go on", "Answer"],
  ["nothing", "0", "Nothing here", "Answer", ["n"]],
  ["skip", "s", "Skip this clip", "Answer"],
  ["undo", "u", "Undo my last answer", "Answer", ["Ctrl+z"]],
  ["accept", "y", "Accept likely suggestions", "Answer"],
  ["add", "/", "Add a label", "Answer", ["a"]],
  ["note", "m", "Write a note", "Answer"],
  ["complete", "c", "Unmarked labels are absent: on or off", "Answer"],
  ["back", "ArrowLeft", "Back to an earlier clip", "Move", ["Backspace"]],
  ["next", "ArrowRight", "Forward without an answer", "Move"],
  ["play", "Space", "Play or pause", "Listen"],
  ["loop", "l", "Loop", "Listen"],
  ["slower", ",", "Slower", "Listen"],
  ["faster", ".", "Faster", "Listen"],
  ["band", "b", "Hear only the visible or boxed band", "Listen"],
  ["dimmer", "-", "Less contrast", "See"],
  ["brighter", "+", "More contrast", "See", ["="]],
  ["less", "[", "Less around the clip", "See"],
  ["more", "]", "More around the clip", "See"],
  ["scale", "f", "Linear or mel frequency", "See"],
  ["pcen", "p", "PCEN (evens out steady noise)", "See"],
  ["blind", "h", "Hide suggestions (blind)", "See"],
  ["unbox", "Delete", "Remove the selected box", "Boxes"],
  ["leave", "Escape", "Let go of the box or note", "Boxes"],
  ["help", "?", "List of keys", "Help"],
].map(([name, key, text, group, also = []]) => ({ name, key, text, group, also }));

const DIGITS = "123456789".split("");
const LETTERS = "abcdefghijklmnopqrstuvwxyz".split("");

// The key of an event: digits by place (Shift+1 is still 1), letters by the layout in use.
export function keyOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code || "");
  // With AltGr a digit's key writes a sign, such as [ on a German keyboard.
  const sign = event.getModifierState?.("AltGraph") || (event.altKey && event.ctrlKey);
  if (digit && !sign) return digit[1];
  if (event.key === " ") return "Space";
  const letter = /^Key([A-Z])$/.exec(event.code || "");
  // Alt writes other letters on a Mac.
  if (letter && event.altKey && !sign) return letter[1].toLowerCase();
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

export function show(key) {
  const names = { Space: "Space", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", Delete: "Del", Enter: "Enter" };
  return names[key] || (key.length === 1 ? key.toUpperCase() : key);
}

export class Keys {
  constructor(project) {
    this.place = `keys.${project}`;
    const kept = memory.get(this.place, {});
    this.labels = new Map(Object.entries(kept.labels || {}));
    this.changed = new Map(Object.entries(kept.commands || {}));
  }

  command(name) {
    return this.changed.get(name) || COMMANDS.find((c) => c.name === name).key;
  }

  // What a key means: {command} or {label, state}, or null.
  find(event) {
    const key = keyOf(event);
    if (event.ctrlKey || event.metaKey) {
      return key === "z" && !event.altKey ? { command: "undo" } : this._sign(key);
    }
    for (const [label, own] of this.labels) {
      if (own === key) {
        return { label, state: event.altKey ? "unsure" : event.shiftKey ? "absent" : "present" };
      }
    }
    if (event.altKey) return null;
    const isLetter = /^[a-z]$/.test(key);
    if (isLetter && event.shiftKey) return null;
    for (const { name } of COMMANDS) if (this.command(name) === key) return { command: name };
    for (const { name, also } of COMMANDS) if (also.includes(key)) return { command: name };
    return null;
  }

  // Signs that a layout writes with AltGr arrive as Ctrl+Alt.
  _sign(key) {
    if (!"[]/+-?".includes(key)) return null;
    const found = COMMANDS.find(({ name }) => this.command(name) === key);
    return found ? { command: found.name } : null;
  }

  // Give each label without a key the next free one; keys once given stay.
  assign(names) {
    const taken = new Set([...this.labels.values(), ...this._commandKeys()]);
    for (const name of names) {
      if (this.labels.has(name)) continue;
      const free = [...DIGITS, ...LETTERS].find((key) => !taken.has(key));
      if (!free) break;
      this.labels.set(name, free);
      taken.add(free);
    }
    this._remember();
  }

  // Whoever had the key gets the old one in exchange. Returns a sentence when it cannot be.
  bindLabel(name, key) {
    if (!/^[1-9a-z]$/.test(key)) return "A label needs a digit from 1 to 9 or a letter.";
    const command = COMMANDS.find((c) => this.command(c.name) === key);
    if (command) return `${show(key)} is taken: ${command.text}. Change that first.`;
    const old = this.labels.get(name);
    for (const [other, own] of this.labels) {
      if (own === key && other !== name) {
        if (old) this.labels.set(other, old);
        else this.labels.delete(other);
      }
    }
    this.labels.set(name, key);
    this._remember();
    return "";
  }

  bindCommand(name, key) {
    if (["Tab", "Shift", "Control", "Alt", "Meta"].includes(key)) return `${key} cannot be used.`;
    const label = [...this.labels].find(([, own]) => own === key);
    if (label) return `${show(key)} is taken by the label ${label[0]}. Change that first.`;
    const old = this.command(name);
    const other = COMMANDS.find((c) => c.name !== name && this.command(c.name) === key);
    if (other) this.changed.set(other.name, old);
    this.changed.set(name, key);
    this._remember();
    return "";
  }

  reset() {
    this.labels.clear();
    this.changed.clear();
    this._remember();
  }

  _commandKeys() {
    return COMMANDS.flatMap(({ name, also }) => [this.command(name), ...also]);
  }

  _remember() {
    memory.set(this.place, {
      labels: Object.fromEntries(this.labels),
      commands: Object.fromEntries(this.changed),
    });
  }
}
