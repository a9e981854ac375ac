// The page "Agreement": who labelled what, how far people agree, what is left to settle.

import { api } from "../frame/api.js";
import { History } from "./history.js";
import { Measures } from "./measures.js";
import { Settling } from "./settling.js";
import { Sharing } from "./sharing.js";
import { Work } from "./work.js";
import { command, h } from "../frame/dom.js";
import { whenThere } from "../frame/mount.js";
import { tabs } from "./common.js";

const PARTS = [
  ["settle", "Disagreements", Settling],
  ["measures", "Agreement", Measures],
  ["work", "Who and when", Work],
  ["history", "History", History],
  ["queues", "Same queue for several", Sharing],
];

function alone(facts) {
  if (facts.accounts || facts.people.length > 1) return null;
  return h("div", { class: "note" },
    h("p", {}, "So far one person labels here, so there is nobody to agree with. With accounts, several people label in the same " +
      "project, each under their own name. Add them in a terminal and start the app again:"),
    command(facts.command),
    h("p", { class: "muted" }, "Tables that name an annotator count as people too: antiphon import PROJECT TABLE --annotator NAME"));
}

async function mount(root) {
  try {
    const facts = await api("GET", "/agreement");
    root.replaceChildren(
      h("h1", {}, "Agreement"),
      ...[alone(facts)].filter(Boolean),
      facts.waiting ? h("p", { class: "note" },
        `${facts.waiting} ${facts.waiting === 1 ? "window waits" : "windows wait"} in queues of your own. What others said of ` +
        `${facts.waiting === 1 ? "it" : "them"} is not shown before you have answered.`) : "",
      tabs(PARTS.map(([name, title, Part]) => [name, title, () => new Part(facts)])),
    );
  } catch (error) {
    root.replaceChildren(h("h1", {}, "Agreement"), h("p", { class: "note", role: "alert" }, error.message));
  }
}

whenThere("agreement-page", mount);
