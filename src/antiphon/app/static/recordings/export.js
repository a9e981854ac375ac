// Save what is looked at as a file of another program.

import { dialog, h } from "../frame/dom.js";
import { query } from "./common.js";

const FORMATS = [
  ["csv", "CSV", "one table, for spreadsheets and R"],
  ["parquet", "Parquet", "one table, exact and small, for Python and R"],
  ["raven", "Raven", "selection tables, one for each recording, in a zip"],
  ["audacity", "Audacity", "label tracks, one for each recording, in a zip"],
];

// asked: the filters as parameters; words: the same for people.
export function exportDialog({ asked, words, hasDetections }) {
  const radio = (name, value, checked) => h("input", { type: "radio", name, value, checked, onchange: () => update() });
  const whats = [["detections", "Detections"], ["annotations", "Annotations (what people said)"]];
  const first = hasDetections ? "detections" : "annotations";
  const spans = h("input", { type: "checkbox", checked: true, onchange: () => update() });
  const joined = h("label", { class: "check" }, spans, "Join windows of a label that touch into one row");
  const link = h("a", { class: "button", download: "" }, "Download");
  const note = h("p", { class: "dim" });
  const body = h("form", { class: "export", onsubmit: (event) => event.preventDefault() },
    h("fieldset", {}, h("legend", {}, "What"), whats.map(([value, text]) =>
      h("label", { class: "check" }, radio("what", value, value === first), text))),
    h("fieldset", {}, h("legend", {}, "Format"), FORMATS.map(([value, text, hint]) =>
      h("label", { class: "check" }, radio("format", value, value === "csv"), h("span", {}, h("b", {}, text), ` ${hint}`)))),
    joined, note, h("div", { class: "actions" }, link));
  const chosen = (name) => body.querySelector(`input[name="${name}"]:checked`).value;
  function update() {
    const what = chosen("what");
    const { min_score: _score, run: _run, ...rest } = asked;
    joined.hidden = what !== "detections";
    note.textContent = `Of ${words || "all recordings"}. ` +
      (what === "annotations" ? "A lowest score does not apply to annotations." : "");
    const wanted = what === "detections" ? { ...asked, spans: spans.checked ? "true" : "false" } : { ...rest, spans: null };
    link.href = `${window.antiphon.root}/api/detections/export?${query({ ...wanted, what, format: chosen("format") })}`;
  }
  update();
  const box = dialog("Export", body, { className: "browse-dialog" });
  link.addEventListener("click", () => setTimeout(() => box.close(), 300));
}
