// The map of a data set: all rows, those chosen so far, those of this cycle.

import { Scatter } from "../scatter/scatter.js";
import { css, palette, SHAPES } from "../scatter/colours.js";

const UNCHOSEN = 255;
const STEPS = 250;

export class Plane {
  constructor(element) {
    element.tabIndex = 0;
    element.setAttribute("role", "application");
    element.setAttribute("aria-label", "Map of the rows that can be chosen");
    this.scatter = new Scatter(element);
    this.shade = () => {
      this.scatter.dark = document.documentElement.dataset.theme === "dark";
      if (this.last) this.show(this.last);
    };
    window.addEventListener("antiphon:theme", this.shade);
    this.shade();
  }

  setPoints(points) {
    this.points = points;
    this.scatter.setPoints(points?.xy ?? new Float32Array(0));
    this.scatter.fit();
  }

  // order: the cycle (from 0) of each chosen point; fresh: the points of this cycle.
  show(now) {
    this.last = now;
    if (!this.points) return;
    const { order, last, fresh, byClass } = now;
    const codes = new Uint8Array(this.points.codes.length).fill(UNCHOSEN);
    for (const [point, cycle] of order) {
      codes[point] = byClass ? this.points.codes[point] : Math.round((STEPS * cycle) / Math.max(1, last - 1));
    }
    this.scatter.setColours(codes, this.#table(byClass));
    this.scatter.select(fresh);
    this.scatter.focus(-1);
  }

  focus(point) {
    this.scatter.focus(point);
  }

  legend() {
    const table = this.#table(true);
    return (this.points?.names ?? []).map((name, code) => ({ name, colour: css(table[code]), shape: SHAPES[table[code][3]] }));
  }

  #table(byClass) {
    return palette(byClass ? { kind: "categories" } : { kind: "scale", steps: STEPS }, this.scatter.dark);
  }

  destroy() {
    window.removeEventListener("antiphon:theme", this.shade);
    this.scatter.resizer.disconnect();
  }
}
