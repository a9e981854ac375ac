// The page "Search".

import { api, Refused } from "../frame/api.js";
import { h, memory } from "../frame/dom.js";
import { suited } from "../media/urls.js";
import { Actions } from "./actions.js";
import { Example } from "./clip.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import { whenThere } from "../frame/mount.js";

const PAGE = 48;

class SearchPage {
  constructor(root, facts) {
    this.facts = facts;
    this.asking = 0;
    this.example = new Example({ limits: facts, changed: () => this.search() });
    this.filters = new Filters({ facts, changed: () => this.search() });
    this.hover = h("input", { type: "checkbox", checked: memory.get("search.hover", false),
      onchange: () => memory.set("search.hover", this.hover.checked) });
    this.scale = h("select", { "aria-label": "Frequency scale", onchange: () => {
      memory.set("search.scale", this.scale.value);
      this.search();
    } }, h("option", { value: "auto" }, "auto"), h("option", { value: "linear" }, "linear"), h("option", { value: "mel" }, "mel"));
    this.scale.value = memory.get("search.scale", "auto");
    this.size = h("input", { type: "range", min: "120", max: "320", step: "20", "aria-label": "Size of the pictures",
      value: String(memory.get("search.size", 190)), oninput: () => this.#resize() });
    this.grid = new Grid({
      changed: () => this.actions?.update(),
      alike: (window) => this.example.setWindow(window),
      settings: (window) => (this.scale.value === "auto" ? suited(window) : { scale: this.scale.value }),
      hover: () => this.hover.checked,
    });
    this.actions = new Actions({
      labels: facts.labels,
      windows: async () => this.grid.windows(),
      count: () => this.grid.selected.size,
      clear: () => this.grid.select([]),
      changed: () => this.#refresh(),
      queueName: () => `Search: ${this.words() || "chosen windows"}`.slice(0, 100),
    });
    this.count = h("p", { class: "count", role: "status", "aria-live": "polite" });
    this.note = h("p", { class: "dim untimed" });
    this.more = h("button", { type: "button", class: "plain more", onclick: () => this.next() }, "Show more");
    this.all = h("button", { type: "button", class: "plain", onclick: () => {
      this.grid.select(this.grid.hits.map((_, i) => i));
    } }, "Select all shown");
    root.replaceChildren(
      h("aside", { class: "query", "aria-label": "What to search for" },
        h("h2", {}, "Sounds like"), this.example.element, h("h2", {}, "Where all of this holds"), this.filters.element),
      h("section", { class: "results", "aria-label": "Results" },
        h("div", { class: "bar" }, h("div", {}, this.count, this.note),
          h("div", { class: "tools" }, this.all,
            h("label", { class: "check", title: "Hear a window when the pointer or the focus is on it" }, this.hover, "play on hover"),
            this.scale, this.size)),
        this.grid.element,
        this.more,
        h("p", { class: "keys dim" }, "Arrows move · Space selects · Shift extends · Ctrl+A all · P plays · M more like this · L label · Esc clears"),
      ),
      this.actions.element,
    );
    this.#resize();
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "l" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, select, textarea, dialog")) return;
      event.preventDefault();
      this.actions.focus();
    });
    this.#fromAddress();
  }

  // What is asked for, in words.
  words() {
    const { example } = this;
    const filter = this.filters.asked;
    const like = example.window ? `like ${example.window.name ?? "a window"}` : example.file?.id ? `like ${example.file.name}` : "";
    const parts = [like, filter.labels?.[0], filter.unlabelled && "unlabelled", filter.detected && `score of ${filter.detected[0]}`,
      filter.sites?.join(", "), filter.date, filter.hour && `hour ${filter.hour}`];
    return parts.filter(Boolean).join(", ");
  }

  async search() {
    this.grid.clear();
    this.total = null;
    this.more.hidden = true;
    this.#toAddress();
    await this.next();
  }

  async next(again = false) {
    const mine = ++this.asking;
    const { filters, grid } = this;
    const body = { ...this.example.asked, filter: filters.asked, n: PAGE, skip: grid.hits.length,
      per_recording: filters.perRecording };
    if (!grid.hits.length) this.count.textContent = "Searching …";
    this.note.textContent = "";
    try {
      const found = await api("POST", "/search", body, { reads: true });
      if (mine !== this.asking) return;
      const fresh = grid.add(found.hits, found.by);
      this.total = found.total;
      this.more.hidden = grid.hits.length >= found.total || fresh === 0;
      this.#tell(found);
    } catch (error) {
      if (mine !== this.asking) return;
      // The server holds clips for a while only; here it still is.
      if (error instanceof Refused && this.example.file?.id && !again && /send it again/.test(error.message)) {
        this.example.file.id = null;
        await this.example.send();
        return;
      }
      this.count.textContent = error.message;
    }
  }

  #tell(found) {
    const shown = this.grid.hits.length.toLocaleString("en");
    const total = found.total.toLocaleString("en");
    const order = { similarity: "the most similar first", probability: "the most probable first",
      order: "as they lie in the recordings" }[found.by];
    this.count.textContent = found.total === 0 ? "No window matches." : `${shown} of ${total} windows that match, ${order}`;
    const n = found.untimed;
    this.note.textContent = n
      ? `${n.toLocaleString("en")} ${n === 1 ? "recording has" : "recordings have"} no start time and cannot match a date or an hour.`
      : "";
  }

  // After labels were kept: what is said of the windows on the page.
  async #refresh() {
    const { hits } = this.grid;
    try {
      const said = await api("POST", "/search/said", { windows: hits.slice(0, 500).map(({ window: w }) => ({
        recording: w.recording, channel: w.channel, start_s: w.start_s, end_s: w.end_s })) }, { reads: true });
      said.forEach((one, i) => this.grid.say(i, one));
    } catch (error) {
      this.actions.tell(error.message);
    }
  }

  #resize() {
    this.grid.element.style.setProperty("--tile", `${this.size.value}px`);
    memory.set("search.size", Number(this.size.value));
  }

  #toAddress() {
    const query = new URLSearchParams();
    const { window: w } = this.example;
    if (w) for (const name of ["recording", "channel", "start_s", "end_s"]) query.set(name, w[name]);
    for (const [name, value] of Object.entries(this.filters.asked)) {
      for (const one of [value].flat()) query.append(name, one);
    }
    if (this.filters.perRecording) query.set("per_recording", this.filters.perRecording);
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  }

  #fromAddress() {
    const query = new URLSearchParams(location.search);
    const filter = {};
    for (const name of ["sites", "labels", "detected"]) if (query.has(name)) filter[name] = query.getAll(name);
    for (const name of ["hour", "date", "min_score", "max_score"]) if (query.has(name)) filter[name] = query.get(name);
    if (query.has("unlabelled")) filter.unlabelled = true;
    this.filters.set(filter, query.get("per_recording"));
    if (query.has("recording") && query.has("start_s") && query.has("end_s")) {
      const number = (name, otherwise) => (query.has(name) ? Number(query.get(name)) : otherwise);
      const window = { recording: number("recording"), channel: number("channel", -1),
        start_s: number("start_s"), end_s: number("end_s"), name: query.get("name") };
      this.example.setWindow(window);
      // How it is drawn and heard depends on the rate, which an address does not tell.
      api("GET", `/recordings/${window.recording}`).then(({ name, sample_rate }) => this.example.describe(window, { name, sample_rate }), () => {});
    } else this.search();
  }
}

async function mount(root) {
  try {
    new SearchPage(root, await api("GET", "/search/options"));
  } catch (error) {
    root.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
  }
}

whenThere("search-page", mount);
