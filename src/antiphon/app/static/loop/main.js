// The page "Loop": asks how things stand, more often while a training runs.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";
import { Controls } from "./controls.js";
import { Curve, Labels, Outlook } from "./figures.js";
import { Detections, History, JobCard } from "./jobs.js";
import { whenThere } from "../frame/mount.js";

const BUSY_MS = 1000;
const IDLE_MS = 5000;

class LoopPage {
  constructor(root, strategies) {
    this.alert = h("p", { class: "note bad", role: "alert", hidden: true });
    const act = (work) => this.act(work);
    this.controls = new Controls(strategies, act);
    this.job = new JobCard(act);
    this.detections = new Detections(act);
    this.job.element.append(this.detections.element);
    this.curve = new Curve();
    this.outlook = new Outlook();
    this.labels = new Labels();
    this.history = new History();
    root.replaceChildren(
      h("header", { class: "loop-head" },
        h("h1", {}, "Loop"),
        h("p", { class: "muted" }, "Label a batch, and the detector learns from it while you go on.")),
      this.alert,
      h("div", { class: "loop-grid" },
        h("div", { class: "stack" }, this.job.element, this.curve.element, this.outlook.element),
        h("div", { class: "stack loop-side" }, ...this.controls.elements)),
      h("div", { class: "stack loop-wide" }, this.labels.element, this.history.element),
    );
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    this.look();
  }

  // Ask again after `ms`; one question is under way at a time.
  #later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), ms);
  }

  async look() {
    if (this.looking) {
      this.again = true;
      return;
    }
    this.looking = true;
    clearTimeout(this.timer);
    try {
      const now = await api("GET", "/loop");
      this.show(now);
      await this.#figures(now);
      this.#later(now.job ? BUSY_MS : IDLE_MS);
    } catch (error) {
      this.#fault(error);
      this.#later(IDLE_MS);
    } finally {
      this.looking = false;
    }
    if (this.again) {
      this.again = false;
      this.look();
    }
  }

  show(now) {
    this.controls.show(now);
    this.job.show(now);
  }

  // Figures change with answers, settings and trainings; the server keeps them as long as they hold.
  async #figures(now) {
    const { queue, last, job, settings } = now;
    const key = JSON.stringify([queue, last?.id, last?.state, job?.id, job?.steps.map((s) => s.state), settings]);
    if (key === this.known) return;
    const [figures, jobs] = await Promise.all([api("GET", "/loop/figures"), api("GET", "/loop/jobs?limit=30"), this.detections.look()]);
    this.known = key;
    this.curve.show(figures);
    this.outlook.show(figures, settings);
    this.controls.showCost(figures.cost);
    this.labels.show(figures);
    this.history.show(jobs);
  }

  // Do what somebody asked for, say it if that cannot be, and look how things stand then.
  async act(work) {
    this.alert.hidden = true;
    try {
      await work();
    } catch (error) {
      this.#fault(error);
      this.controls.forget();
    }
    await this.look();
  }

  #fault(error) {
    // The line at the top tells of a lost connection.
    if (error.name === "Unreachable") return;
    this.alert.textContent = error.message;
    this.alert.hidden = false;
  }
}

whenThere("loop-page", async (root) => {
  try {
    new LoopPage(root, await api("GET", "/loop/strategies"));
  } catch (error) {
    root.replaceChildren(h("p", { class: "note bad", role: "alert" }, error.message));
  }
});
