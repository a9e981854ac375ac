// How far people agree: alpha label by label, kappa two by two.

import { api } from "../frame/api.js";
import { fixed, interval, percent, plural, select, table } from "./common.js";
import { h } from "../frame/dom.js";

export class Measures {
  constructor() {
    this.element = h("div", { class: "stack" });
  }

  async shown() {
    this.element.setAttribute("aria-busy", "true");
    this.found = await api("GET", "/agreement/measures").finally(() => this.element.removeAttribute("aria-busy"));
    const { found } = this;
    if (!found.windows) {
      this.element.replaceChildren(h("p", { class: "note" }, found.people.length > 1
        ? "No window was judged by two people yet. Give several people the same queue, in the last part of this page."
        : "Agreement needs two people who judge the same windows."));
      return;
    }
    const judged = found.labels.filter((one) => one.units);
    this.element.replaceChildren(this.#labels(judged), this.#pairs(judged), this.#words());
  }

  // What is too little to go by is said in words, and its numbers stay in the background.
  #few(one, units = one.units) {
    const parts = [];
    if (!one.enough) parts.push(`too few: ${plural(units, "shared window")}${one.groups === undefined ? "" : ` of ${plural(one.groups, "recording")}`}`);
    if (one.note) parts.push(one.note);
    return parts.join("; ");
  }

  #labels(judged) {
    const { found } = this;
    const rows = judged.map((one) => ({
      className: one.enough ? null : "few",
      cells: [one.label, String(one.units), String(one.groups), percent(one.present), interval(one.alpha, one.low, one.high),
        this.#bar(one), percent(one.positive), one.alpha === null ? "everybody always says the same" : this.#few(one)],
    }));
    return h("section", { class: "card stack" }, h("h2", {}, "Label by label"),
      h("p", {}, `${plural(found.windows, "window")} of ${plural(found.recordings, "recording")} were judged by two people or more: ${found.people.join(", ")}.`),
      table("Agreement on each label", ["Label", ["Shared windows", "number"], ["Recordings", "number"], ["Present", "number"],
        ["Alpha, 95 % interval", "number"], "0 to 1", ["Agree on presence", "number"], ""], rows));
  }

  #bar(one) {
    if (one.alpha === null) return "";
    const at = (value) => `${100 * Math.min(1, Math.max(0, value))}%`;
    const parts = [h("i", { class: "value", style: { left: at(one.alpha) } })];
    if (one.low !== null) parts.unshift(h("i", { class: "reach", style: { left: at(one.low), right: `calc(100% - ${at(one.high)})` } }));
    return h("span", { class: "interval", "aria-hidden": "true" }, parts);
  }

  #pairs(judged) {
    const pairs = new Map();
    for (const one of judged) for (const pair of one.pairs) {
      const name = `${pair.first} and ${pair.second}`;
      pairs.set(name, [...(pairs.get(name) ?? []), { ...pair, label: one.label }]);
    }
    const place = h("div", {});
    const show = (name) => place.replaceChildren(table(`Kappa of ${name}`,
      ["Label", ["Shared windows", "number"], ["Kappa, 95 % interval", "number"], ["Say the same", "number"], ""],
      pairs.get(name).map((pair) => ({ className: pair.enough ? null : "few",
        cells: [pair.label, String(pair.units), interval(pair.kappa, pair.low, pair.high), percent(pair.observed),
          pair.kappa === null ? "both always say the same" : this.#few(pair)] }))));
    const names = [...pairs.keys()];
    const chosen = select("Two people", names.map((name) => [name, name]), names[0], show);
    show(names[0]);
    const means = names.map((name) => {
      const known = pairs.get(name).filter((pair) => pair.enough && pair.kappa !== null);
      const units = Math.max(...pairs.get(name).map((pair) => pair.units));
      const mean = known.reduce((total, pair) => total + pair.kappa, 0) / known.length;
      return [name, String(units), known.length ? `${fixed(mean)} over ${plural(known.length, "label")}` : "too few shared windows"];
    });
    return h("section", { class: "card stack" }, h("h2", {}, "Two by two"),
      names.length > 1 ? table("Mean kappa of every two people", ["Two people", ["Shared windows", "number"], ["Mean kappa", "number"]], means) : null,
      h("div", {}, chosen.element), place);
  }

  #words() {
    const { found } = this;
    return h("details", { class: "card" }, h("summary", {}, "How to read it"),
      h("p", {}, "Alpha (Krippendorff) and kappa (Cohen) are 1 where people always say the same and 0 where they agree as by chance. " +
        "For rare labels they can be low although people seldom differ; agreement on presence tells how often a “present” is repeated by another person."),
      h("p", {}, "Intervals resample recordings. Rows in grey rest on fewer than " +
        `${found.few_windows} shared windows or ${found.few_recordings} recordings. Unsure answers and skips are left out, settlements too: these are the opinions before.`));
  }
}
