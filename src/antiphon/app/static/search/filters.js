// The conditions of a search: label, detector score, site, date, hour, and how many of a recording.

import { h } from "../frame/dom.js";

export class Filters {
  // options: facts from /api/search/options, changed() when a condition is another.
  constructor({ facts, changed }) {
    this.facts = facts;
    const on = { onchange: changed };
    const number = (id, least, most, step, words) =>
      h("input", { id, type: "number", min: least, max: most, step, placeholder: words, ...on });
    this.label = h("select", { id: "f-label", ...on }, choice("", "any"),
      facts.labels.map((name) => choice(name, name)));
    this.unlabelled = h("input", { id: "f-unlabelled", type: "checkbox", ...on });
    this.detected = h("select", { id: "f-detected", ...on }, choice("", "any"),
      facts.detector.map(({ name }) => choice(name, name)));
    this.least = number("f-least", "0", "1", "0.01", "threshold");
    this.most = number("f-most", "0", "1", "0.01", "1");
    this.from = h("input", { id: "f-from", type: "date", min: facts.first || "", max: facts.last || "", ...on });
    this.to = h("input", { id: "f-to", type: "date", min: facts.first || "", max: facts.last || "", ...on });
    this.hour = h("input", { id: "f-hour", placeholder: "4-7, 22-4", maxlength: "20", autocomplete: "off", ...on });
    this.per = number("f-per", "1", "1000", "1", "all");
    this.sites = facts.sites.map((name) => h("input", { type: "checkbox", value: name, ...on }));
    this.element = h("div", { class: "filters" },
      group("Label", [
        field("Annotated", this.label),
        h("label", { class: "check" }, this.unlabelled, "without any label"),
      ]),
      facts.detector.length
        ? group("Detector", [
            field("Finds", this.detected),
            h("div", { class: "pair" }, field("score from", this.least), field("to", this.most)),
          ])
        : h("p", { class: "dim" }, "No detector yet: train one to search by score."),
      group("Time", [
        h("div", { class: "pair" }, field("from", this.from), field("to", this.to)),
        field("Hour", this.hour),
      ]),
      facts.sites.length
        ? group("Site", [h("div", { class: "sites" }, this.sites.map((box) =>
            h("label", { class: "check" }, box, box.value)))])
        : null,
      group("Spread", [field("At most, per recording", this.per)]),
      h("button", { type: "button", class: "plain", onclick: () => { this.set({}); changed(); } }, "Clear all conditions"),
    );
  }

  // The filter of the request; empty where nothing is asked for.
  get asked() {
    const wanted = {};
    const sites = this.sites.filter((box) => box.checked).map((box) => box.value);
    if (sites.length) wanted.sites = sites;
    if (this.label.value) wanted.labels = [this.label.value];
    if (this.unlabelled.checked) wanted.unlabelled = true;
    if (this.detected.value) wanted.detected = [this.detected.value];
    if (this.least.value !== "") wanted.min_score = Number(this.least.value);
    if (this.most.value !== "") wanted.max_score = Number(this.most.value);
    if (this.hour.value.trim()) wanted.hour = this.hour.value.trim();
    const { from, to } = this;
    if (from.value || to.value) {
      wanted.date = `${from.value || this.facts.first || to.value}..${to.value || this.facts.last || from.value}`;
    }
    return wanted;
  }

  get perRecording() {
    return this.per.value ? Number(this.per.value) : null;
  }

  set(filter, perRecording = null) {
    this.label.value = filter.labels?.[0] ?? "";
    this.unlabelled.checked = Boolean(filter.unlabelled);
    this.detected.value = filter.detected?.[0] ?? "";
    this.least.value = filter.min_score ?? "";
    this.most.value = filter.max_score ?? "";
    this.hour.value = filter.hour ?? "";
    [this.from.value, this.to.value] = (filter.date ?? "..").split("..").concat("");
    for (const box of this.sites) box.checked = (filter.sites ?? []).includes(box.value);
    this.per.value = perRecording ?? "";
  }
}

const choice = (value, words) => h("option", { value }, words);

const field = (words, input) => h("label", { class: "field", for: input.id }, h("span", {}, words), input);

const group = (title, parts) => h("fieldset", {}, h("legend", {}, title), parts);
