// The parts of the page at work: what is where, and which command a button stands for.

import { h } from "../frame/dom.js";
import { COMMANDS, show } from "./keys.js";

// A button for a command; every key has one, for fingers and for those who look for it.
function button(name, text, { className = "", title = null } = {}) {
  const does = COMMANDS.find((command) => command.name === name)?.text ?? text;
  return h(
    "button",
    { type: "button", class: `act ${className}`, data: { command: name }, title: title ?? does },
    h("span", { class: "act-text" }, text),
    h("kbd", { "aria-hidden": "true" }),
  );
}

const group = (label, ...parts) => h("div", { class: "group", role: "group", "aria-label": label }, ...parts);

export function build() {
  const parts = {
    queue: h("button", { type: "button", class: "act quiet", title: "Choose another queue", data: { command: "queues" } }),
    progress: h("progress", { max: 1, value: 0, "aria-label": "Share of the queue that is done" }),
    count: h("span", { class: "count" }),
    pace: h("span", { class: "muted pace" }),
    saved: h("button", { type: "button", class: "saved", data: { command: "saving" } }),
    caption: h("p", { class: "caption" }),
    sight: h("div", { class: "sight" }),
    hint: h("p", { class: "box-hint", hidden: true }),
    before: h("p", { class: "before", hidden: true }),
    chips: h("div", { class: "chips", role: "group", "aria-label": "Labels" }),
    states: h("div", { class: "states", role: "radiogroup", "aria-label": "A tap on a label marks it as" }),
    note: h("input", { type: "text", class: "note", placeholder: "Note", "aria-label": "Note", maxlength: "2000" }),
    speed: h("span", { class: "value", title: "Speed" }),
    slow: h("span", { class: "value slow", title: "Time expansion" }),
    toast: h("div", { class: "toast", "aria-hidden": "true" }),
    live: h("div", { class: "hidden-text", role: "status", "aria-live": "polite" }),
  };
  parts.root = h(
    "div",
    { class: "label-work" },
    h(
      "header",
      { class: "bar top", "aria-label": "Progress" },
      parts.queue, parts.progress, parts.count, parts.pace,
      h("span", { class: "spring" }),
      h("div", { role: "status" }, parts.saved),
      button("options", "Options"),
      button("help", "Keys"),
    ),
    h("section", { class: "clip", "aria-label": "Clip" },
      h("div", { class: "over-clip" }, parts.caption, parts.hint), parts.sight),
    h(
      "div",
      { class: "bar listen", role: "group", "aria-label": "Listen and see" },
      group("Listen",
        button("play", "Play", { className: "play" }), button("loop", "Loop"),
        button("slower", "−"), parts.speed, button("faster", "+"),
        parts.slow, button("band", "Band")),
      h("span", { class: "spring" }),
      group("See",
        button("dimmer", "−"), h("span", { class: "value" }, "Contrast"), button("brighter", "+"),
        button("less", "−"), h("span", { class: "value" }, "Around"), button("more", "+"),
        button("scale", "Mel"), button("pcen", "PCEN"), button("blind", "Blind")),
    ),
    h(
      "section",
      { class: "labels", "aria-label": "Labels" },
      parts.before,
      parts.chips,
      h(
        "div",
        { class: "under-labels" },
        h("span", { class: "muted", id: "mark-as" }, "Tap marks"), parts.states,
        button("add", "Add a label"), button("accept", "Accept likely"),
        button("complete", "Unmarked = absent"),
        button("box", "Box", { title: "A box in the middle of the clip, to be moved by keys" }),
        button("unbox", "Remove box"),
      ),
    ),
    h(
      "div",
      { class: "bar answer", role: "group", "aria-label": "Answer" },
      button("back", "Back"), button("next", "Forward"), button("undo", "Undo"),
      parts.note,
      button("skip", "Skip"), button("nothing", "Nothing here"),
      button("confirm", "Confirm", { className: "primary" }),
    ),
    parts.toast,
    parts.live,
  );
  for (const [state, text] of [["present", "✓ present"], ["absent", "✕ absent"], ["unsure", "? unsure"]]) {
    parts.states.append(h("button", { type: "button", role: "radio", data: { state } }, text));
  }
  return parts;
}

// Write the keys in force onto the buttons.
export function showKeys(root, keys) {
  for (const element of root.querySelectorAll("[data-command]")) {
    const hint = element.querySelector("kbd");
    const name = element.dataset.command;
    if (!hint || !COMMANDS.some((command) => command.name === name)) continue;
    const key = keys.command(name);
    hint.textContent = show(key);
    element.setAttribute("aria-keyshortcuts", key);
  }
}

export function pressed(root, name, isOn) {
  root.querySelector(`[data-command="${name}"]`).setAttribute("aria-pressed", String(isOn));
}
