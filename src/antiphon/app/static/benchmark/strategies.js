// Strategies: learning curves, tables, differences, classes.

import { drawing, fixed, interval, plural, seconds, select, table } from "../agreement/common.js";
import { ask, downloads, Sheet, sortable, valued } from "./common.js";
import { h } from "../frame/dom.js";

const LINES = 7;

export class Strategies extends Sheet {
  constructor() {
    super("strategies");
  }

  draw(found, runs) {
    Object.assign(this, { found, runs });
    const known = new Set(found.systems.map((system) => system.key));
    const kept = [...(this.lines ?? [])].filter((key) => known.has(key));
    this.lines = new Set(kept.length ? kept : this.#first());
    if (!found.sets.some((data) => data.key === this.set)) this.set = found.sets[0].key;
    this.score ??= "aulc";
    if (!known.has(this.reference)) this.reference = found.reference;
    this.curve = h("div", { class: "chart" });
    this.said = h("p", { class: "muted" });
    this.table = h("div", {});
    this.differences = h("div", { "aria-live": "polite" });
    this.classes = h("div", { "aria-live": "polite" });
    const sets = select("Data set", found.sets.map((data) => [data.key, data.label]), this.set, (key) => {
      this.set = key;
      this.#fill();
    });
    const score = select("Score", Object.entries(found.scores), this.score, (name) => {
      this.score = name;
      this.#fill();
    });
    const reference = select("Compare", found.systems.map((system) => [system.key, system.label]), this.reference, (key) => {
      this.reference = key;
      this.#compare();
    });
    this.everywhere = found.sets.length > 1 ? select("on", [["", "all sets"], ["one", "this set"]], "", () => this.#compare()) : null;
    const missing = found.missing ? `, ${plural(found.missing, "more")} asked for and not there`.replace("mores", "more") : "";
    this.element.replaceChildren(
      h("div", { class: "line" }, sets.element, score.element,
        h("span", { class: "muted" }, `${plural(found.systems.length, "strategy", "strategies")} on ${plural(found.sets.length, "set")}, ${plural(found.results, "run")}${missing}`)),
      h("div", { class: "beside" },
        h("section", { class: "card stack", "aria-label": "Learning curves" }, h("h2", {}, "Learning curves"), this.curve, this.said),
        h("section", { class: "card stack", "aria-label": "Table" }, h("h2", {}, "Strategies"), this.table)),
      h("section", { class: "card stack" }, h("h2", {}, "Differences, pair by pair"),
        h("div", { class: "line" }, reference.element, h("span", {}, "with every other"), this.everywhere?.element), this.differences),
      h("section", { class: "card stack" }, h("h2", {}, "Class by class"), this.classes),
      h("section", { class: "card stack" }, h("h2", {}, "Numbers"),
        downloads("strategies", this.runs, [["runs.csv", "Runs, CSV"], ["cycles.csv", "Cycles, CSV"], ["figures.json", "All figures, JSON"]]), this.#notes()));
    this.#fill();
  }

  // The best ones, and random, against which all are judged.
  #first() {
    const { systems } = this.found;
    const some = systems.slice(0, 4);
    const random = systems.find((system) => system.strategy === "random");
    if (random && !some.includes(random)) some.push(random);
    return some.map((system) => system.key);
  }

  #cell(system, set = this.set) {
    return this.found.cells.find((cell) => cell.system === system.key && cell.set === set);
  }

  #fill() {
    const { systems, sets, scores } = this.found;
    const several = sets.length > 1;
    const rows = systems.map((system) => {
      const cell = this.#cell(system);
      const one = cell?.scores[this.score];
      const all = system.overall[this.score];
      const box = h("input", { type: "checkbox", checked: this.lines.has(system.key), "aria-label": `Draw ${system.label}`,
        onchange: () => this.#toggle(system.key, box) });
      return [h("label", { class: "check" }, box, system.label), one ? valued(interval(one.value, one.low, one.high, 3), one.value) : "–",
        ...(several ? [all ? valued(interval(all.value, all.low, all.high, 3), all.value) : "–"] : []),
        valued(String(cell?.seeds.length ?? 0), cell?.seeds.length ?? 0), valued(seconds(system.select_cycle_s), system.select_cycle_s)];
    });
    const name = scores[this.score];
    this.table.replaceChildren(sortable(table(`${name} of each strategy`, ["Strategy", [`${name}, 95 %`, "number"], ...(several ? [["all sets", "number"]] : []),
      ["Seeds", "number"], ["A selection", "number"]], rows)));
    this.#curves();
    this.#compare();
  }

  #toggle(key, box) {
    if (!box.checked) this.lines.delete(key);
    else if (this.lines.size < LINES) this.lines.add(key);
    else {
      box.checked = false;
      this.said.textContent = `At most ${LINES} lines can be told apart; take one away first.`;
      return;
    }
    this.#curves();
  }

  async #curves() {
    const lines = this.found.systems.map((system) => system.key).filter((key) => this.lines.has(key));
    const turn = (this.drawn = (this.drawn ?? 0) + 1);
    if (!lines.length) {
      this.curve.replaceChildren(h("p", { class: "muted" }, "Tick strategies in the table to draw their curves."));
      this.classes.replaceChildren();
      return;
    }
    const asked = { set: this.set, system: lines };
    await this.#try(this.curve, async () => {
      const { svg } = await ask("strategies/curves", this.runs, asked);
      if (turn !== this.drawn) return;
      this.curve.replaceChildren(drawing(svg));
      this.said.textContent = "mAP on rows that are never chosen; bands are one standard deviation over the seeds. Tick strategies in the table to draw them.";
    });
    await this.#try(this.classes, async () => {
      const found = await ask("strategies/classes", this.runs, asked);
      if (turn === this.drawn) this.#classes(found);
    });
  }

  #classes({ rows, note }) {
    const systems = rows[0]?.values.map((value) => value.system) ?? [];
    const kept = rows.some((row) => row.values.some((value) => value.precision));
    const found = rows.some((row) => row.values.some((value) => value.found !== null));
    const parts = [];
    if (kept) {
      parts.push(sortable(table("Average precision of each class at the end", ["Class", ...systems.map((name) => [name, "number"])],
        rows.map((row) => [row.name, ...row.values.map(({ precision: p }) => (p ? valued(interval(p.value, p.low, p.high), p.value) : "–"))]), { shown: true })));
    }
    if (found) {
      parts.push(sortable(table("Examples of each class among the labelled rows, mean over the seeds", ["Class", ["There are", "number"], ...systems.map((name) => [name, "number"])],
        rows.map((row) => [row.name, valued(String(row.there), row.there), ...row.values.map(({ found: n }) => valued(fixed(n, 1), n))]), { shown: true })));
    }
    this.classes.replaceChildren(...(note ? [h("p", { class: "muted" }, note)] : []), h("div", { class: "beside even" }, parts));
  }

  async #compare() {
    const turn = (this.compared = (this.compared ?? 0) + 1);
    const set = this.everywhere?.select.value === "one" ? this.set : null;
    await this.#try(this.differences, async () => {
      const rows = await ask("strategies/differences", this.runs, { reference: this.reference, score: this.score, set });
      if (turn !== this.compared) return;
      const notes = [...new Set(rows.map((row) => row.note))];
      const p = (value) => (value === null ? "–" : value < 0.001 ? "< 0.001" : value.toFixed(3));
      this.differences.replaceChildren(rows.length ? sortable(table(`Differences in ${this.found.scores[this.score]}`,
        ["Minus", ["Difference, 95 %", "number"], ["p, sign flips", "number"], ["p, Wilcoxon", "number"], ["Sets", "number"], ["Pairs", "number"], ...(notes.length > 1 ? [""] : [])],
        rows.map((row) => ({ className: row.low !== null && (row.low > 0 || row.high < 0) ? null : "few",
          cells: [row.b, valued(interval(row.value, row.low, row.high, 3), row.value), valued(p(row.p_permutation), row.p_permutation),
            valued(p(row.p_wilcoxon), row.p_wilcoxon), String(row.sets), String(row.pairs), ...(notes.length > 1 ? [row.note] : [])] }))))
        : h("p", { class: "muted" }, "There is nothing to compare with."),
      h("p", { class: "muted" }, `${rows[0]?.a ?? ""} minus each other strategy, on the sets and seeds that both have; p values are corrected by Holm for the rows of this table. ` +
        (rows.some((row) => row.unit === "pair") ? "With fewer than six sets this speaks about these sets only, not about others. " : "") + "Grey: the interval holds 0. Each interval is for its comparison alone; of many, some leave 0 out by chance."));
    });
  }

  #notes() {
    const { notes, failures } = this.found;
    const items = [...notes, ...failures.map((failure) => `Failed: ${failure}`)];
    return items.length ? h("details", {}, h("summary", {}, `What has to be known (${items.length})`), h("ul", {}, items.map((item) => h("li", {}, item)))) : "";
  }

  async #try(place, work) {
    try {
      await work();
    } catch (error) {
      place.replaceChildren(h("p", { class: "note bad", role: "alert" }, error.message));
    }
  }
}
