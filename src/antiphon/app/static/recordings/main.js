// The page "Recordings and detections".

import { whenThere } from "../frame/mount.js";
import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";
import { Activity } from "./activity.js";
import { Clip } from "./clip.js";
import { button, colourOf, get, number, plural } from "./common.js";
import { Day } from "./day.js";
import { exportDialog } from "./export.js";
import { Filters } from "./filters.js";
import { DetectionTable, RecordingList } from "./list.js";
import { Thresholds } from "./thresholds.js";

const PARTS = [["day", "Day"], ["recordings", "Recordings"], ["detections", "Detections"], ["activity", "Activity"], ["thresholds", "Thresholds"]];
const AGAIN_MS = 700;

class RecordingsPage {
  constructor(root, places, state) {
    Object.assign(this, { root, places, state });
    this.labels = state.labels.map((one) => one.label);
    const { labels } = this;
    this.filters = new Filters({ places, labels, changed: () => this.#changed() });
    this.clip = new Clip({ colour: (label) => colourOf(label, labels), opened: (is) => root.classList.toggle("with-clip", is) });
    const shared = { filters: this.filters, places, labels, state, clip: this.clip };
    this.views = {
      day: new Day(shared),
      recordings: new RecordingList({ ...shared, day: (row) => this.#showDay(row) }),
      detections: state.run ? new DetectionTable(shared) : null,
      activity: new Activity(shared),
      thresholds: state.detector ? new Thresholds({ ...shared, saved: (text) => this.#running(text) }) : null,
    };
    this.said = h("p", { class: "notice", role: "status", "aria-live": "polite" });
    this.tabs = PARTS.map(([name, text], i) => h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "part",
      onclick: () => this.show(name), onkeydown: (event) => this.#arrow(event, i) }, text));
    this.part = h("div", { id: "part", role: "tabpanel", tabindex: "-1" });
    root.replaceChildren(
      h("header", { class: "head" }, h("div", {}, h("h1", {}, "Recordings and detections"), h("p", { class: "dim" }, this.#summary())),
        button("Export…", () => this.#export())),
      this.said,
      h("div", { class: "tabs", role: "tablist", "aria-label": "Parts of this page" }, this.tabs),
      this.filters.element, this.part, this.clip.element);
    this.#notice();
    this.#fromAddress();
  }

  #summary() {
    const { places, state } = this;
    const bad = places.statuses.filter((s) => s.name !== "ok").map((s) => `${number(s.recordings)} ${s.name}`);
    const parts = [`${plural(places.recordings, "recording")}${bad.length ? ` (${bad.join(", ")})` : ""}`, places.hours < 0.95 ? `${+(60 * places.hours).toFixed(1)} min` : `${+places.hours.toFixed(1)} h`];
    if (state.run) parts.push(`${plural(state.detections, "detected window")} by ${state.run}`);
    return parts.join(" · ");
  }

  // What is missing, and what to do about it.
  #notice(text = "") {
    const { state } = this;
    this.said.replaceChildren();
    const say = (words, detect) => this.said.append(words, ...(detect && state.manager && state.detector
      ? [" ", button(state.run ? "Renew them" : "Detect now", () => this.#detect(), { class: "" })] : []));
    if (state.error) say(`The last run failed: ${state.error}`, true);
    else if (text) say(text);
    else if (!this.places.recordings) say("The project has no recordings yet. Add a folder: antiphon init PROJECT --audio DIR");
    else if (!state.embedded) say("The recordings are not embedded yet, so nothing can be detected. Run: antiphon embed PROJECT --encoder spectral");
    else if (!state.detector) say("There is no detector yet. Label some windows on the page Label and train one on the page Loop, or run: antiphon train PROJECT");
    else if (!state.run) say(`The detector ${state.detector} has not been run.${state.manager ? "" : " A manager can run it here, or: antiphon detect PROJECT"}`, true);
    else if (!state.current) say(`These detections are of an earlier detector (${state.run}); the detector is ${state.detector} now.${state.manager ? "" : " A manager can run the new one."}`, true);
    this.said.hidden = !this.said.childNodes.length;
  }

  async #detect() {
    try {
      await api("POST", "/detections/run");
      await this.#running("The detector is running.");
    } catch (error) {
      this.#notice(error.message);
    }
  }

  // Wait for the run, then begin anew with what it found.
  async #running(text) {
    for (;;) {
      try {
        this.state = await get("/detections/state");
      } catch {
        // The server is gone for a moment; the run goes on or has ended.
      }
      if (!this.state.running) break;
      this.#notice(this.state.share === null ? text : `${text} ${Math.round(100 * this.state.share)} %`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    await mount(this.root);
  }

  show(name) {
    this.name = name;
    PARTS.forEach(([one], i) => {
      this.tabs[i].setAttribute("aria-selected", String(one === name));
      this.tabs[i].tabIndex = one === name ? 0 : -1;
    });
    this.part.setAttribute("aria-labelledby", `tab-${name}`);
    const view = this.views[name];
    this.filters.offer(view?.fields ?? []);
    if (!this.clip.element.hidden) this.clip.close();
    this.part.replaceChildren(view ? view.element : h("p", { class: "empty" },
      name === "thresholds" ? "Thresholds need a detector." : "There are no detections yet."));
    this.#toAddress();
    return view?.update();
  }

  #changed() {
    this.filters.offer(this.views[this.name]?.fields ?? []);
    this.#toAddress();
    this.views[this.name]?.update();
  }

  #showDay(row) {
    this.views.day.choose({ date: row.start_time.slice(0, 10), site: row.site ?? "" });
    this.show("day");
  }

  #export() {
    const asked = { ...this.filters.asked, run: this.views.detections?.asked.run };
    exportDialog({ asked, words: this.filters.words, hasDetections: Boolean(this.state.run) });
  }

  #arrow(event, at) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const to = (at + by + PARTS.length) % PARTS.length;
    this.tabs[to].focus();
    this.show(PARTS[to][0]);
    event.preventDefault();
  }

  #toAddress() {
    const asked = new URLSearchParams({ part: this.name, ...this.filters.asked });
    history.replaceState(null, "", `?${asked}`);
  }

  #fromAddress() {
    const asked = Object.fromEntries(new URLSearchParams(location.search));
    this.filters.set(asked);
    this.views.day.choose({ date: asked.date, site: asked.site });
    this.show(PARTS.some(([name]) => name === asked.part) ? asked.part : "day");
  }
}

async function mount(root) {
  try {
    const [places, state] = await Promise.all([get("/recordings/places"), get("/detections/state")]);
    new RecordingsPage(root, places, state);
  } catch (error) {
    root.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
  }
}

whenThere("recordings-page", mount);
