// The page "Benchmark": runs of strategies and encoders beside each other.

import { api } from "../frame/api.js";
import { plural, tabs } from "../agreement/common.js";
import { Encoders } from "./encoders.js";
import { Steps } from "./steps.js";
import { Strategies } from "./strategies.js";
import { command, h } from "../frame/dom.js";
import { whenThere } from "../frame/mount.js";

// Which runs are looked at: several of a kind are put together.
function chooser(runs, changed) {
  const boxes = runs.map((run, i) => [run, h("input", { type: "checkbox", checked: i === 0, onchange: changed })]);
  const element = h("fieldset", { class: "runs" }, h("legend", {}, "Runs"),
    boxes.map(([run, box]) => h("label", { class: "check" }, box, h("span", {}, run.name),
      h("span", { class: "muted" }, `${plural(run.results, "result")}${run.mine ? "" : ", named at start"}`))));
  return { element, get ids() { return boxes.filter(([, box]) => box.checked).map(([run]) => run.id); } };
}

// What stands where there is no run.
function none(what, line) {
  const element = h("section", { class: "card stack" }, h("h2", {}, `No run of ${what} yet`),
    h("p", {}, "Runs are found in the project's folders reports and benchmarks, and in folders that are named when the app is started " +
      "(antiphon label PROJECT --bench DIR). Make one in a terminal, for example:"),
    command(line),
    h("p", { class: "muted" }, "What is finished shows here at once when the page is loaded again; a run may still be going on."));
  return { element };
}

function part(runs, line, what, Part) {
  if (!runs.length) return () => none(what, line);
  return () => {
    const place = h("div", {});
    const choose = chooser(runs, () => made.chosen(choose.ids));
    const made = new Part();
    // For tests and for whoever scripts the page.
    if (Part === Steps) document.getElementById("benchmark-page").steps = made;
    place.append(runs.length > 1 ? choose.element : "", made.element);
    return { element: place, shown: () => made.chosen(choose.ids), hidden: () => made.hidden?.() };
  };
}

async function mount(root) {
  try {
    const found = await api("GET", "/benchmark");
    const of = (kind) => found.runs.filter((run) => run.kind === kind);
    const strategies = of("strategies");
    root.replaceChildren(h("h1", {}, "Benchmark"), tabs([
      ["strategies", "Strategies", part(strategies, found.strategies_command, "strategies", Strategies)],
      ["steps", "Step by step", part(strategies, found.strategies_command, "strategies", Steps)],
      ["encoders", "Encoders", part(of("encoders"), found.encoders_command, "encoders", Encoders)],
    ]));
  } catch (error) {
    root.replaceChildren(h("h1", {}, "Benchmark"), h("p", { class: "note", role: "alert" }, error.message));
  }
}

whenThere("benchmark-page", mount);
