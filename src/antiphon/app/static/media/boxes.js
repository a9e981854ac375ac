// Boxes of time and frequency: drawn in one drag, moved, resized by edges and by keys.

const GRIP = { mouse: 6, pen: 9, touch: 16 };
const CLICK = 4;
const CURSORS = {
  "-1 0": "ew-resize", "1 0": "ew-resize", "0 -1": "ns-resize", "0 1": "ns-resize",
  "-1 1": "nwse-resize", "1 -1": "nwse-resize", "-1 -1": "nesw-resize", "1 1": "nesw-resize",
};
const SIDES = ["start_s", "end_s", "low_hz", "high_hz"];

export class Boxes {
  // `host` has frame, emit(event, detail), redraw(), seek(seconds) and can.draw.
  constructor(surface, host) {
    this.host = host;
    this.surface = surface;
    this.items = [];
    this.selected = -1;
    this.label = "";
    this.drag = null;
    const listen = (name, f) => surface.addEventListener(name, f.bind(this));
    listen("pointerdown", this.down);
    listen("pointermove", this.move);
    listen("pointerup", this.up);
    listen("pointercancel", this.cancel);
    listen("keydown", this.key);
  }

  get box() {
    return this.items[this.selected] ?? null;
  }

  set(items) {
    this.cancel();
    this.items = items.map((box) => ({ ...box }));
    this.selected = -1;
  }

  select(index) {
    const wanted = index >= 0 && index < this.items.length ? index : -1;
    if (wanted === this.selected) return;
    this.selected = wanted;
    this.host.emit("boxselect", { index: wanted, box: this.box && { ...this.box } });
    this.host.redraw();
  }

  add(box) {
    this.items.push(box);
    this.selected = this.items.length - 1;
    this.host.emit("box", { index: this.selected, box: { ...box } });
    this.host.redraw();
  }

  remove() {
    const { box, selected } = this;
    if (!box) return;
    this.items.splice(selected, 1);
    this.selected = -1;
    this.host.emit("boxchange", { index: selected, box, change: "deleted" });
    this.host.redraw();
  }

  // Pointer

  at(event) {
    const bounds = this.surface.getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
  }

  // The box under a point and which of its sides: {index, x, y}, both 0 in its middle.
  hit({ x, y }, kind) {
    const { frame } = this.host;
    const grip = GRIP[kind] ?? GRIP.mouse;
    const order = [...this.items.keys()].reverse();
    if (this.box) order.unshift(this.selected);
    for (const index of order) {
      const box = this.items[index];
      const [left, right] = [frame.x(box.start_s), frame.x(box.end_s)];
      const [top, bottom] = [frame.y(box.high_hz), frame.y(box.low_hz)];
      if (x < left - grip || x > right + grip || y < top - grip || y > bottom + grip) continue;
      const side = (value, low, high) => {
        const near = Math.abs(value - low) <= Math.abs(value - high) ? [low, -1] : [high, 1];
        return Math.abs(value - near[0]) <= grip ? near[1] : 0;
      };
      return { index, x: side(x, left, right), y: -side(y, top, bottom) };
    }
    return null;
  }

  down(event) {
    const { frame, can } = this.host;
    const from = this.at(event);
    if (event.button !== 0 || this.drag || !frame?.holds(from.x, from.y)) return;
    const found = can.draw ? this.hit(from, event.pointerType) : null;
    this.drag = { from, found, pointer: event.pointerId, moved: false, box: null };
    this.surface.setPointerCapture(event.pointerId);
    if (found) {
      this.select(found.index);
      this.drag.before = { ...this.box };
    }
  }

  move(event) {
    const { drag, host } = this;
    const { frame, can } = host;
    if (!frame) return;
    const to = this.at(event);
    if (!drag) {
      const found = can.draw && frame.holds(to.x, to.y) ? this.hit(to, event.pointerType) : null;
      this.surface.style.cursor = found ? (CURSORS[`${found.x} ${found.y}`] ?? "move") : "crosshair";
      return;
    }
    if (event.pointerId !== drag.pointer || !can.draw) return;
    const [dx, dy] = [to.x - drag.from.x, to.y - drag.from.y];
    if (!drag.moved && Math.hypot(dx, dy) < CLICK) return;
    drag.moved = true;
    if (drag.found) this.shift(drag, dx, dy);
    else drag.box = this.between(drag.from, to);
    host.redraw();
  }

  between(from, to) {
    const { frame } = this.host;
    const seconds = [from.x, to.x].map((x) => frame.clampSeconds(frame.seconds(x)));
    const hz = [from.y, to.y].map((y) => frame.clampHz(frame.hz(y)));
    return {
      label: this.label,
      start_s: Math.min(...seconds),
      end_s: Math.max(...seconds),
      low_hz: Math.min(...hz),
      high_hz: Math.max(...hz),
    };
  }

  // Move or resize by pixels, from where it was when the drag began.
  shift({ found, before }, dx, dy) {
    const { frame } = this.host;
    const edges = {
      left: frame.x(before.start_s),
      right: frame.x(before.end_s),
      top: frame.y(before.high_hz),
      bottom: frame.y(before.low_hz),
    };
    const inside = !found.x && !found.y;
    if (inside) {
      dx = Math.min(Math.max(dx, frame.left - edges.left), frame.right - edges.right);
      dy = Math.min(Math.max(dy, frame.top - edges.top), frame.bottom - edges.bottom);
    }
    // What is not touched keeps its value to the last digit.
    const after = { ...before };
    const seconds = (x) => frame.clampSeconds(frame.seconds(x));
    const hz = (y) => frame.clampHz(frame.hz(y));
    if (inside ? dx : found.x === -1) after.start_s = seconds(edges.left + dx);
    if (inside ? dx : found.x === 1) after.end_s = seconds(edges.right + dx);
    if (inside ? dy : found.y === -1) after.low_hz = hz(edges.bottom + dy);
    if (inside ? dy : found.y === 1) after.high_hz = hz(edges.top + dy);
    Object.assign(this.box, upright(after));
  }

  up(event) {
    const { drag, host } = this;
    if (!drag || event.pointerId !== drag.pointer) return;
    this.drag = null;
    if (!drag.moved) {
      if (!drag.found) this.select(-1);
      host.seek(host.frame.clampSeconds(host.frame.seconds(drag.from.x)));
      return;
    }
    if (drag.found) {
      const change = drag.found.x || drag.found.y ? "resized" : "moved";
      host.emit("boxchange", { index: this.selected, box: { ...this.box }, change });
    } else if (drag.box && this.large(drag.box)) {
      this.add(drag.box);
    } else {
      host.redraw();
    }
  }

  large(box) {
    const { frame } = this.host;
    const [wide, high] = [frame.x(box.end_s) - frame.x(box.start_s), frame.y(box.low_hz) - frame.y(box.high_hz)];
    return wide >= CLICK && high >= CLICK;
  }

  // Give up the drag that is going on; true if there was one.
  cancel() {
    const { drag } = this;
    this.drag = null;
    if (!drag) return false;
    if (drag.found && drag.before && this.box) Object.assign(this.box, drag.before);
    this.host.redraw();
    return true;
  }

  // Keys

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.pressed(event.key, event.shiftKey)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  pressed(key, shift) {
    if (key === "Escape") {
      if (this.cancel()) return true;
      const had = this.box !== null;
      this.select(-1);
      return had;
    }
    if (!this.box) return false;
    if (key === "Delete" || key === "Backspace") {
      this.remove();
      return true;
    }
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (!step) return false;
    const { frame } = this.host;
    // A hundredth of the picture; with Shift the end and the upper edge.
    const [dx, dy] = [(step[0] * frame.width) / 100, (step[1] * frame.height) / 100];
    const found = shift ? { x: dx ? 1 : 0, y: dy ? 1 : 0 } : { x: 0, y: 0 };
    const before = { ...this.box };
    this.shift({ found, before }, dx, dy);
    if (!this.large(this.box)) Object.assign(this.box, before);
    if (SIDES.some((side) => this.box[side] !== before[side])) {
      const change = shift ? "resized" : "moved";
      this.host.emit("boxchange", { index: this.selected, box: { ...this.box }, change });
      this.host.redraw();
    }
    return true;
  }

  // Drawing

  draw(ctx) {
    const drawn = this.drag?.box;
    this.items.forEach((box, index) => this.outline(ctx, box, index === this.selected));
    if (drawn) this.outline(ctx, drawn, true);
  }

  outline(ctx, box, chosen) {
    const { frame } = this.host;
    const [x, y] = [frame.x(box.start_s), frame.y(box.high_hz)];
    const [wide, high] = [frame.x(box.end_s) - x, frame.y(box.low_hz) - y];
    // A dark line around a bright one is seen on any colour map.
    for (const [line, colour] of [[chosen ? 4.5 : 3.5, "rgba(0,0,0,0.75)"], [chosen ? 2.5 : 1.5, chosen ? "#ffb000" : "#ffffff"]]) {
      ctx.lineWidth = line;
      ctx.strokeStyle = colour;
      ctx.strokeRect(x, y, wide, high);
    }
    if (chosen) {
      for (const [px, py] of [[x, y], [x + wide, y], [x, y + high], [x + wide, y + high]]) {
        ctx.fillStyle = "rgba(0,0,0,0.75)";
        ctx.fillRect(px - 5, py - 5, 10, 10);
        ctx.fillStyle = "#ffb000";
        ctx.fillRect(px - 3.5, py - 3.5, 7, 7);
      }
    }
    if (box.label) this.tag(ctx, box.label, x, y, chosen);
  }

  tag(ctx, text, x, y, chosen) {
    const { frame } = this.host;
    const wide = ctx.measureText(text).width + 10;
    const left = Math.max(frame.left, Math.min(x, frame.right - wide));
    const top = y - 20 >= frame.top ? y - 20 : y + 3;
    ctx.fillStyle = chosen ? "#ffb000" : "rgba(0,0,0,0.75)";
    ctx.fillRect(left, top, wide, 17);
    ctx.fillStyle = chosen ? "#000000" : "#ffffff";
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.fillText(text, left + 5, top + 9);
  }
}

// A box whose sides were dragged past each other, the right way round.
function upright(box) {
  const [start_s, end_s] = [box.start_s, box.end_s].sort((a, b) => a - b);
  const [low_hz, high_hz] = [box.low_hz, box.high_hz].sort((a, b) => a - b);
  return { ...box, start_s, end_s, low_hz, high_hz };
}
