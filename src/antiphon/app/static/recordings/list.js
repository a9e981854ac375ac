// The tables of recordings and of detections.

import { h } from "../frame/dom.js";
import { breakable, button, clock, colourOf, dot, duration, get, number, Pages, plural } from "./common.js";
import { toQueue } from "./clip.js";

const MOST_QUEUED = 200;

export class RecordingList {
  constructor({ filters, places, clip, day }) {
    this.filters = filters;
    this.text = h("input", { type: "search", id: "only-text", placeholder: "part of the name", oninput: () => this.#later() });
    this.status = h("select", { id: "only-status", onchange: () => this.update() },
      h("option", { value: "" }, "All"),
      places.statuses.map((s) => h("option", { value: s.name }, `${s.name} · ${number(s.recordings)}`)));
    const rate = (hz) => (hz ? `${+(hz / 1000).toFixed(2)} kHz` : "");
    this.pages = new Pages({
      caption: "Recordings",
      sort: "start_time",
      empty: "No recording fits.",
      load: (page) => get("/recordings", { ...page, ...filters.only("site", "first_date", "last_date", "from_hour", "to_hour"),
        text: this.text.value, status: this.status.value }),
      open: (row, at) => {
        if (row.status !== "ok" && row.status !== "partial") return;
        this.pages.mark(at);
        clip.show({ ...row, recording: row.id, channel: -1, start_s: 0, end_s: Math.min(row.duration_s, 15) },
          { step: (by) => this.pages.step(at, by), from: this.pages.body.children[at] });
      },
      columns: [
        { title: "Recording", sort: "name", class: "name", cell: (r) => breakable(r.name) },
        { title: "Site", sort: "site", cell: (r) => r.site ?? "" },
        { title: "Start", sort: "start_time", cell: (r) => (r.start_time
          ? button(clock(r.start_time), () => day(r), { class: "link", title: "Show this day" }) : h("span", { class: "dim" }, "unknown")) },
        { title: "Length", sort: "duration_s", number: true, cell: (r) => duration(r.duration_s) },
        { title: "Rate", sort: "sample_rate", number: true, cell: (r) => rate(r.sample_rate) },
        { title: "Status", sort: "status", class: "status", cell: (r) => h("span", {}, h("span", { class: `state ${r.status}` }, r.status),
          r.problem ? h("small", {}, r.problem) : null) },
        { title: "Windows", sort: "windows", number: true, cell: (r) => number(r.windows) },
        { title: "Labels", sort: "labels", number: true, cell: (r) => (r.labelled ? number(r.labels) : "") },
        { title: "Detections", sort: "detections", number: true, cell: (r) => number(r.detections) },
      ],
    });
    this.element = h("div", {},
      h("div", { class: "tools" },
        h("div", { class: "field" }, h("label", { for: "only-text" }, "Name"), this.text),
        h("div", { class: "field" }, h("label", { for: "only-status" }, "Status"), this.status)),
      this.pages.element);
  }

  fields = ["site", "dates", "hours"];

  #later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.update(), 200);
  }

  update() {
    return this.pages.show(0);
  }
}

export class DetectionTable {
  constructor({ filters, labels, clip, state }) {
    this.filters = filters;
    this.spans = h("input", { type: "checkbox", onchange: () => this.update() });
    this.run = h("select", { id: "only-run", onchange: () => this.update() },
      [...state.runs].reverse().map((run, i) => h("option", { value: run }, i ? run : `${run} (newest)`)));
    this.count = h("p", { class: "count", role: "status", "aria-live": "polite" });
    this.queue = button("Label these", () => this.#queue(), { title: `Makes a queue of the first ${MOST_QUEUED} in this order` });
    this.pages = new Pages({
      caption: "Detections",
      sort: "score",
      descending: true,
      empty: "No detection fits.",
      load: async (page) => {
        const found = await get("/detections", { ...page, ...this.asked });
        const unknown = found.without_time ? `; ${number(found.without_time)} at unknown times are left out` : "";
        this.count.textContent = `${plural(found.total, "detection")} in ${plural(found.recordings, "recording")} ` +
          `at ${plural(found.sites, "site")}${unknown}`;
        this.queue.disabled = found.total === 0;
        return found;
      },
      open: (row, at) => {
        this.pages.mark(at);
        const start_time = row.time && new Date(Date.parse(`${row.time.slice(0, 23)}Z`) - row.start_s * 1000).toISOString().slice(0, 23);
        clip.show({ ...row, start_time, run: this.run.value },
          { step: (by) => this.pages.step(at, by), from: this.pages.body.children[at] });
      },
      columns: [
        { title: "Label", sort: "label", cell: (r) => h("span", {}, dot(colourOf(r.label, labels)), r.label) },
        { title: "Score", sort: "score", number: true, cell: (r) => score(r.score) },
        { title: "Time", sort: "time", cell: (r) => (r.time ? clock(r.time) : h("span", { class: "dim" }, "unknown")) },
        { title: "Site", sort: "site", cell: (r) => r.site ?? "" },
        { title: "Recording", sort: "recording", class: "name", cell: (r) => breakable(r.name) },
        { title: "From", number: true, cell: (r) => `${r.start_s.toFixed(1)} s` },
        { title: "Length", number: true, cell: (r) => `${(r.end_s - r.start_s).toFixed(1)} s` },
      ],
    });
    this.element = h("div", {},
      h("div", { class: "tools" }, this.count, h("span", { class: "grow" }),
        state.runs.length > 1 ? h("div", { class: "field" }, h("label", { for: "only-run" }, "Run"), this.run) : null,
        h("label", { class: "check" }, this.spans, "Join windows that touch"),
        this.queue),
      this.pages.element);
  }

  fields = ["site", "label", "dates", "hours", "score"];

  get asked() {
    return { ...this.filters.asked, run: this.run.value, spans: this.spans.checked };
  }

  async #queue() {
    try {
      const { sort, descending } = this.pages;
      const found = await get("/detections", { ...this.asked, spans: false, sort, descending, limit: MOST_QUEUED });
      const seen = new Map(found.rows.map((r) => [`${r.recording} ${r.channel} ${r.start_s}`,
        { recording: r.recording, channel: r.channel, start_s: r.start_s, end_s: r.end_s }]));
      await toQueue([...seen.values()], `Detections: ${this.filters.words || "all"}`);
    } catch (error) {
      this.count.textContent = error.message;
    }
  }

  update() {
    return this.pages.show(0);
  }
}

function score(value) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", value);
  return h("span", { class: "score" }, bar, value.toFixed(2));
}
