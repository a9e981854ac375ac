// The labels as chips: key, name, state, and what the detector thinks.

import { h, percent } from "../frame/dom.js";
import { show } from "./keys.js";

const SIGNS = { present: "✓", absent: "✕", unsure: "?" };
const WORDS = { present: "present", absent: "absent", unsure: "unsure" };

export class Chips {
  // host: labels (of the project), keys, draft, suggested (null when hidden), threshold.
  constructor(root, host, { onmark }) {
    this.root = root;
    this.host = host;
    this.made = new Map();
    root.addEventListener("click", (event) => {
      const chip = event.target.closest("button[data-label]");
      if (!chip) return;
      const state = event.altKey ? "unsure" : event.shiftKey ? "absent" : null;
      onmark(chip.dataset.label, state);
    });
  }

  // Labels with a key, and those that say something about this clip.
  names() {
    const { labels, keys, draft, suggested } = this.host;
    const known = labels.map((label) => label.name);
    const order = new Map([..."123456789abcdefghijklmnopqrstuvwxyz"].map((key, i) => [key, i]));
    const keyed = known
      .filter((name) => keys.labels.has(name))
      .sort((a, b) => order.get(keys.labels.get(a)) - order.get(keys.labels.get(b)));
    const extra = [...draft.marks.keys(), ...(suggested || []).map((one) => one.label)];
    return [...new Set([...keyed, ...extra])];
  }

  draw() {
    const names = this.names();
    const signature = names.map((name) => `${name}\0${this.host.keys.labels.get(name) ?? ""}`).join("\n");
    if (signature !== this.signature) {
      this.signature = signature;
      this.made = new Map(names.map((name) => [name, this._make(name)]));
      this.root.replaceChildren(...this.made.values());
      if (!names.length) {
        this.root.append(h("p", { class: "muted" }, "No labels yet. Add what you hear, or look for, with “Add a label”; “Nothing here” then means none of your labels."));
      }
    }
    const { draft, suggested, threshold } = this.host;
    const likely = new Map((suggested || []).map((one) => [one.label, one.probability]));
    for (const [name, chip] of this.made) {
      const state = draft.marks.get(name) ?? "";
      const p = likely.get(name);
      const boxes = draft.boxes.filter((box) => box.label === name).length;
      chip.dataset.state = state;
      chip.setAttribute("aria-pressed", String(state === "present"));
      const words = [name, state && WORDS[state], boxes && `${boxes} ${boxes === 1 ? "box" : "boxes"}`,
        p !== undefined && `suggested, ${percent(p)}`];
      chip.setAttribute("aria-label", words.filter(Boolean).join(", "));
      chip.querySelector(".sign").textContent = SIGNS[state] ?? "";
      chip.querySelector(".boxes").textContent = boxes ? `▭${boxes > 1 ? boxes : ""}` : "";
      const bar = chip.querySelector(".likely");
      bar.hidden = p === undefined;
      if (p !== undefined) {
        bar.style.setProperty("--p", p);
        bar.classList.toggle("above", p >= threshold);
        chip.querySelector(".p").textContent = percent(p);
      } else {
        chip.querySelector(".p").textContent = "";
      }
    }
  }

  _make(name) {
    const label = this.host.labels.find((one) => one.name === name);
    const key = this.host.keys.labels.get(name);
    const other = [label?.common_name, label?.scientific_name].filter((text) => text && text !== name);
    return h(
      "button",
      {
        type: "button", class: "chip", data: { label: name }, title: [name, ...other].join(" · "),
        "aria-keyshortcuts": key ?? null,
      },
      key ? h("kbd", { "aria-hidden": "true" }, show(key)) : null,
      h("span", { class: "sign", "aria-hidden": "true" }),
      h("span", { class: "name" }, name),
      h("span", { class: "boxes", "aria-hidden": "true" }),
      h("span", { class: "p", "aria-hidden": "true" }),
      h("span", { class: "likely", "aria-hidden": "true" }),
    );
  }
}
