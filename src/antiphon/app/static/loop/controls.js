// How the loop runs: strategy, batch, switches; how far the queue is; what it has cost.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";
import { duration, number, plural } from "./words.js";

export class Controls {
  // `act(work)` does something that changes the project and then looks again.
  constructor(strategies, act) {
    this.strategies = new Map(strategies.map((one) => [one.name, one]));
    this.act = act;
    this.settings = null;
    this.strategy = h("select", { id: "loop-strategy", onchange: () => this.#put({ strategy: this.strategy.value }) },
      ...strategies.map((one) => h("option", { value: one.name }, one.name)));
    this.summary = h("p", { class: "muted small", id: "loop-strategy-summary" });
    this.strategy.setAttribute("aria-describedby", "loop-strategy-summary");
    this.batch = this.#number("loop-batch", { min: 1, max: 1000, step: 1 }, (value) => ({ batch: value }));
    this.target = this.#number("loop-target", { min: 0.01, max: 0.99, step: 0.01 }, (value) => ({ target: value }));
    this.gain = this.#number("loop-gain", { min: 0.001, max: 1, step: 0.001 }, (value) => ({ min_gain: value }));
    this.per = this.#number("loop-per", { min: 1, max: 100000, step: 1 }, (value) => ({ per_labels: value }));
    this.auto = h("input", { type: "checkbox", role: "switch", id: "loop-auto",
      onchange: () => this.#put({ auto: this.auto.checked }) });
    this.train = h("button", { type: "button", class: "button primary",
      onclick: () => this.act(() => api("POST", "/loop/train")) }, "Train now");
    this.renew = h("button", { type: "button", class: "button", title: "Choose the waiting windows anew; the detector stays as it is",
      onclick: () => this.act(() => api("POST", "/loop/batch")) }, "New batch");
    this.only = h("p", { class: "muted small", hidden: true }, "Only a manager can change this.");
    this.bar = h("div", { class: "loop-bar", role: "progressbar", "aria-valuemin": "0", "aria-label": "Answers until the next training" },
      h("span", {}));
    this.next = h("p", {});
    this.queue = h("p", { class: "muted small" });
    this.label = h("a", { class: "button", href: `${window.antiphon.root}/label` }, "Go on labelling");
    this.cost = h("dl", { class: "loop-facts" });
    this.costNote = h("p", { class: "muted small" });
    this.elements = [
      h("section", { class: "card", "aria-labelledby": "loop-queue" },
        h("h2", { id: "loop-queue" }, "Queue"), this.next, this.bar, this.queue,
        h("div", { class: "line" }, this.label)),
      h("section", { class: "card stack tight", "aria-labelledby": "loop-how" },
        h("h2", { id: "loop-how" }, "How it runs"),
        field("Strategy", this.strategy), this.summary,
        field("Answers in a batch", this.batch),
        h("label", { class: "loop-switch" }, this.auto, h("span", {}, "Train after each batch")),
        h("div", { class: "line" }, this.train, this.renew),
        h("details", { class: "loop-more" }, h("summary", {}, "What is wanted"),
          h("div", { class: "stack tight" },
            field("Average precision wanted, mean over labels", this.target),
            field("Stop when the gain is below", this.gain),
            field("with so many more labels", this.per))),
        this.only),
      h("section", { class: "card", "aria-labelledby": "loop-cost" },
        h("h2", { id: "loop-cost" }, "Cost so far"), this.cost, this.costNote),
    ];
  }

  // Show the settings again as the server has them, whatever was typed.
  forget() {
    this.settings = null;
  }

  show({ settings, may_change: may, job, queue }) {
    const before = this.settings;
    this.settings = settings;
    for (const [name, input] of Object.entries({
      strategy: this.strategy, batch: this.batch, target: this.target, min_gain: this.gain, per_labels: this.per,
    })) {
      // What somebody is typing stays.
      if (!before || before[name] !== settings[name]) input.value = settings[name];
      input.disabled = !may;
    }
    this.auto.checked = settings.auto;
    this.auto.disabled = !may;
    this.train.disabled = this.renew.disabled = !may || Boolean(job);
    this.only.hidden = may;
    const card = this.strategies.get(settings.strategy);
    this.summary.textContent = card ? `${sentence(card.summary)}${card.needs_detector ? " Needs a detector; until there is one, windows that cover the archive." : ""}` : "";
    this.summary.title = card ? card.source : "";
    this.#showQueue(queue, settings);
  }

  #showQueue(queue, settings) {
    const given = queue ? Math.min(queue.since_training, settings.batch) : 0;
    this.bar.setAttribute("aria-valuemax", settings.batch);
    this.bar.setAttribute("aria-valuenow", given);
    this.bar.firstChild.style.width = `${(100 * given) / settings.batch}%`;
    if (!queue) {
      this.next.textContent = "There is no queue of this loop yet.";
      this.queue.textContent = "“New batch” chooses the first windows; “Train now” learns from the labels there are.";
      return;
    }
    const missing = settings.batch - queue.since_training;
    this.next.textContent = settings.auto
      ? missing > 0 ? `${plural(missing, "answer")} until the next training.` : "A training is due."
      : `${plural(queue.since_training, "answer")} since the last training; it waits for “Train now”.`;
    const open = queue.held ? `, ${number(queue.held)} of them open now` : "";
    this.queue.textContent = `${plural(queue.left, "window")} to go${open}; ${number(queue.done)} answered, ` +
      `${number(queue.skipped)} skipped. Chosen by ${queue.strategy}.`;
    this.label.href = `${window.antiphon.root}/label?queue=${queue.id}`;
  }

  showCost(cost) {
    this.cost.replaceChildren(...Object.entries({
      Answers: number(cost.answers),
      "Sounds marked": number(cost.events),
      "Time spent": duration(cost.seconds),
      "Typical answer": cost.per_answer === null ? "not known" : `${cost.per_answer.toFixed(1)} s`,
      Skipped: number(cost.skips),
      People: cost.people.length ? cost.people.join(", ") : "nobody yet",
    }).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    this.costNote.textContent = cost.untimed
      ? `${plural(cost.untimed, "answer")} whose time is not known (such as many windows at once) cost nothing here.` : "";
  }

  #number(id, limits, change) {
    const input = h("input", { type: "number", id, required: true, inputmode: "decimal", onchange: () => {
      if (input.checkValidity()) this.#put(change(Number(input.value)));
      else input.reportValidity();
    } });
    for (const [name, value] of Object.entries(limits)) input.setAttribute(name, value);
    return input;
  }

  #put(change) {
    this.act(() => api("PUT", "/loop/settings", change));
  }
}

const field = (title, input) => h("div", { class: "field" }, h("label", { for: input.id }, title), input);

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
