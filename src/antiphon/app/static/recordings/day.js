// A day at a site as one long spectrogram, with the detections of each label in a lane below it.

import { h } from "../frame/dom.js";
import { button, colourOf, dot, get, moment, plural, query } from "./common.js";
import { Axis } from "./day_axis.js";
import { suited } from "../media/urls.js";

const PICTURE_PX = 150;
const TILE_PX = 600;
const LANE_PX = 22;
// Below this many pixels for a second the overview of a day is as fine as the screen.
const COARSE = 0.2;
const FINEST = 60;
const AGAIN_MS = 1500;

export class Day {
  constructor({ filters, places, labels, clip }) {
    Object.assign(this, { filters, places, labels, clip });
    this.dates = places.dates.map((d) => d.name);
    this.date = h("select", { id: "day-date", onchange: () => this.update() }, places.dates.map((d) =>
      h("option", { value: d.name }, `${d.name || "unknown date"} · ${plural(d.recordings, "recording")}`)));
    this.date.value = this.dates.find(Boolean) ?? "";
    this.site = h("select", { id: "day-site", onchange: () => this.update() }, places.sites.map((s) =>
      h("option", { value: s.name }, s.name || "unknown site")));
    this.by = h("select", { id: "day-axis", onchange: () => this.#layout(true) },
      h("option", { value: "clock" }, "Clock time"), h("option", { value: "joined" }, "Without the gaps"));
    const near = (by, name) => button(name, () => this.#zoom(by), { "aria-label": by > 1 ? "Closer" : "Farther" });
    this.said = h("p", { class: "count", role: "status", "aria-live": "polite" });
    this.note = h("p", { class: "dim" });
    this.names = h("div", { class: "day-names" });
    this.strip = h("div", { class: "day-strip" });
    this.scroller = h("div", { class: "day-scroll", tabindex: "0", role: "region", "aria-label": "The day; arrow keys scroll", onscroll: () => this.#soon() }, this.strip);
    this.element = h("div", { class: "day" },
      h("div", { class: "tools" },
        button("‹", () => this.#turn(-1), { "aria-label": "Day before" }),
        h("div", { class: "field" }, h("label", { for: "day-date" }, "Day"), this.date),
        button("›", () => this.#turn(1), { "aria-label": "Day after" }),
        h("div", { class: "field" }, h("label", { for: "day-site" }, "Site"), this.site),
        h("div", { class: "field" }, h("label", { for: "day-axis" }, "Axis"), this.by),
        h("span", { class: "grow" }),
        near(0.5, "−"), button("Whole day", () => this.#layout(true)), near(2, "+")),
      this.said, this.note,
      h("div", { class: "day-view" }, this.names, this.scroller));
    this.strip.addEventListener("click", (event) => this.#clicked(event));
    this.strip.addEventListener("keydown", (event) => this.#key(event));
    this.scroller.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.#soon()).observe(this.scroller);
  }

  fields = ["label", "score"];

  choose({ date, site }) {
    if (this.dates.includes(date)) this.date.value = date;
    if (this.places.sites.some((s) => s.name === site)) this.site.value = site;
  }

  #turn(by) {
    const to = this.date.selectedIndex + by;
    if (to < 0 || to >= this.dates.length) return;
    this.date.selectedIndex = to;
    this.update();
  }

  async update() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const asked = { ...this.filters.only("label", "min_score"), site: this.site.value, date: this.date.value };
      const found = await get("/recordings/day", asked);
      if (turn !== this.turn) return;
      this.found = found;
      this.spans = found.recordings.flatMap((recording) => recording.detections.map((span) => ({ ...span, recording })));
      this.lanes = this.labels.filter((label) => found.labels.includes(label));
      this.lanes.push(...found.labels.filter((label) => !this.labels.includes(label)));
      this.#say();
      // Ten minutes an hour are mostly gaps; a day of them is better shown end to end.
      const share = found.recordings.reduce((sum, one) => sum + one.duration_s, 0) / 86_400;
      const chosen = `${this.site.value} ${this.date.value}`;
      if (this.shown !== chosen) this.by.value = share < 0.3 || !this.date.value ? "joined" : "clock";
      for (const option of this.by.options) option.disabled = option.value === "clock" && !this.date.value;
      this.#layout(this.shown !== chosen);
      this.shown = chosen;
    } catch (error) {
      if (turn !== this.turn) return;
      this.said.textContent = error.message;
      this.strip.replaceChildren();
      this.names.replaceChildren();
    }
  }

  #say() {
    const { found } = this;
    const seconds = found.recordings.reduce((sum, one) => sum + one.duration_s, 0);
    this.said.textContent = found.recordings.length
      ? `${plural(found.recordings.length, "recording")}, ${plural(+(seconds / 60).toFixed(1), "minute")}, ${plural(this.spans.length, "detected span")}`
      : "No recording can be heard here on this day; choose another day or site.";
    const notes = [];
    if (found.left_out) notes.push(`${plural(found.left_out, "recording")} of this day cannot be read; see the tab Recordings.`);
    if (found.more) notes.push(`${plural(found.more, "more recording")} of this day ${found.more === 1 ? "is" : "are"} not drawn.`);
    this.note.textContent = notes.join(" ");
  }

  #layout(fit, keep = null) {
    if (!this.found) return;
    const { recordings } = this.found;
    const by = this.by.value;
    const least = Axis.fit(recordings, by, Math.max(this.scroller.clientWidth - 2, 300));
    const scale = fit ? least : Math.min(Math.max(this.axis.scale * keep.by, least), FINEST);
    const share = keep ? (this.scroller.scrollLeft + keep.at) / Math.max(this.axis.width, 1) : 0;
    this.axis = new Axis(recordings, by, scale);
    this.fitted = scale <= least * 1.001;
    this.drawn = new Map();
    this.strip.replaceChildren();
    this.strip.style.width = `${Math.ceil(this.axis.width)}px`;
    this.strip.style.height = `${PICTURE_PX + 22 + LANE_PX * Math.max(this.lanes.length, 1)}px`;
    this.names.replaceChildren(h("div", { class: "day-corner" }), ...this.lanes.map((label) =>
      h("div", { class: "day-name", title: label }, dot(colourOf(label, this.labels)), h("span", {}, label))));
    if (!this.lanes.length) this.names.append(h("div", { class: "day-name dim" }, "no detections"));
    this.scroller.scrollLeft = keep ? share * this.axis.width - keep.at : 0;
    for (const [i, span] of this.spans.entries()) span.at = i;
    this.#draw();
    if (by === "clock") this.#overview();
  }

  #zoom(by, at = null) {
    if (!this.axis) return;
    const middle = this.scroller.clientWidth / 2;
    if (at === null) {
      // Coming closer to a gap would show nothing: what is nearest to the middle is kept there.
      const near = this.axis.nearest(this.scroller.scrollLeft + middle);
      this.scroller.scrollLeft = near - middle;
      at = Math.max(0, near - this.scroller.scrollLeft);
    }
    this.#layout(false, { by, at });
  }

  #wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.#zoom(event.deltaY < 0 ? 1.3 : 1 / 1.3, event.clientX - this.scroller.getBoundingClientRect().left);
  }

  #soon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.axis && this.#draw());
  }

  // Draw what lies on the screen and a screen to either side; take away the rest.
  #draw() {
    const { axis, scroller } = this;
    const width = scroller.clientWidth;
    if (!width) return;
    const [from, to] = [scroller.scrollLeft - width, scroller.scrollLeft + 2 * width];
    const wanted = new Map();
    const bars = [];
    const coarse = axis.by === "clock" && axis.scale <= COARSE;
    if (coarse) this.#coarse(from, to, wanted);
    for (const part of axis.visible(from, to)) {
      if (!coarse) this.#tiles(part, from, to, wanted);
      if (part.width > 6) wanted.set(`part ${part.recording.id}`, () => place(h("div", { class: "day-part", title: part.recording.name }), part.x, part.width, 0, PICTURE_PX));
      this.#bars(part, from, to, bars);
    }
    for (const { key, make } of bars) wanted.set(key(), make);
    for (const mark of axis.marks(from, to)) {
      wanted.set(`mark ${mark.x.toFixed(1)}`, () => place(h("span", { class: "day-mark" }, mark.text), mark.x, null, PICTURE_PX, 20));
    }
    for (const [key, element] of this.drawn) {
      if (wanted.has(key)) continue;
      if (element === document.activeElement) continue;
      element.remove();
      this.drawn.delete(key);
    }
    for (const [key, make] of wanted) {
      if (this.drawn.has(key)) continue;
      const element = make();
      this.drawn.set(key, element);
      this.strip.append(element);
    }
    if (!this.strip.querySelector('.day-span[tabindex="0"]')) this.strip.querySelector(".day-span")?.setAttribute("tabindex", "0");
  }

  #coarse(from, to, wanted) {
    const { scale } = this.axis;
    for (let x = Math.max(0, Math.floor(from / TILE_PX) * TILE_PX); x < Math.min(to, this.axis.width); x += TILE_PX) {
      const end = Math.min(x + TILE_PX, this.axis.width);
      const asked = { date: this.date.value, site: this.site.value || null, begin_s: x / scale, end_s: end / scale,
        width: Math.max(8, Math.round(end - x)), height: PICTURE_PX, scale: "mel" };
      wanted.set(`day ${x} ${this.ready ?? 0}`, () => image(`day/picture?${query(asked)}`, x, end - x));
    }
  }

  #tiles(part, from, to, wanted) {
    const { recording } = part;
    const count = Math.max(1, Math.ceil(part.width / TILE_PX));
    const step_s = recording.duration_s / count;
    for (let i = 0; i < count; i += 1) {
      const x = part.x + (i * part.width) / count;
      const width = part.width / count;
      if (x + width < from || x > to) continue;
      const asked = { recording: recording.id, start_s: +(i * step_s).toFixed(6), end_s: +((i + 1) * step_s).toFixed(6),
        width: Math.max(8, Math.round(width)), height: PICTURE_PX, scale: suited(recording).scale };
      wanted.set(`tile ${recording.id} ${i}`, () => image(`thumbnail?${query(asked)}`, x, width));
    }
  }

  // Detections of one lane that the screen cannot hold apart are one bar.
  #bars(part, from, to, wanted) {
    const { recording } = part;
    const last = new Map();
    for (const span of recording.detections) {
      const x = part.x + span.start_s * this.axis.scale;
      const right = Math.max(x + 4, part.x + span.end_s * this.axis.scale);
      if (right < from || x > to) continue;
      const bar = last.get(span.label);
      if (bar && x < bar.right + 0.5 && !(bar.right - bar.x > 8 && right - x > 8)) {
        bar.right = Math.max(bar.right, right);
        bar.spans.push(span);
      } else {
        const made = { x, right, spans: [span] };
        last.set(span.label, made);
        const key = () => `bar ${recording.id} ${span.channel} ${span.start_s} ${span.label} ${made.spans.length}`;
        wanted.push({ key, make: () => this.#bar(recording, made) });
      }
    }
  }

  #bar(recording, { x, right, spans }) {
    const [first, last] = [spans[0], spans.at(-1)];
    const best = Math.max(...spans.map((span) => span.score)).toFixed(2);
    const when = `${moment(recording.start_time, first.start_s)} to ${moment(recording.start_time, last.end_s)}`;
    const text = `${first.label}, ${when}, ` + (spans.length > 1 ? `${spans.length} detections, best score ${best}` : `score ${best}`);
    const bar = h("div", { class: "day-span", role: "button", tabindex: "-1", "aria-label": text, title: text,
      "aria-pressed": spans.some((span) => this.isOpen(recording, span)) ? "true" : null,
      data: { recording: recording.id, span: recording.detections.indexOf(first) } });
    bar.style.setProperty("--c", colourOf(first.label, this.labels));
    return place(bar, x, right - x, PICTURE_PX + 22 + this.lanes.indexOf(first.label) * LANE_PX + 3, LANE_PX - 6);
  }

  isOpen(recording, span) {
    const { open } = this;
    return open?.recording === recording && open.start_s === span.start_s && open.label === span.label && open.channel === span.channel;
  }

  // The overview is made in the background; look again until it is there.
  async #overview() {
    const turn = (this.looking = (this.looking ?? 0) + 1);
    try {
      for (;;) {
        const state = await get("/media/day", { date: this.date.value, site: this.site.value || null });
        if (turn !== this.looking) return;
        if (state.ready !== this.ready) {
          this.ready = state.ready;
          this.#draw();
        }
        const waiting = state.parts.length - state.ready - state.failed;
        this.note.textContent = waiting ? `The overview of ${plural(waiting, "recording")} is being made …` : this.#failed(state);
        if (state.done) return;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    } catch (error) {
      if (turn === this.looking) this.note.textContent = error.message;
    }
  }

  #failed(state) {
    const problem = state.parts.find((part) => part.problem)?.problem;
    return state.failed ? `${plural(state.failed, "recording")} cannot be drawn: ${problem}` : "";
  }

  #clicked(event) {
    const bar = event.target.closest(".day-span");
    if (bar) {
      this.#open(bar);
      return;
    }
    // Anywhere else: ten seconds of what is there.
    const x = event.clientX - this.strip.getBoundingClientRect().left;
    const part = this.axis.parts.find((one) => x >= one.x && x <= one.x + one.width);
    if (!part) return;
    const { recording } = part;
    const at = Math.max(0, Math.min((x - part.x) / this.axis.scale - 5, recording.duration_s - 10));
    this.clip.show({ recording: recording.id, channel: -1, start_s: at, end_s: Math.min(at + 10, recording.duration_s),
      name: recording.name, site: recording.site, start_time: recording.start_time });
  }

  #open(bar) {
    const recording = this.found.recordings.find((one) => one.id === Number(bar.dataset.recording));
    const span = recording.detections[Number(bar.dataset.span)];
    for (const other of this.strip.querySelectorAll(".day-span[aria-pressed]")) other.removeAttribute("aria-pressed");
    bar.setAttribute("aria-pressed", "true");
    this.open = this.spans.find((one) => one.recording === recording && one.start_s === span.start_s && one.label === span.label && one.channel === span.channel);
    this.#zoomed(this.open, bar);
  }

  #zoomed(span, from) {
    const { recording } = span;
    this.clip.show({ ...span, recording: recording.id, name: recording.name, site: recording.site, start_time: recording.start_time },
      { step: (by) => this.#step(by), from });
  }

  #step(by) {
    const next = this.spans[this.open.at + by];
    if (!next) return;
    this.open = next;
    const part = this.axis.parts.find((one) => one.recording === next.recording);
    this.scroller.scrollLeft = part.x + next.start_s * this.axis.scale - this.scroller.clientWidth / 2;
    for (const other of this.strip.querySelectorAll(".day-span[aria-pressed]")) other.removeAttribute("aria-pressed");
    this.#zoomed(next, null);
  }

  // Arrows go from detection to detection in time, whatever their lane.
  #key(event) {
    const bar = event.target.closest(".day-span");
    if (!bar) return;
    if (event.key === "Enter" || event.key === " ") this.#open(bar);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const bars = [...this.strip.querySelectorAll(".day-span")].sort((a, b) => a.offsetLeft - b.offsetLeft || a.offsetTop - b.offsetTop);
      const to = bars[bars.indexOf(bar) + (event.key === "ArrowRight" ? 1 : -1)];
      if (!to) return;
      bar.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function place(element, x, width, top, height) {
  Object.assign(element.style, { left: `${x}px`, top: `${top}px`, height: `${height}px` });
  if (width !== null) element.style.width = `${width}px`;
  return element;
}

function image(address, x, width) {
  const picture = h("img", { alt: "", class: "day-picture", loading: "lazy", draggable: "false", src: `${window.antiphon.root}/api/media/${address}` });
  picture.addEventListener("error", () => picture.classList.add("failed"));
  return place(picture, x, width, 0, PICTURE_PX);
}
