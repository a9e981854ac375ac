// The learning curve, what is ahead, and the labels one by one.

import { h } from "../frame/dom.js";
import { duration, measured, number, plural } from "./words.js";

export class Curve {
  constructor() {
    this.headline = h("p", { class: "loop-headline" });
    this.of = h("p", { class: "muted small" });
    this.drawing = h("div", { class: "loop-chart" });
    this.rows = h("tbody", {});
    this.table = h("details", {}, h("summary", {}, "The curve as a table"),
      h("table", { class: "plain-table narrow" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Labels spent"), h("th", { scope: "col" }, "Average precision"))),
        this.rows));
    this.earlier = h("p", { class: "muted small" });
    this.element = h("section", { class: "card", "aria-labelledby": "loop-curve" },
      h("h2", { id: "loop-curve" }, "What labels have bought"),
      this.headline, this.of, this.drawing, this.earlier, this.table);
  }

  show(figures) {
    const { points, quality, group_by: by } = figures;
    const there = points.length > 0;
    this.headline.hidden = this.table.hidden = this.drawing.hidden = !there;
    this.headline.replaceChildren(h("strong", {}, measured(quality)),
      h("span", { class: "muted" }, " mean average precision over labels"));
    this.of.textContent = there
      ? `Measured on windows of ${by}s that the detector had not seen: ${figures.quality_of}. The band is the 95 % interval.`
      : "The curve begins with the first training that can be measured: it needs windows labelled present and absent, of at least three " +
        `${by}s.`;
    this.#draw(figures.chart);
    this.earlier.textContent = figures.earlier.length
      ? `A curve begins anew when a label is first found, because the mean is over other labels then. Before: ${figures.earlier.join("; ")}.` : "";
    this.rows.replaceChildren(...points.toReversed().map((point) => h("tr", {},
      h("td", { class: "number" }, number(point.labels)), h("td", { class: "number" }, measured(point)))));
  }

  // Read as XML, never as HTML: what stands in it is drawn and nothing of it is run.
  #draw(text) {
    if (text === this.drawn) return;
    this.drawn = text;
    this.drawing.replaceChildren();
    if (!text) return;
    const read = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (read.nodeName === "svg") this.drawing.append(document.importNode(read, true));
  }
}

export class Outlook {
  constructor() {
    this.ahead = h("div", { class: "stack tight" });
    this.limits = h("ul", { class: "loop-list" });
    this.element = h("div", { class: "loop-two" },
      h("section", { class: "card", "aria-labelledby": "loop-ahead" },
        h("h2", { id: "loop-ahead" }, "What more would bring"), this.ahead),
      h("section", { class: "card", "aria-labelledby": "loop-limits" },
        h("h2", { id: "loop-limits" }, "What limits quality"), this.limits));
  }

  show({ ahead, limits, labels }, settings) {
    const parts = [];
    if (ahead.missing) parts.push(h("p", {}, ahead.missing));
    if (ahead.advice) parts.push(h("p", { class: ahead.stop ? "note good" : "note" }, ahead.advice));
    if (ahead.reach) parts.push(h("p", {}, `An average precision of ${ahead.reach}`));
    if (ahead.seconds && ahead.seconds.value !== null) {
      const { value, low, high } = ahead.seconds;
      parts.push(h("p", {}, `That is about ${duration(value)} of labelling (${duration(low)} to ${high === null ? "more" : duration(high)}).`));
      if (ahead.seconds_note) parts.push(h("p", { class: "muted small" }, ahead.seconds_note));
    }
    if (!ahead.missing) parts.push(h("p", { class: "muted small" }, `Predicted from the curve; wanted is ${settings.target}.`));
    this.ahead.replaceChildren(...parts);
    const none = labels.length ? "No label stands out: all are found in several places." : "There are no labels yet.";
    this.limits.replaceChildren(...(limits.length ? limits : [none]).map((text) => h("li", {}, text)));
  }
}

export class Labels {
  constructor() {
    this.body = h("tbody", {});
    this.count = h("p", { class: "muted small" });
    this.groups = h("th", { scope: "col", class: "right" });
    const column = (name, title) => h("th", { scope: "col", class: "right", title }, name);
    this.element = h("section", { class: "card", "aria-labelledby": "loop-labels" },
      h("h2", { id: "loop-labels" }, "Labels"), this.count,
      h("div", { class: "loop-scroll", tabindex: "0", role: "group", "aria-labelledby": "loop-labels" },
        h("table", { class: "plain-table" },
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Label"),
            column("Present", "Windows with the label"), column("Absent", "Windows known to lack it"), column("Unsure", "Answers that left it open"), this.groups,
            column("Average precision", "On windows the detector had not seen, with its 95 % interval"),
            column("Threshold", "Probability from which a window counts as found"),
            column("Precision there", "Share of what is found that is right"), column("Recall there", "Share of what is there that is found"))),
          this.body)));
  }

  show({ labels, labelled, windows, groups, group_by: by }) {
    this.groups.textContent = `${by[0].toUpperCase()}${by.slice(1)}s`;
    this.groups.title = `Different ${by}s with the label`;
    this.count.textContent = `${number(labelled)} of ${plural(windows, "window")} carry labels, from ${plural(groups, by)}.`;
    this.body.replaceChildren(...labels.map((one) => h("tr", {},
      h("th", { scope: "row" }, one.name, one.note && h("small", {}, one.note)),
      ...[one.present, one.absent, one.unsure, one.groups].map((n) => h("td", { class: "number right" }, number(n))),
      h("td", { class: "number right" }, measured(one.average_precision)),
      h("td", { class: "number right" }, one.threshold === null ? "–" : one.threshold.toFixed(2)),
      h("td", { class: "number right" }, measured(one.precision)),
      h("td", { class: "number right" }, measured(one.recall)))));
  }
}
