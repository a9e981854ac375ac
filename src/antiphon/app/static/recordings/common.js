// What the parts of the page "Recordings" share: numbers, times, colours, tables.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";

export const number = (value) => Number(value).toLocaleString("en");
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 60) return `${+seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${+(seconds / 60).toFixed(1)} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

// Local time as the server gives it, without a zone: "2026-05-04 03:00:06".
export const clock = (iso) => (iso ? iso.slice(0, 19).replace("T", " ") : "");

// A moment within a recording, as clock time where the start is known.
export function moment(start, seconds, digits = 0) {
  if (!start) return `${seconds.toFixed(Math.max(digits, 1))} s`;
  // Read as UTC so that the browser's zone and its summer time change nothing.
  const ms = Math.round((Date.parse(`${start.slice(0, 23)}Z`) + seconds * 1000) / 10 ** (3 - digits)) * 10 ** (3 - digits);
  return new Date(ms).toISOString().slice(11, digits ? 20 + digits : 19);
}

// Okabe and Ito's colours; a label keeps its own, and its name always stands beside it.
const SERIES = 7;
export function colourOf(label, labels) {
  const at = labels.indexOf(label);
  return `var(--s${(Math.max(at, 0) % SERIES) + 1})`;
}

// A name of a file that may break at its slashes and underscores.
export const breakable = (name) => name.split(/(?<=[/_])/).flatMap((part, i) => (i ? [h("wbr"), part] : [part]));

export const dot = (colour) => h("span", { class: "dot", style: { background: colour }, "aria-hidden": "true" });

export function button(text, onclick, properties = {}) {
  return h("button", { type: "button", class: "plain", onclick, ...properties }, text);
}

// Address parameters of what is asked, lists as repeated names; empty ones are left out.
export function query(asked) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    for (const one of [value].flat()) {
      const empty = one === null || one === undefined || one === false || (one === "" && name !== "site");
      if (!empty) made.append(name, one);
    }
  }
  return made;
}

export const get = (path, asked = {}) => api("GET", `${path}?${query(asked)}`);

// A table that the server sorts and gives by pages.
// columns: [{name, title, sort?, number?, cell(row) -> text or element}]
export class Pages {
  constructor({ caption, columns, load, open, sort, descending = false, size = 50, empty }) {
    Object.assign(this, { columns, load, open, sort, descending, size, empty });
    this.offset = 0;
    this.turn = 0;
    this.body = h("tbody");
    this.heads = columns.map((column) => this.#head(column));
    this.table = h("table", { class: "pages" },
      h("caption", { class: "visually-hidden" }, caption), h("thead", {}, h("tr", {}, this.heads)), this.body);
    this.status = h("span", { class: "dim", role: "status", "aria-live": "polite" });
    this.back = button("‹ Back", () => this.#turn(-1), { "aria-label": "Page before" });
    this.on = button("Next ›", () => this.#turn(1), { "aria-label": "Page after" });
    this.element = h("div", { class: "paged" },
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, this.table),
      h("div", { class: "foot" }, this.status, h("span", { class: "grow" }), this.back, this.on));
    this.body.addEventListener("click", (event) => this.#clicked(event));
    this.body.addEventListener("keydown", (event) => this.#key(event));
  }

  #head(column) {
    const inner = column.sort
      ? h("button", { type: "button", onclick: () => this.#sorted(column) }, column.title)
      : column.title;
    return h("th", { scope: "col", class: column.number ? "number" : null }, inner);
  }

  #sorted(column) {
    this.descending = this.sort === column.sort ? !this.descending : Boolean(column.number);
    this.sort = column.sort;
    this.show(0);
  }

  #turn(by) {
    this.show(Math.max(0, this.offset + by * this.size));
  }

  async show(offset = this.offset) {
    const turn = (this.turn += 1);
    this.element.setAttribute("aria-busy", "true");
    try {
      const { sort, descending, size: limit } = this;
      const found = await this.load({ sort, descending, offset, limit });
      if (turn !== this.turn) return;
      this.offset = offset;
      this.rows = found.rows;
      this.total = found.total;
      this.#draw();
    } catch (error) {
      if (turn !== this.turn) return;
      this.body.replaceChildren();
      this.status.textContent = error.message;
    } finally {
      if (turn === this.turn) this.element.removeAttribute("aria-busy");
    }
  }

  #draw() {
    this.columns.forEach((column, i) => {
      const order = this.descending ? "descending" : "ascending";
      if (column.sort) this.heads[i].setAttribute("aria-sort", column.sort === this.sort ? order : "none");
    });
    this.body.replaceChildren(...this.rows.map((row, i) => h("tr", { tabindex: i ? "-1" : "0", data: { at: i } },
      this.columns.map((column) => h("td", { class: column.number ? "number" : column.class ?? null }, column.cell(row))))));
    const last = this.offset + this.rows.length;
    this.status.textContent = this.total ? `${number(this.offset + 1)} to ${number(last)} of ${number(this.total)}` : this.empty;
    this.back.disabled = this.offset === 0;
    this.on.disabled = last >= this.total;
  }

  // Mark the row that is open.
  mark(at) {
    [...this.body.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === at)));
  }

  // Open the row before or after one; the next page where the page ends.
  async step(at, by) {
    let to = at + by;
    if (to >= this.rows.length && this.offset + this.rows.length < this.total) {
      await this.show(this.offset + this.size);
      to = 0;
    } else if (to < 0 && this.offset > 0) {
      await this.show(Math.max(0, this.offset - this.size));
      to = this.rows.length - 1;
    }
    if (this.rows[to]) this.open(this.rows[to], to);
  }

  #clicked(event) {
    if (event.target.closest("button, a, input")) return;
    const row = event.target.closest("tr");
    if (row) this.open(this.rows[row.dataset.at], Number(row.dataset.at));
  }

  #key(event) {
    const row = event.target.closest("tr");
    if (event.target !== row) return;
    const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling,
      Home: this.body.firstElementChild, End: this.body.lastElementChild }[event.key];
    if (to) {
      row.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.open(this.rows[row.dataset.at], Number(row.dataset.at));
    } else return;
    event.preventDefault();
  }
}
