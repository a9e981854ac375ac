// Thresholds: what each would detect, and how precise that is thought to be.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";
import { button, get, number, plural } from "./common.js";
import { curveChart } from "./curve.js";

export class Thresholds {
  constructor({ state, places, filters, saved }) {
    Object.assign(this, { state, places, filters, saved });
    this.changes = new Map();
    this.label = h("select", { id: "cut-label", onchange: () => this.update() },
      state.labels.map((one) => h("option", { value: one.label }, one.label)));
    this.slider = h("input", { type: "range", id: "cut", min: "0", step: "1", oninput: () => this.#moved() });
    this.value = h("output", { for: "cut", class: "cut-value" });
    this.facts = h("dl", { class: "cut-facts" });
    this.chart = h("div", { class: "wide" });
    this.how = h("div", { class: "how" });
    this.before = h("p", { class: "notice", hidden: true });
    this.save = button("Save as the project's", () => this.#save(), { class: "", disabled: true });
    this.back = button("Back to the detector's own", () => this.#own());
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    const close = state.manager
      ? [h("div", { class: "actions" }, this.save, this.back), this.said,
        h("p", { class: "dim" }, "Saving writes a new version of the detector with this threshold and runs it; earlier versions and their detections stay. " +
          "A later training chooses thresholds anew.")]
      : [h("div", { class: "actions" }, this.back), h("p", { class: "dim" }, "Only a manager can change the project's thresholds.")];
    this.element = h("div", { class: "cut" },
      h("section", { "aria-label": "Threshold" },
        h("div", { class: "tools" }, h("div", { class: "field" }, h("label", { for: "cut-label" }, "Label"), this.label)),
        this.before,
        h("div", { class: "cut-slide" }, h("label", { for: "cut" }, "Threshold"), this.slider, this.value),
        this.facts, close),
      h("section", { "aria-label": "Precision at every threshold" }, this.chart, this.how));
  }

  fields = [];

  async update() {
    const label = this.label.value;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.said.textContent = "";
    try {
      const counts = await get("/detections/thresholds", { label });
      if (turn !== this.turn) return;
      this.counts = counts;
      this.judged = null;
      this.slider.max = String(counts.thresholds.length - 1);
      const wanted = this.changes.get(label) ?? counts.threshold;
      this.slider.value = String(nearest(counts.thresholds, wanted));
      this.#earlier();
      this.how.replaceChildren(h("p", { class: "dim" }, "Judging the labelled windows …"));
      this.#draw();
      const judged = await get("/detections/precision", { label });
      if (turn !== this.turn) return;
      this.judged = judged;
      this.#explain();
      this.#draw();
    } catch (error) {
      if (turn === this.turn) this.how.replaceChildren(h("p", { role: "alert" }, error.message));
    }
  }

  get at() {
    return Number(this.slider.value);
  }

  #moved() {
    const { counts } = this;
    const value = counts.thresholds[this.at];
    if (Math.abs(value - counts.threshold) < 1e-6) this.changes.delete(counts.label);
    else this.changes.set(counts.label, value);
    this.#draw();
  }

  // What somebody had set and a training replaced; it may be wanted again.
  #earlier() {
    const { counts } = this;
    const value = this.state.labels.find((one) => one.label === counts.label)?.set_before ?? null;
    this.before.hidden = value === null;
    if (value === null) return;
    this.before.replaceChildren(`Set to ${value.toFixed(2)} by hand before the last training, which chose ${counts.threshold.toFixed(2)} for its own probabilities. `,
      button(`Look at ${value.toFixed(2)}`, () => {
        this.slider.value = String(nearest(counts.thresholds, value));
        this.#moved();
        this.slider.focus();
      }));
  }

  #own() {
    this.slider.value = String(nearest(this.counts.thresholds, this.counts.threshold));
    this.#moved();
  }

  #draw() {
    const { counts, judged, at } = this;
    const value = counts.thresholds[at];
    const all = this.places.recordings;
    const known = judged && !judged.problem ? judged : null;
    this.value.textContent = value.toFixed(2);
    this.slider.setAttribute("aria-valuetext", `${value.toFixed(2)}: ${plural(counts.windows[at], "detection")}`);
    const rows = [
      ["Detections", number(counts.windows[at]), `windows of ${number(counts.windows[0])}`],
      ["Recordings", number(counts.recordings[at]), `of ${number(all)}`],
      ["Sites", number(counts.sites[at]), `of ${number(this.places.sites.filter((s) => s.name).length)}`],
      ["Precision, by probability", share(counts.expected[at]), "if the probabilities are right"],
      ["Precision, by labels", known ? share(known.value[at]) : "–", known ? basis(known, at) : judged?.problem ?? "being judged …"],
    ];
    if (known) rows.push(["Recall, by labels", share(known.recall[at]), `of ${plural(known.positives, "labelled positive")}`]);
    this.facts.replaceChildren(...rows.map(([name, text, note]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, text), h("small", {}, note)))));
    this.chart.replaceChildren(curveChart(counts, known, at));
    const changed = [...this.changes];
    this.save.disabled = changed.length === 0;
    this.save.textContent = changed.length > 1 ? `Save ${changed.length} thresholds as the project's` : "Save as the project's";
    this.save.title = changed.map(([label, v]) => `${label}: ${v.toFixed(2)}`).join("\n");
    this.back.disabled = !this.changes.has(counts.label);
  }

  #explain() {
    const { judged } = this;
    const note = this.state.labels.find((one) => one.label === judged.label)?.note;
    const parts = judged.problem
      ? [h("p", {}, judged.problem)]
      : [
        h("p", {}, `By labels: ${plural(judged.windows, "labelled window")} of ${plural(judged.groups, judged.group_by || "group")}, ` +
          `${number(judged.positives)} with ${judged.label}. ${judged.weighted ? "" : `Each is scored by a detector that never saw its ${judged.group_by}. `}` +
          "The band is a 95 % interval."),
        h("p", { class: judged.weighted ? "good" : "caution" }, judged.how),
      ];
    if (!judged.weighted) {
      parts.push(h("p", {}, button("Label a sample by score", () => this.#sample(), { title: "Makes a queue drawn over the range of scores, with known chances" })));
    }
    if (note) parts.push(h("p", { class: "dim" }, `The detector's own threshold: ${note}`));
    this.how.replaceChildren(...parts);
  }

  async #sample() {
    try {
      const label = this.counts.label;
      const made = await api("POST", "/queues", { kind: "stratified", n: 60, mine: true, label, name: `Sample by score: ${label}`.slice(0, 100) });
      window.location.assign(`${window.antiphon.root}/label?queue=${made.id}`);
    } catch (error) {
      this.said.textContent = error.message;
      if (!this.said.isConnected) this.how.append(h("p", { role: "alert" }, error.message));
    }
  }

  async #save() {
    this.save.disabled = true;
    try {
      const made = await api("POST", "/detections/thresholds", { detector: this.counts.detector, values: Object.fromEntries(this.changes) });
      this.changes.clear();
      this.saved(`Saved as the detector “${made.detector}”; it is being run.`);
    } catch (error) {
      this.said.textContent = error.message;
      this.save.disabled = false;
    }
  }
}

const share = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

function basis(known, at) {
  const n = known.labelled[at];
  if (!n || known.value[at] === null) return "no labelled window lies above it";
  return `${known.low[at].toFixed(2)} to ${known.high[at].toFixed(2)}, from ${plural(n, "labelled window")}`;
}

function nearest(values, wanted) {
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = i;
  });
  return best;
}
