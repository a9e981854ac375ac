// The page "Map".

import { api } from "../frame/api.js";
import { h, memory } from "../frame/dom.js";
import { Card } from "./card.js";
import { Legend } from "./legend.js";
import { packed } from "./packed.js";
import { whenThere } from "../frame/mount.js";
import { Scatter } from "../scatter/scatter.js";
import { Actions } from "../search/actions.js";

const MANY = 500;
const READS = { reads: true };

class MapPage {
  constructor(root, facts) {
    this.facts = facts;
    this.plot = h("div", { class: "plot", tabindex: "0", role: "application",
      "aria-label": "Map of all windows", "aria-describedby": "map-summary map-keys", "aria-roledescription": "map" });
    this.by = h("select", { id: "map-by", onchange: () => this.recolour() }, this.#choices());
    this.by.value = memory.get("map.by", "labels");
    if (!this.by.value) this.by.value = "labels";
    this.clusters = h("input", { type: "number", min: facts.clusters[0], max: facts.clusters[1],
      value: "8", "aria-label": "Number of clusters", onchange: () => this.recolour() });
    this.method = h("select", { id: "map-method", onchange: () => this.move() },
      h("option", { value: "pca" }, "PCA"), h("option", { value: "umap" }, "UMAP"));
    this.umap = h("button", { type: "button", class: "plain", onclick: () => this.#askUmap() }, "Compute UMAP");
    this.umapSaid = h("span", { class: "dim", role: "status", "aria-live": "polite" });
    this.lasso = h("button", { type: "button", class: "plain", "aria-pressed": "false", title: "Draw around points to select them (L)",
      onclick: () => this.scatter.setMode(this.scatter.mode === "lasso" ? "pan" : "lasso") }, "Lasso");
    const zoom = (words, name, f) => h("button", { type: "button", class: "plain", "aria-label": name, title: name, onclick: f }, words);
    this.said = h("p", { class: "map-said", role: "status", "aria-live": "polite" });
    this.summary = h("p", { id: "map-summary", class: "dim" });
    this.card = new Card();
    this.legend = new Legend({
      hide: (codes) => this.scatter.hide(codes),
      pick: (code, add) => this.scatter.select(this.#ofCode(code), { add }),
    });
    this.actions = new Actions({
      labels: facts.labels,
      windows: () => this.#selected(),
      count: () => this.scatter?.selected ?? 0,
      clear: () => this.scatter.select([]),
      changed: () => this.#labelled(),
      queueName: () => `Map: ${this.scatter.selected} windows`,
    });
    root.replaceChildren(
      h("section", { class: "stage", "aria-label": "Map" },
        h("div", { class: "bar" },
          h("label", { class: "field", for: "map-by" }, h("span", {}, "Colour by"), this.by), this.clusters,
          h("label", { class: "field", for: "map-method" }, h("span", {}, "Layout"), this.method), this.umap, this.umapSaid),
        h("div", { class: "frame" }, this.plot,
          h("div", { class: "over", role: "group", "aria-label": "Select and zoom" }, this.lasso,
            zoom("−", "Zoom out", () => this.scatter.zoomBy(1 / 1.5)), zoom("+", "Zoom in", () => this.scatter.zoomBy(1.5)),
            zoom("Fit", "Show all (0)", () => this.scatter.fit()))),
        h("p", { id: "map-keys", class: "keys dim" }, "Arrows go from point to point · Enter plays · Space selects · Ctrl+A all in view · L lasso (Shift adds) · + − 0 zoom · Esc clears"),
        this.said),
      h("aside", { class: "side", "aria-label": "Point and legend" }, this.card.element, this.legend.element,
        h("details", { class: "about", open: true }, h("summary", {}, "Summary"), this.summary)),
      this.actions.element,
    );
    this.scatter = new Scatter(this.plot, { draw: new URLSearchParams(location.search).get("draw") ?? "" });
    this.scatter.on("open", (i) => this.#open(i, true));
    this.scatter.on("focus", (i) => this.#focus(i));
    this.scatter.on("select", () => this.actions.update());
    this.scatter.on("view", () => this.lasso.setAttribute("aria-pressed", String(this.scatter.mode === "lasso")));
    window.addEventListener("antiphon:theme", () => this.#shade());
    // For tests and for whoever scripts the page.
    root.scatter = this.scatter;
    this.#umapShown(facts.umap);
    this.#shade();
    this.start();
  }

  async start() {
    if (memory.get("map.method", "pca") === "umap" && this.facts.umap.state === "done") this.method.value = "umap";
    await this.move();
    await this.recolour();
  }

  // Lay the points out by the chosen method.
  async move() {
    memory.set("map.method", this.method.value);
    await this.#try(async () => {
      this.plot.setAttribute("aria-busy", "true");
      this.tell("Laying out the windows …");
      const points = await packed("points", { version: this.facts.version, method: this.method.value });
      this.scatter.setPoints(points.xy);
      this.points = points;
      this.tell("");
      this.#summarise();
    });
    this.plot.removeAttribute("aria-busy");
  }

  async recolour() {
    const [by, ...rest] = this.by.value.split(":");
    const value = by === "cluster" ? this.clusters.value : rest.join(":");
    this.clusters.hidden = by !== "cluster";
    memory.set("map.by", this.by.value);
    const mine = (this.colouring = (this.colouring ?? 0) + 1);
    await this.#try(async () => {
      const found = await packed("colours", { version: this.facts.version, by, value });
      if (mine !== this.colouring) return;
      this.colours = found;
      this.#paint();
      this.#summarise();
    });
  }

  tell(words) {
    this.said.textContent = words;
  }

  async #try(work) {
    try {
      await work();
    } catch (error) {
      this.tell(error.message);
      // The table has grown: other numbers stand for the windows now.
      if (error.status === 409 && !this.again) {
        this.again = true;
        this.facts = await api("GET", "/map");
        await this.start();
        this.again = false;
      }
    }
  }

  #choices() {
    const { labels, detector } = this.facts;
    const one = (value, words) => h("option", { value }, words);
    return [
      one("labels", "label"), one("site", "site"), one("hour", "hour of the day"), one("date", "date"),
      one("cluster", "cluster"), one("round", "order of the answers"),
      labels.length ? h("optgroup", { label: "what is said of" }, labels.map((name) => one(`label:${name}`, name))) : null,
      detector.length ? h("optgroup", { label: "probability of" }, detector.map((name) => one(`score:${name}`, name))) : null,
    ].filter(Boolean);
  }

  #paint() {
    if (!this.colours) return;
    const table = this.legend.show(this.colours, this.scatter.dark);
    this.scatter.hide(new Set());
    this.scatter.setColours(this.colours.codes, table);
  }

  #shade() {
    this.scatter.dark = document.documentElement.dataset.theme === "dark";
    this.#paint();
    this.scatter.redraw();
  }

  #ofCode(code) {
    const found = [];
    this.colours.codes.forEach((c, i) => c === code && found.push(i));
    return found;
  }

  #summarise() {
    const { facts, points, colours } = this;
    if (!points) return;
    const n = (value) => value.toLocaleString("en");
    const sites = facts.sites ? ` from ${n(facts.sites)} ${facts.sites === 1 ? "site" : "sites"}` : "";
    const parts = [`${n(facts.windows)} windows of ${n(facts.recordings)} recordings${sites}.`];
    if (points.method === "pca") {
      const [x, y] = points.share.map((share) => `${(100 * share).toFixed(0)} %`);
      parts.push(`Two principal components: across ${x} of the variance, up ${y}.`);
    } else parts.push("UMAP: near points are alike; far distances mean little.");
    if (points.fitted < facts.windows) parts.push(`${n(facts.windows - points.fitted)} later windows were added to a map of ${n(points.fitted)}.`);
    if (colours) {
      const told = colours.kind === "categories"
        ? colours.entries.filter((e) => e.count).slice(0, 8).map((e) => `${e.name} ${n(e.count)}`).join(", ")
        : `from ${colours.ends[0]} to ${colours.ends[1]}`;
      parts.push(`Coloured by ${colours.title.toLowerCase()}: ${[told, colours.unknown.count && `${colours.unknown.name} ${n(colours.unknown.count)}`].filter(Boolean).join("; ")}.`);
    }
    this.summary.textContent = parts.join(" ");
  }

  // Facts are asked for when the focus rests.
  #focus(i) {
    clearTimeout(this.resting);
    if (i < 0) this.card.empty();
    else this.resting = setTimeout(() => this.#open(i, false), 120);
  }

  async #open(i, play) {
    clearTimeout(this.resting);
    if (play && this.card.point?.row === i) {
      this.card.show(this.card.point, true);
      return;
    }
    await this.#try(async () => {
      const [point] = await api("POST", "/map/windows", { version: this.facts.version, rows: [i] }, READS);
      if (this.scatter.focused === i) this.card.show(point, play);
    });
  }

  async #selected() {
    const rows = this.scatter.selection;
    const windows = [];
    for (let at = 0; at < rows.length; at += MANY) {
      const some = await api("POST", "/map/windows", { version: this.facts.version, rows: rows.slice(at, at + MANY) }, READS);
      windows.push(...some.map(({ window: w }) => w));
    }
    return windows;
  }

  async #labelled() {
    if (/^label/.test(this.by.value) || this.by.value === "round") {
      const kept = this.scatter.selection;
      await this.recolour();
      this.scatter.select(kept);
    }
    const { point } = this.card;
    if (point) {
      this.card.point = null;
      await this.#open(point.row, false);
    }
  }

  async #askUmap() {
    await this.#try(async () => {
      if (this.umapNow?.state === "running") await api("DELETE", "/map/umap");
      else {
        const version = encodeURIComponent(this.facts.version);
        this.#umapShown(await api("POST", `/map/umap?version=${version}`));
      }
    });
  }

  #umapShown(now) {
    this.umapNow = now;
    const running = now.state === "running";
    this.method.querySelector('[value="umap"]').disabled = now.state !== "done";
    this.umap.hidden = now.state === "done";
    this.umap.disabled = !now.installed;
    this.umap.textContent = running ? "Stop" : now.installed ? "Compute UMAP" : "UMAP: pip install 'antiphon[umap]'";
    this.umapSaid.textContent = running
      ? (now.share ? `UMAP: ${Math.round(100 * now.share)} %` : "UMAP: looking for neighbours …")
      : now.state === "failed" ? now.problem : "";
    if (running) setTimeout(() => this.#watch(), 1000);
  }

  async #watch() {
    await this.#try(async () => {
      const version = encodeURIComponent(this.facts.version);
      const now = await api("GET", `/map/umap?version=${version}`);
      this.#umapShown(now);
      if (now.state !== "done") return;
      this.method.value = "umap";
      await this.move();
    });
  }
}

async function mount(root) {
  try {
    new MapPage(root, await api("GET", "/map"));
  } catch (error) {
    root.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
  }
}

whenThere("map-page", mount);
