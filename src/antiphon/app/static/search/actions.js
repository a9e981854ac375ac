// Label all selected windows at once, or send them to a queue. Search and map share this bar.

import { api } from "../frame/api.js";
import { h, uuid } from "../frame/dom.js";

const AT_ONCE = 100;

export class Actions {
  // options: windows() -> Promise of the selected windows, count() -> how many, clear(),
  // changed() after labels were kept, labels: names, queueName() -> name of a new queue.
  constructor(options) {
    this.options = options;
    this.labels = [...options.labels];
    this.undoable = [];
    this.names = h("datalist", { id: "bulk-labels" });
    this.label = h("input", {
      id: "bulk-label", list: "bulk-labels", autocomplete: "off", placeholder: "label", maxlength: "200",
      "aria-label": "Label for the selected windows", onkeydown: (event) => this.#key(event),
    });
    this.count = h("strong", { class: "bulk-count" });
    this.said = h("span", { class: "bulk-said", role: "status", "aria-live": "polite" });
    this.takeBack = h("button", { type: "button", class: "plain", onclick: () => this.#undo() }, "Undo");
    const says = (presence, words, hint) =>
      h("button", { type: "button", class: `bulk-${presence}`, title: hint, data: { presence },
        onclick: () => this.say(presence) }, words);
    this.buttons = [
      says("present", "Present", "The label is in all selected windows (Enter)"),
      says("absent", "Absent", "The label is in none of them (Shift+Enter)"),
      says("unsure", "Unsure", "It cannot be told (Alt+Enter)"),
      h("button", { type: "button", class: "plain", onclick: () => this.queue() }, "Send to a queue"),
    ];
    this.element = h(
      "section", { class: "bulk", "aria-label": "Label the selected windows" },
      this.count,
      h("span", { class: "bulk-say" }, this.label, this.names, this.buttons.slice(0, 3)),
      this.buttons[3],
      h("button", { type: "button", class: "plain", onclick: () => options.clear() }, "Clear selection"),
      h("span", { class: "bulk-end" }, this.said, this.takeBack),
    );
    this.#offer();
    this.update();
  }

  update() {
    const n = this.options.count();
    this.count.textContent = `${n.toLocaleString("en")} selected`;
    for (const button of this.buttons) button.disabled = n === 0 || this.busy;
    this.element.classList.toggle("idle", n === 0 && !this.said.textContent);
    this.takeBack.hidden = this.undoable.length === 0 || this.busy;
  }

  focus() {
    this.label.focus();
    this.label.select();
  }

  async say(presence) {
    if (this.busy || this.options.count() === 0) return;
    const label = this.label.value.trim();
    if (!label) {
      this.tell("Name the label first.");
      this.label.focus();
      return;
    }
    await this.#work(async () => {
      if (!this.labels.includes(label) && !(await this.#add(label))) return;
      const windows = (await this.options.windows()).map(span);
      const key = uuid();
      const answers = [];
      let already = 0;
      let disputed = 0;
      for (let at = 0; at < windows.length; at += AT_ONCE) {
        this.tell(`${at} of ${windows.length} labelled …`);
        const done = await api("POST", "/search/label", {
          windows: windows.slice(at, at + AT_ONCE), label, presence, key,
        });
        answers.push(...done.answers);
        // Whatever happens next, these are kept and can be taken back.
        this.undoable = [...answers];
        already += done.already;
        disputed += done.disputed;
      }
      const words = { present: "present", absent: "absent", unsure: "unsure" }[presence];
      const n = windows.length.toLocaleString("en");
      const more = [
        already ? `${already} said so before` : "",
        disputed ? `${disputed} where somebody else says otherwise` : "",
      ].filter(Boolean);
      this.tell(`${label} is ${words} in ${n} ${windows.length === 1 ? "window" : "windows"}` +
        (more.length ? ` (${more.join(", ")}).` : "."));
    });
    this.options.changed?.();
  }

  async queue() {
    await this.#work(async () => {
      const windows = (await this.options.windows()).map(span);
      this.tell("Making the queue …");
      const made = await api("POST", "/queues", {
        kind: "chosen", n: windows.length, name: this.options.queueName(), mine: false, windows,
      });
      this.tell(`${windows.length} windows wait in the queue “${made.name}”. `);
      const address = `${window.antiphon.root}/label?queue=${made.id}`;
      this.said.append(h("a", { href: address }, "Label them"));
    });
  }

  tell(words) {
    this.said.textContent = words;
    this.update();
  }

  async #work(work) {
    if (this.busy) return;
    this.busy = true;
    this.update();
    try {
      await work();
    } catch (error) {
      this.tell(error.message);
    } finally {
      this.busy = false;
      this.update();
    }
  }

  async #add(label) {
    const sure = await ask(
      `“${label}” is a new label`, "The project has no label of this name. Add it?", "Add the label",
    );
    if (!sure) {
      this.tell("");
      return false;
    }
    await api("POST", "/labels", { name: label });
    this.labels.push(label);
    this.#offer();
    return true;
  }

  async #undo() {
    const answers = this.undoable;
    await this.#work(async () => {
      const key = uuid();
      let kept = [];
      let retracted = 0;
      for (let at = 0; at < answers.length; at += AT_ONCE) {
        const done = await api("POST", "/search/unlabel", { answers: answers.slice(at, at + AT_ONCE), key });
        retracted += done.retracted;
        kept = kept.concat(done.kept);
      }
      this.undoable = [];
      this.tell(`${retracted} ${retracted === 1 ? "answer" : "answers"} taken back.` +
        (kept.length ? ` ${kept.length} were not: ${kept[0]}` : ""));
    });
    this.options.changed?.();
  }

  #key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.say(event.shiftKey ? "absent" : event.altKey ? "unsure" : "present");
    }
    event.stopPropagation();
  }

  #offer() {
    this.names.replaceChildren(...this.labels.map((name) => h("option", { value: name })));
  }
}

const span = ({ recording, channel, start_s, end_s }) => ({ recording, channel, start_s, end_s });

function ask(title, words, yes) {
  return new Promise((resolve) => {
    const box = h("dialog", { class: "ask", "aria-label": title },
      h("form", { method: "dialog" }, h("h2", {}, title), h("p", {}, words),
        h("button", { value: "yes", class: "bulk-present" }, yes), " ",
        h("button", { value: "", class: "plain" }, "Cancel")));
    box.addEventListener("close", () => {
      resolve(box.returnValue === "yes");
      box.remove();
    });
    document.body.append(box);
    box.showModal();
  });
}
