// Many points that can be panned, zoomed, pointed at, walked through and lassoed.

import { PlainDraw, WebGLDraw } from "./draw.js";
import { PointIndex } from "./index.js";

const REACH = 14; // pixels around a click in which a point counts
const CHOSEN = 1;
const HIDDEN = 2;

export class Scatter {
  // events: "focus" (point or -1), "open" (point), "select" (number of points), "view".
  // draw: "webgl" or "plain"; without it, what is quicker here.
  constructor(element, { draw = "" } = {}) {
    this.element = element;
    this.canvas = document.createElement("canvas");
    this.over = document.createElement("canvas");
    this.over.className = "scatter-over";
    element.append(this.canvas, this.over);
    this.drawer = (draw !== "plain" && WebGLDraw.make(this.canvas, draw === "webgl")) || new PlainDraw(this.canvas);
    this.drawer.onrestored = () => this.redraw();
    this.listeners = new Map();
    this.view = { x: 0, y: 0, zoom: 1 };
    this.mode = "pan";
    this.focused = -1;
    this.size = 5;
    this.selected = 0;
    this.dark = false;
    this.setPoints(new Float32Array(0));
    this.resizer = new ResizeObserver(() => this.#resize());
    this.resizer.observe(element);
    this.#listen();
  }

  on(event, f) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), f]);
  }

  setPoints(xy) {
    const n = xy.length / 2;
    this.xy = xy;
    this.index = new PointIndex(xy);
    if (this.states?.length !== n) {
      this.states = new Uint8Array(n);
      this.codes = new Uint8Array(n).fill(255);
      this.focused = -1;
    }
    this.#upload();
  }

  // codes: one byte for each point; table: 256 of [red, green, blue, shape].
  setColours(codes, table) {
    this.codes = codes;
    this.drawer.setPalette(table);
    this.#upload();
  }

  // Hide the points of these codes; hidden points cannot be selected.
  hide(codes) {
    for (let i = 0; i < this.states.length; i++) {
      this.states[i] = codes.has(this.codes[i]) ? HIDDEN : this.states[i] & CHOSEN;
    }
    this.#chosen();
  }

  get selection() {
    const found = [];
    for (let i = 0; i < this.states.length; i++) if (this.states[i] & CHOSEN) found.push(i);
    return found;
  }

  select(points, { add = false } = {}) {
    if (!add) for (let i = 0; i < this.states.length; i++) this.states[i] &= ~CHOSEN;
    for (const i of points) if (!(this.states[i] & HIDDEN)) this.states[i] |= CHOSEN;
    this.#chosen();
  }

  toggle(i) {
    if (i >= 0) this.states[i] ^= CHOSEN;
    this.#chosen();
  }

  visible = (i) => !(this.states[i] & HIDDEN);

  // Points that lie in what is shown.
  inView() {
    const [left, bottom] = this.toPlane(0, this.height);
    const [right, top] = this.toPlane(this.width, 0);
    return this.index.within(left, bottom, right, top).filter(this.visible);
  }

  lasso(polygon, { add = false } = {}) {
    const found = this.index.inside(polygon, this.visible);
    this.select(found, { add });
    return found;
  }

  setMode(mode) {
    this.mode = mode;
    this.element.dataset.mode = mode;
    this.#emit("view");
  }

  focus(i) {
    this.focused = i;
    if (i >= 0) {
      const [x, y] = this.toScreen(i);
      const edge = 30;
      if (x < edge || y < edge || x > this.width - edge || y > this.height - edge) {
        this.view.x = this.xy[2 * i];
        this.view.y = this.xy[2 * i + 1];
      }
    }
    this.redraw();
    this.#emit("focus", i);
  }

  fit() {
    this.view = { x: 0, y: 0, zoom: 1 };
    this.redraw();
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const [px, py] = this.toPlane(x, y);
    this.view.zoom = Math.min(400, Math.max(0.5, this.view.zoom * factor));
    const [qx, qy] = this.toPlane(x, y);
    this.view.x += px - qx;
    this.view.y += py - qy;
    this.redraw();
  }

  // Pixels for one unit of the plane.
  get unit() {
    return 0.47 * Math.min(this.width, this.height) * this.view.zoom;
  }

  toPlane(x, y) {
    const { unit } = this;
    return [this.view.x + (x - this.width / 2) / unit, this.view.y - (y - this.height / 2) / unit];
  }

  toScreen(i) {
    const { unit } = this;
    return [
      this.width / 2 + (this.xy[2 * i] - this.view.x) * unit,
      this.height / 2 - (this.xy[2 * i + 1] - this.view.y) * unit,
    ];
  }

  redraw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.drawNow();
    });
  }

  drawNow() {
    if (!this.width || !this.height) return;
    const { unit, view } = this;
    const scale = [(2 * unit) / this.width, (2 * unit) / this.height];
    this.drawer.draw({
      scale,
      shift: [-view.x * scale[0], -view.y * scale[1]],
      size: this.#pointSize() * this.dense,
      ring: this.dark ? [255, 255, 255] : [0, 0, 0],
      rim: this.dark ? 1.0 : 0.72,
    });
    this.#drawOver();
  }

  #pointSize() {
    const crowd = Math.max(1, this.xy.length / 2 / 4000);
    return Math.min(13, (this.size + 2.5) * Math.sqrt(Math.sqrt(this.view.zoom)) / crowd ** 0.2);
  }

  #upload() {
    const n = this.states.length;
    // What nothing is known of lies below the rest.
    const order = new Uint32Array(n);
    let k = 0;
    for (let i = 0; i < n; i++) if (this.codes[i] === 255) order[k++] = i;
    for (let i = 0; i < n; i++) if (this.codes[i] !== 255) order[k++] = i;
    this.drawer.setPoints(this.xy, this.codes, this.states, order);
    this.redraw();
  }

  #chosen() {
    this.drawer.setStates(this.states);
    this.selected = 0;
    for (let i = 0; i < this.states.length; i++) this.selected += this.states[i] & CHOSEN;
    this.redraw();
    this.#emit("select", this.selected);
  }

  #resize() {
    const box = this.element.getBoundingClientRect();
    this.dense = Math.min(2, window.devicePixelRatio || 1);
    this.width = box.width;
    this.height = box.height;
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = Math.round(box.width * this.dense);
      canvas.height = Math.round(box.height * this.dense);
    }
    this.drawNow();
  }

  #drawOver() {
    const pen = this.over.getContext("2d");
    pen.setTransform(this.dense, 0, 0, this.dense, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    const line = this.dark ? "#fff" : "#000";
    if (this.focused >= 0) {
      const [x, y] = this.toScreen(this.focused);
      const radius = this.#pointSize() / 2 + 5;
      for (const [colour, width] of [[this.dark ? "#000" : "#fff", 5], ["#e69f00", 3]]) {
        pen.beginPath();
        pen.arc(x, y, radius, 0, 2 * Math.PI);
        pen.strokeStyle = colour;
        pen.lineWidth = width;
        pen.stroke();
      }
    }
    if (this.path?.length > 1) {
      pen.beginPath();
      this.path.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
      pen.fillStyle = this.dark ? "#ffffff22" : "#0000001a";
      pen.fill();
      pen.setLineDash([5, 4]);
      pen.strokeStyle = line;
      pen.lineWidth = 1.5;
      pen.stroke();
      pen.setLineDash([]);
    }
  }

  #listen() {
    const { over } = this;
    const pointers = new Map();
    let moved = 0;
    const place = (event) => {
      const box = over.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
      moved = 0;
      this.path = this.mode === "lasso" && pointers.size === 1 ? [place(event)] : null;
    });
    over.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = place(event);
      moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (this.path) {
        this.path.push(now);
      } else if (pointers.size === 2) {
        const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
        const apart = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]);
        this.zoomBy(apart(now) / Math.max(1, apart(before)), other[0], other[1]);
      } else {
        this.view.x -= (now[0] - before[0]) / this.unit;
        this.view.y += (now[1] - before[1]) / this.unit;
      }
      pointers.set(event.pointerId, now);
      this.redraw();
    });
    const end = (event) => {
      if (!pointers.delete(event.pointerId)) return;
      const { path } = this;
      this.path = null;
      if (event.type === "pointercancel") this.redraw();
      else if (path && moved > 4) {
        this.lasso(path.map(([x, y]) => this.toPlane(x, y)), { add: event.shiftKey });
      } else if (moved <= 4) {
        const [x, y] = this.toPlane(...place(event));
        const i = this.index.nearest(x, y, REACH / this.unit, this.visible);
        if (i >= 0 && (event.shiftKey || event.ctrlKey || event.metaKey)) this.toggle(i);
        this.focus(i);
        if (i >= 0) this.#emit("open", i);
      }
    };
    over.addEventListener("pointerup", end);
    over.addEventListener("pointercancel", end);
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event));
    }, { passive: false });
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "a" && (event.ctrlKey || event.metaKey)) {
      this.select(this.inView(), { add: event.shiftKey });
    } else if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    } else if (step) {
      if (this.focused < 0) this.focus(this.index.nearest(this.view.x, this.view.y, 4, this.visible));
      else {
        const next = this.index.towards(this.focused, ...step, this.visible);
        if (next >= 0) {
          if (event.shiftKey) this.select([this.focused, next], { add: true });
          this.focus(next);
        }
      }
    } else if (key === "Enter") {
      if (this.focused >= 0) this.#emit("open", this.focused);
    } else if (key === " ") this.toggle(this.focused);
    else if (key === "+" || key === "=") this.zoomBy(1.4, ...this.#middle());
    else if (key === "-") this.zoomBy(1 / 1.4, ...this.#middle());
    else if (key === "0") this.fit();
    else if (key === "l") this.setMode(this.mode === "lasso" ? "pan" : "lasso");
    else if (key === "Escape") {
      if (this.path) this.path = null;
      this.select([]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #middle() {
    return this.focused >= 0 ? this.toScreen(this.focused) : [this.width / 2, this.height / 2];
  }

  #emit(event, value) {
    for (const f of this.listeners.get(event) ?? []) f(value);
  }
}
