// Disagreements: look, listen, decide. The opinions stay; the decision is what training uses.

import { api } from "../frame/api.js";
import { button, plural, select } from "./common.js";
import { pastOf } from "./history.js";
import { h, uuid } from "../frame/dom.js";
import { SpectrogramView } from "../media/spectrogram.js";
import { suited } from "../media/urls.js";

const SIZE = 200;
const STATES = [["present", "Y", "Present"], ["absent", "N", "Absent"], ["unsure", "X", "Cannot tell"]];
const KEYS = { y: "present", n: "absent", x: "unsure" };
const PLACE = ["recording", "channel", "start_s", "end_s"];

const placeOf = (window) => Object.fromEntries(PLACE.map((name) => [name, window[name]]));

// Where and when, if that is known; a file's name says it less well.
const titleOf = (w) => (w.time ? `${w.site ?? ""} ${w.time.slice(0, 16).replace("T", " ")}`.trim() : w.name.split("/").pop());

export class Settling {
  constructor(facts) {
    this.facts = facts;
    this.state = "open";
    this.at = 0;
    this.rows = [];
    this.label = select("Label", [["", "all"]], "", () => this.load());
    this.who = select("Person", [["", "anybody"]], "", () => this.load());
    this.which = select("Show", [["open", "to settle"], ["settled", "settled"]], "open", (state) => {
      this.state = state;
      this.load();
    });
    this.queue = button("Make a queue of them", () => this.#queue());
    this.said = h("p", { role: "status", "aria-live": "polite" });
    this.count = h("p", { class: "count", role: "status" });
    this.list = h("ul", { class: "windows", role: "listbox", tabindex: "0", "aria-label": "Windows people disagree on",
      onclick: (event) => this.#clicked(event) });
    this.title = h("h2", {});
    this.facts_ = h("p", { class: "muted" });
    this.picture = h("div", { class: "picture" });
    this.play = button("Play", () => this.view?.toggle(), { title: "Space" });
    this.context = select("Around it", [["0", "nothing"], ["1", "± 1 s"], ["3", "± 3 s"], ["10", "± 10 s"]], "1", () => this.#draw());
    this.choices = h("div", { class: "choices" });
    this.note = h("input", { class: "note-of", maxlength: "1000", placeholder: "Why (may stay empty)", "aria-label": "Note" });
    this.save = h("button", { type: "button", class: "button primary", onclick: () => this.#save() }, "Settle");
    this.undo = button("Take back the last one", () => this.#undo(), { title: "Z", disabled: true });
    this.only = h("p", { class: "note", hidden: true }, "Only imported tables differ here, so a manager settles this window. " +
      "Anybody else may once another person has answered it in the app.");
    this.past = h("div", {});
    this.desk = h("section", { class: "card desk", "aria-label": "The window", hidden: true },
      h("div", { class: "line spread" }, h("div", {}, this.title, this.facts_), h("div", { class: "line" }, this.context.element, this.play)),
      this.picture, this.choices, this.only, h("div", { class: "line" }, this.note, this.save, this.undo),
      h("p", { class: "muted keys" }, "Y present · N absent · X cannot tell · Enter settles · Z takes back · J and K next and previous · Space plays"), this.past);
    this.element = h("div", { class: "stack" },
      h("div", { class: "line" }, this.which.element, this.label.element, this.who.element, this.queue, this.count), this.said,
      h("div", { class: "settling" }, this.list, this.desk));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  shown() {
    this.there = true;
    return this.load();
  }

  hidden() {
    this.there = false;
    this.view?.stop();
  }

  async load() {
    const asked = new URLSearchParams({ state: this.state, limit: SIZE });
    if (this.label.select.value) asked.set("label", this.label.select.value);
    if (this.who.select.value) asked.set("who", this.who.select.value);
    const found = await api("GET", `/agreement/disagreements?${asked}`);
    this.#offer(this.label.select, "all", found.labels);
    this.#offer(this.who.select, "anybody", found.people);
    this.rows = found.rows;
    this.total = found.total;
    this.hiddenOnes = found.hidden;
    this.at = Math.min(this.at, Math.max(0, this.rows.length - 1));
    this.queue.hidden = this.state !== "open" || !found.total;
    this.#fill();
    await this.#open(this.at);
  }

  #offer(list, all, names) {
    const kept = list.value;
    list.replaceChildren(h("option", { value: "" }, all), ...names.map((name) => h("option", { value: name }, name)));
    if (names.includes(kept)) list.value = kept;
  }

  #fill() {
    const open = this.state === "open";
    this.list.replaceChildren(...this.rows.map((row, i) => h("li", { role: "option", id: `window-${i}`, data: { at: i }, "aria-selected": String(i === this.at) },
      h("strong", { title: row.window.name }, titleOf(row.window)), h("span", { class: "muted number" }, `${row.window.start_s.toFixed(1)} s`),
      h("span", { class: "labels" }, row.labels.map((one) => one.label).join(", ")))));
    this.list.hidden = this.desk.hidden = !this.rows.length;
    const more = this.total > this.rows.length ? `, the first ${this.rows.length} here` : "";
    const blind = this.hiddenOnes ? `; ${plural(this.hiddenOnes, "more")} that you have yet to answer yourself`.replace("mores", "more") : "";
    this.count.textContent = this.total ? `${plural(this.total, "window")} ${open ? "to settle" : "settled"}${more}${blind}`
      : open ? `Nothing to settle: nobody contradicts anybody${blind}.` : "Nothing was settled yet.";
  }

  async #open(at) {
    const row = this.rows[at];
    if (!row) return;
    this.at = at;
    [...this.list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    this.list.setAttribute("aria-activedescendant", `window-${at}`);
    this.list.children[at]?.scrollIntoView({ block: "nearest" });
    const { window: w } = row;
    this.title.textContent = w.name.split("/").pop();
    this.facts_.textContent = [w.site, w.time ? w.time.slice(0, 19).replace("T", " ") : null, `${w.start_s.toFixed(2)} to ${w.end_s.toFixed(2)} s`]
      .filter(Boolean).join(" · ");
    this.decided = new Map();
    this.active = 0;
    this.began = performance.now();
    // A decision may be quicker than its window's history.
    this.history = api("GET", `/agreement/history?${new URLSearchParams(placeOf(w))}`);
    this.note.value = "";
    this.past.replaceChildren();
    this.#choose();
    this.view ??= this.#made();
    const [history] = await Promise.all([this.history, this.#draw()]);
    if (this.rows[this.at] === row) this.past.replaceChildren(pastOf(history));
  }

  #made() {
    const view = new SpectrogramView(this.picture, { draw: false, label: "Spectrogram", height: 240 });
    view.on("play", () => { this.play.textContent = "Pause"; });
    view.on("stop", () => { this.play.textContent = "Play"; });
    view.on("error", ({ error }) => this.#tell(error.message, "bad"));
    return view;
  }

  #draw() {
    const next = this.rows[this.at + 1];
    const { window: now } = this.rows[this.at];
    const settings = (window) => ({ ...suited(window), context_s: Number(this.context.select.value) });
    const shown = this.view?.show(now, settings(now));
    if (next) this.view?.prefetch(next.window, settings(next.window));
    return shown;
  }

  // One line for each label: who says what, and three answers of which one is the decision.
  #choose() {
    const row = this.rows[this.at];
    const settled = row.settlement;
    const open = this.state === "open";
    const who = (names) => (names.length ? names.join(", ") : "nobody");
    this.choices.replaceChildren(...row.labels.map((one, i) => h("div", { class: `choice${i === this.active && open ? " active" : ""}`, role: "group", "aria-label": one.label },
      h("strong", {}, one.label),
      h("span", { class: "opinions" }, h("span", {}, `present: ${who(one.present)}`), h("span", {}, `absent: ${who(one.absent)}`)),
      h("span", { class: "line" }, open && !row.may_settle ? null : open ? STATES.map(([state, key, text]) => button([h("kbd", {}, key), ` ${text}`], () => {
        this.active = i;
        this.#decide(state);
      }, { "aria-pressed": String(this.decided.get(one.label) === state) }))
        : h("span", { class: "tag good" }, `settled by ${settled.annotator}: ${STATES.find(([state]) => settled[state].includes(one.label))?.[2].toLowerCase() ?? ""}`)))));
    this.only.hidden = !open || row.may_settle;
    this.save.hidden = this.note.hidden = !open || !row.may_settle;
    this.save.disabled = !this.decided.size;
    const mine = settled && settled.annotator === window.antiphon.person ? settled : null;
    if (mine && !open) this.lastOne = { id: mine.id };
    this.undo.disabled = !this.lastOne;
    this.undo.textContent = open ? "Take back the last one" : "Take back";
    this.undo.hidden = !open && !mine;
  }

  #decide(state) {
    const { labels, may_settle: may } = this.rows[this.at];
    if (!may) return;
    const { label } = labels[this.active];
    if (this.decided.get(label) === state) this.decided.delete(label);
    else {
      this.decided.set(label, state);
      const open = labels.findIndex((one) => !this.decided.has(one.label));
      if (open >= 0) this.active = open;
    }
    this.#choose();
  }

  async #save() {
    const row = this.rows[this.at];
    const { decided } = this;
    if (!decided.size || this.saving) return;
    this.saving = true;
    const seconds = (performance.now() - this.began) / 1000;
    const note = this.note.value.trim() || null;
    try {
      const { seen, settlement } = await this.history;
      const body = { window: placeOf(row.window), kind: "settle", key: uuid(), seen, seconds, note, ...merged(settlement, decided) };
      const kept = await api("POST", "/answers", body);
      this.lastOne = { id: kept.id };
      this.#tell(`Settled: ${row.labels.map((one) => one.label).join(", ")}. What people had said stays.`, "good");
      await this.load();
      this.list.focus({ preventScroll: true });
    } catch (error) {
      this.#tell(error.message, "bad");
      if (error.status === 409) await this.#open(this.at);
    } finally {
      this.saving = false;
    }
  }

  async #undo() {
    if (!this.lastOne) return;
    try {
      await api("POST", `/answers/${this.lastOne.id}/undo`, { key: uuid() });
      this.lastOne = null;
      this.#tell("Taken back; the disagreement is open again.", "good");
    } catch (error) {
      this.#tell(error.message, "bad");
    }
    await this.load();
  }

  async #queue() {
    try {
      const made = await api("POST", "/queues", { kind: "disagreement", n: Math.max(1, Math.min(10000, this.total)) });
      window.location.assign(`${window.antiphon.root}/label?queue=${made.id}`);
    } catch (error) {
      this.#tell(error.message, "bad");
    }
  }

  #tell(text, kind) {
    this.said.textContent = text;
    this.said.className = `note ${kind}`;
  }

  #step(by) {
    const to = Math.min(this.rows.length - 1, Math.max(0, this.at + by));
    if (to !== this.at) this.#open(to).catch((error) => this.#tell(error.message, "bad"));
  }

  #clicked(event) {
    const item = event.target.closest("li");
    if (item) this.#open(Number(item.dataset.at)).catch((error) => this.#tell(error.message, "bad"));
  }

  #key(event) {
    if (!this.there || !this.rows.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (target.closest?.("input:not([type=checkbox]), textarea, select, dialog") && event.key !== "Enter") return;
    if (target.closest?.("select, dialog, a, [role=tab], summary, header")) return;
    const key = event.key.toLowerCase();
    const onButton = target.closest?.("button");
    const steps = { j: 1, k: -1, ...(target === this.list ? { arrowdown: 1, arrowup: -1 } : {}) };
    if (key in KEYS && this.state === "open") this.#decide(KEYS[key]);
    else if (key === "enter" && !onButton && this.state === "open") this.#save();
    else if (key === " " && !onButton) this.view.toggle();
    else if (key === "z" && !this.undo.hidden) this.#undo();
    else if (key in steps) this.#step(steps[key]);
    else return;
    event.preventDefault();
  }
}

// A settlement takes the place of the one before, so what that one decided goes along.
function merged(before, decided) {
  const said = { present: [], absent: [], unsure: [] };
  if (before) {
    said.present.push(...before.present);
    said.absent.push(...new Set([...before.absent, ...before.scope]));
    said.unsure.push(...before.unsure);
  }
  for (const state of Object.keys(said)) said[state] = said[state].filter((name) => !decided.has(name));
  for (const [name, state] of decided) said[state].push(name);
  const boxes = (before?.boxes ?? []).filter((box) => said.present.includes(box.label));
  return { ...said, boxes };
}
