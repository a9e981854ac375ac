// What was said, in order: of one window, and of all.

import { api } from "../frame/api.js";
import { button, plural, select, when } from "./common.js";
import { words } from "../label/conflict.js";
import { h } from "../frame/dom.js";

const SIZE = 50;

const BECAME = { stands: "stands", replaced: "replaced later", "taken back": "taken back" };

// What an answer did, in words.
function did(answer) {
  if (answer.kind === "retract") return "took back their answer";
  if (answer.kind === "skip") return "skipped";
  const said = words(answer) || "nothing";
  return answer.kind === "settle" ? `settled: ${said}` : said;
}

function line({ answer, state }, window = null) {
  return h("li", { class: state === "stands" ? "stands" : "past" },
    h("span", { class: "moment number" }, when(answer.created_at)),
    h("strong", {}, answer.annotator), h("span", { class: "did" }, did(answer)),
    state ? h("span", { class: state === "stands" ? "tag good" : "tag" }, BECAME[state]) : null,
    window ? h("span", { class: "muted where" }, `${window.name} · ${window.start_s.toFixed(1)} to ${window.end_s.toFixed(1)} s`) : null);
}

function fromTable(row) {
  const what = row.label ?? (row.scope ? row.scope.join(", ") : "every other label");
  const span = row.start_s === null ? "the whole recording" : `${row.start_s.toFixed(1)} to ${(row.end_s ?? row.start_s).toFixed(1)} s`;
  return h("li", {}, h("span", { class: "moment number" }, when(row.created_at)),
    h("strong", {}, row.person ?? "nobody named"), h("span", { class: "did" }, `${row.presence}: ${what} (${span})`),
    h("span", { class: "tag" }, "table"), h("span", { class: "muted where" }, row.source ?? ""));
}

// The full past of one window, oldest first.
export function pastOf(history) {
  const { events, tables, window: w } = history;
  const other = ({ answer }) => answer.window.start_s !== w.start_s || answer.window.end_s !== w.end_s || answer.window.channel !== w.channel;
  return h("section", { class: "past-of", "aria-label": "History of this window" },
    h("h3", {}, "History"), h("p", { class: "muted" }, "In order, in UTC. Nothing is ever overwritten."),
    h("ol", { class: "events" }, events.map((event) => line(event, other(event) ? { ...w, ...event.answer.window } : null)),
      events.length ? null : h("li", {}, "Nobody has answered it in the app.")),
    tables.length ? h("details", { open: !events.length }, h("summary", {}, `From tables: ${plural(tables.length, "annotation")}`),
      h("ol", { class: "events" }, tables.map(fromTable))) : null);
}

export class History {
  constructor(facts) {
    this.list = h("ol", { class: "events" });
    this.said = h("p", { class: "muted", role: "status" });
    this.more = button("Older", () => this.#load());
    this.who = select("Of", [["", "everybody"], ...facts.people.map((name) => [name, name])], "", () => this.shown());
    this.element = h("section", { class: "card stack", "aria-label": "History" },
      h("div", { class: "line" }, this.who.element, h("span", { class: "muted" }, "Answers, corrections and settlements, the newest first, in UTC.")),
      this.said, this.list, h("div", {}, this.more));
  }

  shown() {
    this.before = null;
    this.hiddenOnes = 0;
    this.list.replaceChildren();
    return this.#load();
  }

  async #load() {
    const asked = new URLSearchParams({ limit: SIZE });
    if (this.before) asked.set("before", this.before);
    if (this.who.select.value) asked.set("who", this.who.select.value);
    const found = await api("GET", `/agreement/log?${asked}`);
    this.list.append(...found.events.map((event) => line(event, event.window)));
    this.before = found.next;
    this.hiddenOnes += found.hidden;
    this.more.hidden = found.next === null;
    this.said.textContent = this.hiddenOnes ? `${plural(this.hiddenOnes, "answer")} to windows that wait in your own queues not shown.`
      : this.list.children.length ? "" : "Nothing has been answered in the app yet.";
  }
}
