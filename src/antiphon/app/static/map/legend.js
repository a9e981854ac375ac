// What the colours of the map mean; each name can be hidden and its points selected.

import { h } from "../frame/dom.js";
import { css, palette, SHAPES } from "../scatter/colours.js";

export class Legend {
  // options: hide(set of codes), pick(code, add): select its points.
  constructor(options) {
    this.options = options;
    this.hidden = new Set();
    this.element = h("section", { class: "legend", "aria-label": "Legend" });
  }

  show(facts, dark) {
    this.facts = facts;
    this.hidden.clear();
    const table = palette(facts, dark);
    const parts = [h("h2", {}, facts.title)];
    if (facts.kind === "categories") {
      parts.push(h("ul", {}, facts.entries.map((entry, code) => this.#line(entry, code, table[code]))));
    } else {
      parts.push(this.#scale(facts, table));
    }
    if (facts.unknown.count) {
      parts.push(h("ul", {}, this.#line(facts.unknown, 255, table[255])));
    }
    if (facts.note) parts.push(h("p", { class: "dim" }, facts.note));
    this.element.replaceChildren(...parts);
    return table;
  }

  #line({ name, count }, code, [r, g, b, shape]) {
    const mark = h("span", { class: `mark ${SHAPES[shape]}`, style: { background: css([r, g, b]) }, "aria-hidden": "true" });
    const box = h("input", { type: "checkbox", checked: true, "aria-label": `Show ${name}`, onchange: () => {
      if (box.checked) this.hidden.delete(code);
      else this.hidden.add(code);
      this.options.hide(this.hidden);
    } });
    return h("li", {}, box, mark,
      h("button", { type: "button", class: "entry", title: `Select these points (Shift adds)`,
        onclick: (event) => this.options.pick(code, event.shiftKey) },
        h("span", { class: "entry-name" }, name), h("span", { class: "entry-count" }, count.toLocaleString("en"))));
  }

  #scale({ ends, kind, steps }, table) {
    const stops = Array.from({ length: 25 }, (_, i) => css(table[Math.round((i / 24) * steps)]));
    const marks = kind === "cycle" ? ["0:00", "6:00", "12:00", "18:00", "24:00"] : ends;
    return h("div", { class: "scale" },
      h("div", { class: "ramp", style: { background: `linear-gradient(to right, ${stops.join(", ")})` } }),
      h("div", { class: "ends" }, marks.map((words) => h("span", {}, words))));
  }
}
