// The running job, the last one, and those before.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";
import { measured, plural, took, when } from "./words.js";

const LOOK_MS = 1000;
const STATES = {
  running: ["running", ""],
  done: ["done", "good"],
  waiting: ["too few labels", ""],
  failed: ["failed", "bad"],
  cancelled: ["cancelled", ""],
  interrupted: ["interrupted", "bad"],
};
const SIGNS = { todo: "○", running: "◐", done: "●", skipped: "–" };
const WORDS = { todo: "to do", running: "running", done: "done", skipped: "left out" };

export class JobCard {
  constructor(act) {
    this.title = h("h2", {}, "Training");
    this.status = h("p", { role: "status", "aria-live": "polite" });
    this.steps = h("ol", { class: "loop-steps", "aria-label": "Steps" });
    this.notes = h("div", { class: "stack tight" });
    this.cancel = h("button", { type: "button", class: "button small", hidden: true,
      onclick: () => act(() => api("POST", "/loop/cancel")) }, "Cancel");
    this.element = h("section", { class: "card loop-job", "aria-label": "Training" },
      h("div", { class: "line between" }, this.title, this.cancel), this.status, this.steps, this.notes);
  }

  show({ job, last, may_change: may }) {
    const shown = job || last;
    this.element.dataset.state = shown ? shown.state : "none";
    this.cancel.hidden = !job || !may;
    if (!shown) {
      this.#say("Nothing was trained here yet.");
      this.steps.replaceChildren();
      this.notes.replaceChildren();
      return;
    }
    this.title.textContent = shown.kind === "train" ? "Training" : "Next windows";
    this.#say(job ? running(job) : ended(last));
    this.steps.replaceChildren(...shown.steps.map(step));
    const outcome = shown.outcome;
    const bad = ["failed", "interrupted"].includes(shown.state);
    const notes = (outcome ? outcome.notes : []).map((text) => h("p", { class: "note warn" }, text));
    if (shown.error) notes.unshift(h("p", { class: bad ? "note bad" : "note" }, shown.error));
    const untrained = outcome ? Object.entries(outcome.untrained) : [];
    if (untrained.length) {
      notes.push(h("p", { class: "note" }, `Not learnt yet: ${untrained.map(([name, why]) => `${name} (${why})`).join("; ")}.`));
    }
    this.notes.replaceChildren(...notes);
  }

  // Said aloud only when it changes.
  #say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}

function step(one) {
  const time = one.seconds === null ? "" : took(one.seconds);
  return h("li", { class: one.state },
    h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[one.state]),
    h("span", {}, one.title, h("span", { class: "visually-hidden" }, `, ${WORDS[one.state]}`)),
    h("span", { class: "muted number" }, time));
}

function running(job) {
  const now = job.steps.find((one) => one.state === "running");
  const who = job.by ? `, started by ${job.by}` : ", after a batch of answers";
  return `${now ? now.title : job.steps.length ? "Starting" : "Running"}${who}. You can go on labelling.`;
}

function ended(job) {
  const outcome = job.outcome;
  if (job.kind === "batch") return outcome?.queue ? `Windows were chosen, ${when(job.ended)}; ${outcome.left} to go.` : `${STATES[job.state][0]}, ${when(job.ended || job.began)}.`;
  if (job.state === "waiting") return "Nothing could be trained yet. What is missing:";
  if (job.state !== "done") return `The last training was ${job.state === "failed" ? "not finished" : STATES[job.state][0]}, ${when(job.ended || job.began)}.`;
  const quality = outcome.average_precision ? `, average precision ${measured(outcome.average_precision)}` : "";
  return `Trained ${when(job.ended)} on ${plural(outcome.windows, "window")} of ${plural(outcome.groups, outcome.group_by)}${quality}.`;
}

// Training leaves detections as they are; this says of which detector they are, and renews them.
export class Detections {
  constructor(act) {
    this.act = act;
    this.words = h("span", {});
    this.renew = h("button", { type: "button", class: "button small", onclick: () => this.#run() }, "Renew them");
    this.element = h("p", { class: "note line", "aria-live": "polite", hidden: true }, this.words, this.renew);
  }

  async look() {
    const state = await api("GET", "/detections/state");
    const isOld = Boolean(state.run && state.detector && !state.current);
    this.element.hidden = !isOld && !state.running && !this.isRunning;
    this.renew.hidden = !isOld || state.running || !state.manager;
    if (state.running) {
      this.#say(`The detector is running over all windows${state.share === null ? "" : `, ${Math.round(100 * state.share)} %`}.`);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look().catch(() => {}), LOOK_MS);
    } else if (isOld) {
      this.#say(`The detections on the page Recordings are of an earlier detector, ${state.run}. ${state.error ? `The last run failed: ${state.error}` : state.manager ? "" : "A manager can renew them."}`);
    } else this.#say("The detections are renewed.");
    this.isRunning = state.running;
  }

  async #run() {
    this.isRunning = true;
    await this.act(() => api("POST", "/detections/run"));
    await this.look().catch(() => {});
  }

  #say(text) {
    if (this.words.textContent !== text) this.words.textContent = text;
  }
}

export class History {
  constructor() {
    this.body = h("tbody", {});
    this.empty = h("p", { class: "muted" }, "Nothing yet.");
    this.element = h("section", { class: "card", "aria-labelledby": "loop-history" },
      h("h2", { id: "loop-history" }, "Trainings"), this.empty,
      h("div", { class: "loop-scroll", tabindex: "0", role: "group", "aria-labelledby": "loop-history" },
        h("table", { class: "plain-table" },
          h("thead", {}, h("tr", {}, ...["When", "Started by", "What", "State", "Labels", "Average precision", "Time", "Detector"].map((name) => h("th", { scope: "col" }, name)))),
          this.body)));
  }

  show(jobs) {
    this.empty.hidden = jobs.length > 0;
    this.body.closest("table").hidden = jobs.length === 0;
    this.body.replaceChildren(...jobs.map((job) => {
      const [state, look] = STATES[job.state];
      const seconds = job.ended ? (new Date(job.ended) - new Date(job.began)) / 1000 : null;
      return h("tr", {},
        h("td", { class: "number" }, when(job.began)),
        h("td", {}, job.by || "itself"),
        h("td", {}, job.kind === "train" ? "training" : "next windows"),
        h("td", {}, h("span", { class: `tag ${look}`, title: job.error || job.outcome?.notes.join(" ") || "" }, state)),
        h("td", { class: "number" }, job.outcome?.labels_spent ?? "–"),
        h("td", { class: "number" }, measured(job.outcome?.average_precision)),
        h("td", { class: "number" }, seconds === null ? "–" : took(seconds)),
        h("td", {}, job.outcome?.detector ?? "–"));
    }));
  }
}
