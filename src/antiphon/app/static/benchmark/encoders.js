// Encoders: one table by family, each family's chart, data set by data set.

import { drawing, fixed, interval, table } from "../agreement/common.js";
import { downloads, Sheet, sortable, valued } from "./common.js";
import { h } from "../frame/dom.js";

export class Encoders extends Sheet {
  constructor() {
    super("encoders");
  }

  draw(found, runs) {
    const { encoders, rows, ranks } = found;
    const best = (row) => Math.max(...row.means.map((mean) => mean.value ?? -Infinity));
    const lines = rows.map((row) => [row.family, row.measure, String(row.sets.length),
      ...row.means.map((mean) => {
        const text = valued(interval(mean.value, mean.low, mean.high, 3), mean.value);
        if (encoders.length > 1 && mean.value === best(row)) text.className = "best";
        return text;
      })]);
    if (encoders.length > 1) lines.push(["All", "mean rank", "", ...encoders.map((name) => fixed(ranks[name]))]);
    const families = [...new Set(rows.map((row) => row.family))];
    this.element.replaceChildren(
      h("section", { class: "card stack" }, h("h2", {}, "Families"),
        table("Means over the data sets that all encoders have", ["Family", "Measure", ["Sets", "number"], ...encoders.map((name) => [name, "number"])], lines),
        h("p", { class: "muted" }, "Means over the data sets that all encoders have, with 95 % intervals over recordings or sources of these sets; bold is the highest."),
        downloads("encoders", runs, [["table.csv", "Table, CSV"], ["measures.csv", "All measures, CSV"], ["results.json", "Results, JSON"]])),
      ...families.map((family) => h("section", { class: "card stack" }, h("h2", {}, family),
        h("div", { class: "charts" }, rows.filter((row) => row.family === family).map((row) =>
          h("figure", {}, h("figcaption", {}, row.measure), h("div", { class: "chart" }, drawing(row.svg))))),
        this.#sets(found, family))),
      this.#differences(found),
      found.notes.length ? h("details", { class: "card" }, h("summary", {}, `What has to be known (${found.notes.length})`),
        h("ul", {}, found.notes.map((note) => h("li", {}, note)))) : "");
  }

  #sets(found, family) {
    const mine = found.sets.filter((one) => one.family === family);
    const measures = [...new Set(mine.flatMap((one) => Object.keys(one.values)))];
    return h("details", {}, h("summary", {}, "Data set by data set"),
      sortable(table(`${family}, data set by data set`, ["Data set", "Encoder", ["Items", "number"], ...measures.map((name) => [name, "number"])],
        mine.map((one) => [one.name, one.encoder, valued(one.items.toLocaleString("en"), one.items),
          ...measures.map((name) => {
            const value = one.values[name];
            return value ? valued(interval(value.value, value.low, value.high, 3), value.value) : "–";
          })]))));
  }

  #differences({ differences }) {
    if (!differences.length) return "";
    return h("section", { class: "card stack" }, h("h2", {}, "Which differences are real"),
      sortable(table("The best encoder of each data set against the others", ["Data set", "Family", "Best", "Against", ["Accuracy gained, 95 %", "number"], ["Groups", "number"], "Verdict"],
        differences.map((one) => ({ className: one.low !== null && one.low > 0 ? null : "few",
          cells: [one.name, one.family, one.best, one.other, valued(interval(one.value, one.low, one.high, 3), one.value), String(one.groups), one.verdict] })))),
      h("p", { class: "muted" }, "Both encoders are judged on the same items, drawn by recording or source."));
  }
}
