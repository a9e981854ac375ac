// What a strategy chose, cycle by cycle, over the map of the data set.

import { Refused } from "../frame/api.js";
import { fixed, plural, select } from "../agreement/common.js";
import { ask, query } from "./common.js";
import { cssColour } from "../media/colours.js";
import { h } from "../frame/dom.js";
import { unpack } from "../map/packed.js";
import { Plane } from "./plane.js";

const PLAY_MS = 900;

export class Steps {
  constructor() {
    this.element = h("div", { class: "stack" });
    this.cycle = 0;
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  async chosen(runs) {
    this.there = true;
    if (!runs.length) {
      this.element.replaceChildren(h("p", { class: "note" }, "Choose a run."));
      return;
    }
    this.runs = runs;
    try {
      this.found = await ask("strategies", runs);
      this.#build();
      await this.#data();
    } catch (error) {
      this.#fault(error);
    }
  }

  hidden() {
    this.there = false;
    this.#stop();
  }

  #build() {
    const { sets, systems, reference } = this.found;
    const sheet = this;
    this.set = select("Data set", sets.map((data) => [data.key, data.label]), sets[0].key, () => this.#data().catch((error) => this.#fault(error)));
    this.system = select("Strategy", systems.map((system) => [system.key, system.label]), reference, () => this.#seeds());
    this.seed = select("Repeat", [], "", () => this.#steps());
    this.by = select("Colour", [["order", "order of choice"], ["class", "class"]], "order", () => this.#show());
    this.slider = h("input", { type: "range", min: "0", max: "1", value: "0", "aria-label": "Cycle", oninput: () => this.#to(Number(sheet.slider.value)) });
    this.back = h("button", { type: "button", class: "button small", "aria-label": "One cycle back", title: "Arrow left", onclick: () => this.#to(this.cycle - 1) }, "‹");
    this.on = h("button", { type: "button", class: "button small", "aria-label": "One cycle on", title: "Arrow right", onclick: () => this.#to(this.cycle + 1) }, "›");
    this.play = h("button", { type: "button", class: "button small", title: "Space", onclick: () => this.#toggle() }, "Play");
    this.now = h("p", { class: "now", role: "status", "aria-live": "polite" });
    this.fault = h("p", { class: "note bad", role: "alert", hidden: true });
    this.canvas = h("div", { class: "plane" });
    this.legend = h("div", { class: "legend" });
    this.curve = h("div", { class: "steps-curve" });
    this.list = h("div", { class: "picks" });
    this.element.replaceChildren(
      h("div", { class: "line" }, this.set.element, this.system.element, this.seed.element, this.by.element), this.fault,
      h("div", { class: "stepping" },
        h("section", { class: "card stack", "aria-label": "Map" }, h("div", { class: "line controls" }, this.back, this.slider, this.on, this.play), this.canvas, this.legend),
        h("aside", { class: "stack" }, h("section", { class: "card stack" }, h("h2", {}, "Cycle"), this.now, this.curve),
          h("section", { class: "card stack" }, h("h2", {}, "Chosen in this cycle"), this.list,
            h("p", { class: "muted" }, "← and → step, Home and End go to the ends, Space plays.")))));
    this.plane?.destroy();
    this.plane = new Plane(this.canvas);
  }

  #fault(error) {
    if (this.fault?.isConnected) {
      this.fault.textContent = error.message;
      this.fault.hidden = false;
    } else this.element.replaceChildren(h("p", { class: "note bad", role: "alert" }, error.message));
  }

  async #data() {
    this.fault.hidden = true;
    const set = this.set.select.value;
    const { root } = window.antiphon;
    this.canvas.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(`${root}/api/benchmark/strategies/points?${query(this.runs, { set })}`, { credentials: "same-origin" });
      if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
      const points = unpack(await response.arrayBuffer());
      if (set !== this.set.select.value) return;
      this.points = points;
      this.plane.setPoints(points);
    } catch (error) {
      // The order of choice is not on the map then, but what each cycle brought still shows.
      this.points = null;
      this.plane.setPoints(null);
      this.steps = null;
      throw error;
    } finally {
      this.canvas.removeAttribute("aria-busy");
    }
    await this.#seeds();
  }

  async #seeds() {
    const cell = this.found.cells.find((one) => one.system === this.system.select.value && one.set === this.set.select.value);
    const kept = this.seed.select.value;
    this.seed.select.replaceChildren(...(cell?.seeds ?? []).map((seed) => h("option", { value: seed }, String(seed))));
    if (cell?.seeds.map(String).includes(kept)) this.seed.select.value = kept;
    await this.#steps();
  }

  async #steps() {
    const asked = { set: this.set.select.value, system: this.system.select.value, seed: this.seed.select.value };
    if (asked.seed === "") {
      this.#fault(new Error("This strategy has no run on this set."));
      return;
    }
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const steps = await ask("strategies/steps", this.runs, asked);
      if (turn !== this.turn) return;
      this.steps = steps;
      this.fault.hidden = steps.kept;
      this.fault.textContent = steps.note;
      this.slider.max = String(steps.cycles.length);
      this.#to(Math.min(this.cycle || 1, steps.cycles.length));
    } catch (error) {
      this.#fault(error);
    }
  }

  #to(cycle) {
    if (!this.steps) return;
    this.cycle = Math.max(0, Math.min(this.steps.cycles.length, cycle));
    this.slider.value = String(this.cycle);
    this.#show();
  }

  #show() {
    const { steps, cycle, points } = this;
    if (!steps) return;
    const last = steps.cycles.length;
    const now = steps.cycles[cycle - 1];
    const order = new Map();
    steps.cycles.slice(0, cycle).forEach((one, i) => one.points.forEach((point) => order.set(point, i)));
    const byClass = this.by.select.value === "class";
    this.plane.show({ order, cycle, last, fresh: now?.points ?? [], byClass });
    this.slider.setAttribute("aria-valuetext", now ? `Cycle ${cycle} of ${last}` : "Before the first cycle");
    this.back.disabled = cycle === 0;
    this.on.disabled = cycle === last;
    this.now.textContent = now
      ? `Cycle ${cycle} of ${last}: ${plural(now.labelled, "label")}, mAP ${fixed(now.mAP, 3)}, ${now.classes} of ${plural(steps.classes, "class", "classes")} met.`
      : `Before the first cycle: nothing is labelled yet.`;
    this.legend.replaceChildren(this.#legend(byClass, last));
    this.curve.replaceChildren(curve(steps.cycles, cycle));
    const open = this.list.querySelector("details")?.open;
    this.list.replaceChildren(now && points ? this.#picks(now) : h("p", { class: "muted" }, "Nothing yet."));
    if (open) this.list.querySelector("details")?.setAttribute("open", "");
  }

  #picks(now) {
    const { names, codes } = this.points;
    const count = new Map();
    now.points.forEach((point) => {
      const name = names[codes[point]] ?? "no class";
      count.set(name, (count.get(name) ?? 0) + 1);
    });
    const rows = [...count].sort((a, b) => b[1] - a[1]);
    const most = rows[0]?.[1] ?? 1;
    const each = now.points.map((point) => h("li", {}, h("button", { type: "button", class: "pick", title: "Show it on the map",
      onclick: () => this.plane.focus(point) }, names[codes[point]] ?? "no class")));
    return h("div", {}, this.#counts(rows, most), h("details", {}, h("summary", {}, "One by one, in the order of choice"), h("ol", {}, each)));
  }

  #counts(rows, most) {
    return h("ul", {}, rows.map(([name, n]) => h("li", {}, h("span", {}, name), h("i", { style: { width: `${(100 * n) / most}%` } }), h("span", { class: "number" }, String(n)))));
  }

  #legend(byClass, last) {
    if (byClass) {
      return h("ul", { class: "names" }, this.plane.legend().map(({ name, colour, shape }) =>
        h("li", {}, h("span", { class: `mark ${shape}`, style: { background: colour }, "aria-hidden": "true" }), name)));
    }
    const stops = Array.from({ length: 12 }, (_, i) => cssColour(i / 11)).join(", ");
    return h("div", { class: "ramp-line" }, h("span", { class: "muted" }, "first"), h("div", { class: "ramp", style: { background: `linear-gradient(to right, ${stops})` } }),
      h("span", { class: "muted" }, `cycle ${last}`), h("span", { class: "muted" }, "· ringed: this cycle · grey: not chosen"));
  }

  #toggle() {
    if (this.playing) {
      this.#stop();
      return;
    }
    if (this.cycle === this.steps?.cycles.length) this.#to(0);
    this.play.textContent = "Pause";
    this.playing = setInterval(() => {
      if (!this.element.isConnected || !this.steps || this.cycle >= this.steps.cycles.length) this.#stop();
      else this.#to(this.cycle + 1);
    }, PLAY_MS);
  }

  #stop() {
    clearInterval(this.playing);
    this.playing = null;
    if (this.play) this.play.textContent = "Play";
  }

  #key(event) {
    if (!this.there || !this.steps || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("select, input, [role=tab], a, header")) return;
    const to = { ArrowRight: this.cycle + 1, ArrowLeft: this.cycle - 1, Home: 0, End: this.steps.cycles.length }[event.key];
    if (to !== undefined) this.#to(to);
    else if (event.key === " " && !event.target.closest?.("button")) this.#toggle();
    else return;
    event.preventDefault();
  }
}

const SVG = "http://www.w3.org/2000/svg";

// A small learning curve with the cycle marked.
function curve(cycles, cycle) {
  const draw = (tag, attributes) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const width = 300;
  const height = 110;
  const most = cycles.at(-1).labelled;
  const x = (labelled) => 26 + (labelled / most) * (width - 34);
  const y = (value) => height - 20 - value * (height - 28);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "mAP after each cycle" });
  for (const value of [0, 0.5, 1]) {
    svg.append(draw("line", { class: "grid", x1: 26, x2: width - 8, y1: y(value), y2: y(value) }));
    const text = draw("text", { x: 20, y: y(value) + 4, "text-anchor": "end" });
    text.textContent = String(value);
    svg.append(text);
  }
  const end = draw("text", { x: width - 8, y: height - 5, "text-anchor": "end" });
  end.textContent = `${most} labels`;
  svg.append(end, draw("polyline", { points: cycles.map((one) => `${x(one.labelled)},${y(one.mAP)}`).join(" ") }));
  cycles.forEach((one, i) => svg.append(draw("circle", { cx: x(one.labelled), cy: y(one.mAP), r: i + 1 === cycle ? 6 : 2.5, class: i + 1 === cycle ? "at" : "" })));
  return svg;
}
