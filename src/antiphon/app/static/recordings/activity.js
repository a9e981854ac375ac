// Effort and activity: charts by the server, the same numbers as tables below each.

import { h } from "../frame/dom.js";
import { get, number, plural } from "./common.js";

export class Activity {
  constructor({ filters }) {
    this.filters = filters;
    this.said = h("p", { class: "count", role: "status", "aria-live": "polite" });
    this.left = h("div", { class: "left-out" });
    this.charts = h("div", { class: "charts" });
    this.element = h("div", {}, this.said, this.left, this.charts);
  }

  fields = ["site", "label", "dates", "score"];

  async update() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const found = await get("/recordings/activity", this.filters.only("site", "label", "first_date", "last_date", "min_score"));
      if (turn === this.turn) this.#draw(found);
    } catch (error) {
      if (turn === this.turn) this.said.textContent = error.message;
    }
  }

  #draw(found) {
    this.said.textContent = `${number(Math.round(found.minutes))} recorded minutes, ${plural(found.detections, "detection")}`;
    this.left.replaceChildren();
    if (found.not_searched) {
      const many = found.not_searched !== 1;
      this.left.append(h("p", {}, `${plural(found.not_searched, "recording")} without embeddings ${many ? "are" : "is"} left out: ` +
        `nothing was searched for in ${many ? "them" : "it"} yet. Run: antiphon embed PROJECT`));
    }
    if (found.left_out) {
      const more = found.left_out - found.left_out_names.length;
      this.left.append(h("details", {},
        h("summary", {}, `${plural(found.left_out, "recording")} without a start time ${found.left_out === 1 ? "is" : "are"} left out, ` +
          `with ${plural(found.detections_left_out, "detection")}`),
        h("ul", {}, found.left_out_names.map((name) => h("li", {}, name)), more > 0 ? h("li", {}, `and ${number(more)} more`) : null),
        h("p", { class: "dim" }, "A start time comes from the file's name or from a metadata table: antiphon init PROJECT --metadata TABLE")));
    }
    const charts = found.sites.rows.length > 1 ? [...found.charts, found.sites] : found.charts;
    this.charts.replaceChildren(...charts.map(figure));
  }
}

function figure({ title, svg, columns, rows }) {
  return h("figure", {}, h("figcaption", {}, title), h("div", { class: "wide" }, drawing(svg)),
    h("details", {}, h("summary", {}, "The numbers"),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
        h("table", {}, h("caption", { class: "visually-hidden" }, title),
          h("thead", {}, h("tr", {}, columns.map((name, i) => h("th", { scope: "col", class: i ? "number" : null }, name)))),
          h("tbody", {}, rows.map((row) => h("tr", {}, row.map((value, i) => {
            const text = value === null ? "–" : typeof value === "number" ? number(value) : value;
            return h(i ? "td" : "th", { scope: i ? null : "row", class: typeof value === "number" || value === null ? "number" : null }, text);
          }))))))));
}

// The server's drawing as XML: nothing in it is run, and what is no SVG is not shown.
function drawing(svg) {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg") return h("p", {}, "This chart cannot be drawn.");
  return document.importNode(parsed, true);
}
