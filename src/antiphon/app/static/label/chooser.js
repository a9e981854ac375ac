// Which queue to label: go on with one, or make a new one.

import { api } from "../frame/api.js";
import { h, memory } from "../frame/dom.js";

const KINDS = [
  ["strategy", "What teaches most", "The model asks: the clips that a strategy wants next."],
  ["random", "At random", "Every clip with the same chance. For honest figures of the whole archive."],
  ["stratified", "Over the range of scores", "For a label's threshold: clips of every score, more where answers vary."],
  ["search", "By label and place", "Clips in which the detector finds labels, or of certain sites and hours."],
  ["disagreement", "Disagreements", "Clips that people answered differently, to settle."],
];

const list = (text) => text.split(/[;,]/).map((part) => part.trim()).filter(Boolean);

export async function chooseQueue(page) {
  const remembered = memory.get("queue", {});
  const tell = h("p", { class: "tell", role: "alert" });
  const open = h("div", { class: "queues" });
  const form = h("form", { class: "new-queue" });

  const radio = ([kind, title, help]) =>
    h("label", { class: "kind" },
      h("input", { type: "radio", name: "kind", value: kind, checked: kind === (remembered.kind ?? "strategy") }),
      h("span", {}, h("strong", {}, title), h("small", { class: "muted" }, help)));
  const input = (name, properties) => h("input", { name, ...properties });
  const field = (text, control, kinds = "", help = null) =>
    h("label", { class: "field", data: { kinds } }, h("span", {}, text), control, help && h("small", { class: "muted" }, help));

  const strategies = h("select", { name: "strategy" }, ...page.config.strategies.map(({ name }) => h("option", { value: name }, name)));
  strategies.value = remembered.strategy ?? "antiphon";
  if (!strategies.value) strategies.value = "antiphon";
  const summary = h("small", { class: "muted" });
  const labels = h("select", { name: "label" }, ...page.labels.map(({ name }) => h("option", { value: name }, name)));
  const detected = h("select", { name: "detected" }, h("option", { value: "" }, "any"), ...page.labels.map(({ name }) => h("option", { value: name }, name)));
  const number = input("n", { type: "number", min: "1", max: "10000", value: String(remembered.n ?? 50), required: true });
  const start = h("button", { type: "submit", class: "act primary" }, "Make the queue and start");

  form.append(
    h("h2", {}, "New queue"),
    h("fieldset", { class: "kinds" }, h("legend", { class: "hidden-text" }, "Kind"), ...KINDS.map(radio)),
    h("div", { class: "fields" },
      h("label", { class: "field", data: { kinds: "strategy" } }, h("span", {}, "Strategy"), strategies, summary),
      field("Label", labels, "stratified"),
      field("Detected label", detected, "search"),
      h("div", { class: "pair" },
        field("Clips", number),
        h("label", { class: "tick" }, input("mine", { type: "checkbox", checked: Boolean(remembered.mine) }),
          h("span", {}, "For me alone", h("small", { class: "muted" }, "Otherwise all people share it, each clip going to one of them.")))),
      h("details", {}, h("summary", {}, "Only some clips"),
        field("Sites", input("sites", { type: "text", placeholder: "A; B" })),
        h("div", { class: "pair" },
          field("Hours", input("hour", { type: "text", placeholder: "4-7, 22-4" })),
          field("Dates", input("date", { type: "text", placeholder: "2026-05-01..2026-05-10" }))),
        field("Most of one recording", input("per_recording", { type: "number", min: "1", max: "1000" })))),
    tell,
    h("footer", {}, start),
  );

  const kindNow = () => form.elements.kind.value;
  const adapt = () => {
    for (const part of form.querySelectorAll("[data-kinds]")) {
      const kinds = part.dataset.kinds;
      part.hidden = Boolean(kinds) && !kinds.split(" ").includes(kindNow());
    }
    summary.textContent = page.config.strategies.find(({ name }) => name === strategies.value)?.summary ?? "";
  };
  form.addEventListener("change", adapt);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wished = wish(form);
    const missing = lacking(page.labels, wished);
    tell.textContent = missing;
    if (missing) {
      form.querySelector("details").open ||= wished.kind === "search";
      return;
    }
    start.disabled = true;
    start.textContent = "Choosing clips…";
    try {
      page.open(await api("POST", "/queues", wished));
    } catch (error) {
      tell.textContent = error.message;
    } finally {
      start.disabled = false;
      start.textContent = "Make the queue and start";
    }
  });

  page.root.replaceChildren(
    h("div", { class: "label-choose" },
      h("section", { "aria-label": "Queues" }, h("h2", {}, "Go on with"), open),
      form),
  );
  adapt();

  const queues = (await api("GET", "/queues")).filter((queue) => queue.open && queue.left > 0
    && (queue.owner === null || queue.owner === page.config.person));
  open.replaceChildren(
    ...queues.map((queue) =>
      h("button", { type: "button", class: "queue", onclick: () => page.open(queue) },
        h("strong", {}, queue.name),
        h("span", { class: "muted" }, `${queue.owner ? "yours alone" : "shared"} · ${queue.left} of ${queue.total} left${queue.held ? ` · ${queue.held} given out` : ""}`),
        h("progress", { max: queue.total, value: queue.total - queue.left, "aria-label": "Share that is done" }))),
  );
  if (!queues.length) open.append(h("p", { class: "muted" }, "There is no queue with clips left. Make one: fifty clips take about five minutes."));
  (open.querySelector("button") ?? form.elements.kind[0]).focus();
}

// What has to be there before the server can be asked; empty when nothing lacks.
function lacking(labels, { kind, label, filter }) {
  if (kind === "stratified" && !label) {
    return labels.length ? "Choose the label." : "There are no labels yet. Begin with “What teaches most”, and train; this queue needs the scores of a detector.";
  }
  const { detected, sites, hour, date } = filter;
  if (kind === "search" && !detected && !sites.length && !hour && !date) {
    return "Say which clips: choose a detected label, or sites, hours or dates under “Only some clips”.";
  }
  return "";
}

function wish(form) {
  const value = (name) => form.elements[name].value.trim();
  const kind = form.elements.kind.value;
  const mine = form.elements.mine.checked;
  memory.set("queue", { kind, strategy: value("strategy"), n: Number(value("n")), mine });
  const filter = { sites: list(value("sites")), hour: value("hour") || null, date: value("date") || null };
  if (kind === "search" && value("detected")) filter.detected = [value("detected")];
  return {
    kind,
    n: Number(value("n")),
    mine,
    filter,
    strategy: kind === "strategy" ? value("strategy") : null,
    label: kind === "stratified" ? value("label") : null,
    per_recording: Number(value("per_recording")) || null,
  };
}

// The same wish again, for a further batch.
export function againLike(queue) {
  const { strategy, label, per_recording } = queue.parameters ?? {};
  return api("POST", "/queues", {
    kind: queue.kind,
    n: queue.total,
    mine: queue.owner !== null,
    strategy: queue.kind === "strategy" ? strategy ?? null : null,
    label: queue.kind === "stratified" ? label ?? null : null,
    per_recording: per_recording ?? null,
  });
}
