// The same windows for several people, each in a queue of their own.

import { api } from "../frame/api.js";
import { plural } from "./common.js";
import { command, h } from "../frame/dom.js";

export class Sharing {
  constructor(facts) {
    this.facts = facts;
    this.list = h("div", { class: "stack" });
    this.said = h("p", { role: "status" });
    this.element = h("div", { class: "stack" }, facts.manager ? this.#form() : h("p", { class: "note" }, "A manager gives several people the same queue."), this.list);
  }

  async shown() {
    const { root, person } = window.antiphon;
    const found = await api("GET", "/agreement/queues");
    this.list.replaceChildren(...found.map((one) => h("section", { class: "card stack" }, h("h2", {}, one.name),
      h("ul", { class: "shares" }, one.queues.map((queue) => h("li", {},
        h("strong", {}, queue.owner),
        h("progress", { max: queue.total, value: queue.done + queue.skipped, "aria-label": `Progress of ${queue.owner}` }),
        h("span", { class: "number" }, `${queue.done} of ${queue.total}${queue.skipped ? `, ${queue.skipped} skipped` : ""}`),
        queue.owner === person && queue.left && queue.open ? h("a", { class: "button small", href: `${root}/label?queue=${queue.id}` }, "Label") : null))))),
      ...(found.length ? [] : [h("p", { class: "muted" }, "Nobody shares a queue yet.")]));
  }

  #form() {
    const { may_label: people } = this.facts;
    if (people.length < 2) {
      return h("section", { class: "card stack" }, h("h2", {}, "Give several people the same queue"),
        h("p", {}, "There is nobody else to give it to. Add people in a terminal, and start the app again:"), command(this.facts.command));
    }
    const boxes = people.map((name) => [name, h("input", { type: "checkbox", name: "people", value: name, checked: people.length <= 3 })]);
    const kind = h("select", { onchange: () => show() },
      [["random", "drawn at random"], ["strategy", "chosen by the strategy"], ["stratified", "spread over the scores of a label"]]
        .map(([value, text]) => h("option", { value }, text)));
    const label = h("select", {});
    const asked = h("label", { class: "field" }, h("span", {}, "Label"), label);
    const n = h("input", { type: "number", min: "1", max: "10000", value: "50", required: true });
    const name = h("input", { maxlength: "200", placeholder: "May stay empty" });
    const show = () => { asked.hidden = kind.value !== "stratified"; };
    api("GET", "/labels").then((labels) => label.append(...labels.map((one) => h("option", { value: one.name }, one.name)))).catch(() => {});
    show();
    const form = h("form", { class: "card stack", onsubmit: (event) => {
      event.preventDefault();
      const chosen = boxes.filter(([, box]) => box.checked).map(([who]) => who);
      this.#make({ people: chosen, kind: kind.value, n: Number(n.value), name: name.value.trim() || null,
        label: kind.value === "stratified" ? label.value : null });
    } },
    h("h2", {}, "Give several people the same queue"),
    h("p", { class: "muted" }, "Each gets a queue of their own with the same windows in the same order. Nobody sees what the others said before they have answered themselves."),
    h("fieldset", { class: "line" }, h("legend", {}, "People"), boxes.map(([who, box]) => h("label", { class: "check" }, box, who))),
    h("div", { class: "line bottom" }, h("label", { class: "field" }, h("span", {}, "Windows"), kind), asked,
      h("label", { class: "field narrow" }, h("span", {}, "How many"), n), h("label", { class: "field" }, h("span", {}, "Name"), name),
      h("button", { class: "button primary", type: "submit" }, "Make the queues")), this.said);
    return form;
  }

  async #make(wish) {
    try {
      const made = await api("POST", "/agreement/queues", wish);
      this.said.className = "note good";
      this.said.textContent = `${made.queues.map((queue) => queue.owner).join(", ")} got ${plural(made.queues[0].total, "window")} each.`;
      await this.shown();
    } catch (error) {
      this.said.className = "note bad";
      this.said.textContent = error.message;
    }
  }
}
