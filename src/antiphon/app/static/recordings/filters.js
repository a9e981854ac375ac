// What is looked at: site, dates, hours, label and lowest score; all parts of the page obey it.

import { h } from "../frame/dom.js";
import { button, plural } from "./common.js";

export class Filters {
  constructor({ places, labels, changed }) {
    this.changed = changed;
    const option = (value, text) => h("option", { value }, text);
    const select = (name, all, options) => h("select", { id: `only-${name}`, onchange: () => changed() },
      option("*", all), options);
    const field = (name, text, ...inputs) => h("div", { class: "field", data: { field: name } },
      h("label", { for: inputs[0].id }, text), inputs);
    this.site = select("site", "All sites", places.sites.map((s) =>
      option(s.name, `${s.name || "(unknown)"} · ${plural(s.recordings, "recording")}`)));
    this.label = select("label", "All labels", labels.map((name) => option(name, name)));
    const dates = places.dates.map((d) => d.name).filter(Boolean);
    const input = (id, properties) => h("input", { id, onchange: () => changed(), ...properties });
    const range = dates.length ? { min: dates[0], max: dates.at(-1) } : {};
    this.first = input("only-first", { type: "date", ...range });
    this.last = input("only-last", { type: "date", "aria-label": "Last date", ...range });
    this.from = input("only-from", { type: "number", min: "0", max: "24", step: "any", placeholder: "0" });
    this.to = input("only-to", { type: "number", min: "0", max: "24", step: "any", placeholder: "24", "aria-label": "Up to hour" });
    this.score = input("only-score", { type: "number", min: "0", max: "1", step: "0.05", placeholder: "any" });
    this.reset = button("Show all", () => this.clear());
    this.element = h("form", { class: "filters", "aria-label": "What is looked at", onsubmit: (event) => event.preventDefault() },
      field("site", "Site", this.site),
      field("label", "Label", this.label),
      field("dates", "Dates", this.first, h("span", { "aria-hidden": "true" }, "–"), this.last),
      field("hours", "Hours", this.from, h("span", { "aria-hidden": "true" }, "–"), this.to),
      field("score", "Score from", this.score),
      this.reset);
  }

  // Show only the fields that the part on the screen obeys.
  offer(names) {
    for (const field of this.element.querySelectorAll("[data-field]")) {
      field.hidden = !names.includes(field.dataset.field);
    }
    this.names = names;
    this.reset.hidden = names.length === 0 || !this.some;
  }

  get some() {
    return Object.keys(this.asked).length > 0;
  }

  // As parameters of requests; only what is set.
  get asked() {
    const chosen = (select) => (select.value === "*" ? undefined : select.value);
    const value = (input) => (input.value === "" || !input.validity.valid ? undefined : input.value);
    const all = {
      site: chosen(this.site), label: chosen(this.label), first_date: value(this.first), last_date: value(this.last),
      from_hour: value(this.from), to_hour: value(this.to), min_score: value(this.score),
    };
    return Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined));
  }

  // What is asked, without the fields that a part does not obey.
  only(...names) {
    return Object.fromEntries(Object.entries(this.asked).filter(([name]) => names.includes(name)));
  }

  set(asked) {
    const choose = (select, value) => {
      if ([...select.options].some((option) => option.value === value)) select.value = value;
    };
    if (asked.site !== undefined) choose(this.site, asked.site);
    if (asked.label !== undefined) choose(this.label, asked.label);
    const inputs = { first_date: this.first, last_date: this.last, from_hour: this.from, to_hour: this.to, min_score: this.score };
    for (const [name, input] of Object.entries(inputs)) if (asked[name] !== undefined) input.value = asked[name];
  }

  clear() {
    for (const select of [this.site, this.label]) select.value = "*";
    for (const input of [this.first, this.last, this.from, this.to, this.score]) input.value = "";
    this.changed();
  }

  // In words, for the export.
  get words() {
    const a = this.asked;
    const parts = [];
    if (a.label !== undefined) parts.push(a.label);
    if (a.site !== undefined) parts.push(`site ${a.site || "unknown"}`);
    if (a.first_date || a.last_date) parts.push(`${a.first_date ?? "the beginning"} to ${a.last_date ?? "the end"}`);
    if (a.from_hour || a.to_hour) parts.push(`hours ${a.from_hour ?? 0} to ${a.to_hour ?? 24}`);
    if (a.min_score) parts.push(`score from ${a.min_score}`);
    return parts.join(", ");
  }
}
