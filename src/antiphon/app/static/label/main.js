// The page "Label": choosing a queue, labelling it, and answers on their way to the server.

import { api } from "../frame/api.js";
import { whenThere } from "../frame/mount.js";
import { chooseQueue } from "./chooser.js";
import { h } from "../frame/dom.js";
import { ending } from "./ending.js";
import { Held } from "./held.js";
import { Outbox } from "./outbox.js";
import { Decisions } from "./saving.js";
import { Work } from "./work.js";

class LabelPage {
  constructor(root) {
    this.root = root;
    this.config = JSON.parse(document.getElementById("label-config").textContent);
    const place = `${this.config.project}.${this.config.person}`;
    this.outbox = new Outbox(place);
    this.held = new Held(place);
    this.work = null;
    this.labels = [];
    this.decisions = new Decisions(this.outbox, { dropped: (entry, stuck) => this.work?.actions.answering.dropped(entry, stuck) });
    this.outbox.addEventListener("saved", ({ detail }) => this.work?.actions.answering.saved(detail));
    this.outbox.addEventListener("stuck", () => this.decide());
    this.outbox.addEventListener("login", () => this.work?.say("Your login ran out. Log in again in another tab; nothing is lost."));
    addEventListener("popstate", () => location.reload());
    addEventListener("beforeunload", (event) => {
      this.work?.keep();
      // They are kept and sent at the next visit, which somebody who leaves for good will not pay.
      if (this.outbox.waiting) event.preventDefault();
    });
  }

  async start() {
    try {
      this.labels = await api("GET", "/labels");
      this.outbox.wake();
      const wanted = new URLSearchParams(location.search).get("queue");
      if (wanted && /^\d+$/.test(wanted)) await this.open(await api("GET", `/queues/${wanted}`), { isNew: false });
      else await chooseQueue(this);
    } catch (error) {
      this.fail(error);
    }
    this.decide(true);
  }

  fail(error) {
    const again = h("button", { type: "button", class: "act primary", onclick: () => this.start() }, "Try again");
    const choose = h("button", { type: "button", class: "act", onclick: () => this.leave() }, "Choose a queue");
    this.root.replaceChildren(h("section", { class: "ending", role: "alert" }, h("h2", {}, "This did not work"), h("p", {}, error.message),
      h("div", { class: "ending-actions" }, again, choose)));
  }

  async open(queue, { isNew = true } = {}) {
    await this.work?.leave();
    const address = new URL(location.href);
    address.searchParams.set("queue", queue.id);
    if (isNew) history.pushState(null, "", address);
    this.work = new Work(this, queue, this.labels);
    await this.work.start();
  }

  async leave() {
    const { work } = this;
    this.work = null;
    const address = new URL(location.href);
    address.searchParams.delete("queue");
    history.pushState(null, "", address);
    await work?.leave();
    try {
      this.labels = await api("GET", "/labels");
      await chooseQueue(this);
    } catch (error) {
      this.fail(error);
    }
  }

  finished(work) {
    const ended = ending(work);
    // The same again would only take the focus off its buttons.
    if (this.ended?.isConnected && this.ended.dataset.state === ended.dataset.state) return;
    this.ended?.remove();
    this.ended = ended;
    work.parts.sight.after(this.ended);
  }

  decide(isWanted = false) {
    this.decisions.ask(isWanted);
  }
}

whenThere("label-page", (root) => {
  window.labelPage = new LabelPage(root);
  window.labelPage.start();
});
