// What the parts of the page "Benchmark" share.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";

// Ask for something of some runs; lists become repeated names.
export function ask(path, runs, asked = {}) {
  return api("GET", `/benchmark/${path}?${query(runs, asked)}`);
}

// What is shown of the runs that are ticked: asked anew with each choice, the newest answer wins.
export class Sheet {
  constructor(path) {
    this.path = path;
    this.element = h("div", { class: "stack" });
  }

  async chosen(runs) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    if (!runs.length) {
      this.element.replaceChildren(h("p", { class: "note" }, "Choose a run."));
      return;
    }
    this.element.setAttribute("aria-busy", "true");
    try {
      const found = await ask(this.path, runs);
      if (turn === this.turn) this.draw(found, runs);
    } catch (error) {
      if (turn === this.turn) this.element.replaceChildren(h("p", { class: "note bad", role: "alert" }, error.message));
    } finally {
      if (turn === this.turn) this.element.removeAttribute("aria-busy");
    }
  }
}

export function query(runs, asked = {}) {
  const made = new URLSearchParams(runs.map((run) => ["run", run]));
  for (const [name, value] of Object.entries(asked)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") made.append(name, one);
  }
  return made;
}

export function downloads(path, runs, names) {
  const root = window.antiphon.root;
  return h("p", { class: "line" }, h("span", { class: "muted" }, "Download"),
    names.map(([name, text]) => h("a", { class: "button small", href: `${root}/api/benchmark/${path}/download?${query(runs, { what: name })}`, download: name }, text)));
}

// Sort a table's rows by a click on a heading; cells may carry data-value.
export function sortable(element) {
  const heads = [...element.querySelectorAll("thead th")];
  const body = element.querySelector("tbody");
  const key = (row, i) => {
    const cell = row.children[i];
    const value = cell.querySelector("[data-value]")?.dataset.value;
    if (value !== undefined) return value === "" ? -Infinity : Number(value);
    return cell.textContent;
  };
  heads.forEach((head, i) => {
    const words = head.textContent;
    const press = h("button", { type: "button", onclick: () => {
      const up = head.getAttribute("aria-sort") === "descending";
      const rows = [...body.children].sort((a, b) => {
        const [x, y] = [key(a, i), key(b, i)];
        return (up ? 1 : -1) * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true }));
      });
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.replaceChildren(...rows);
    } }, words);
    head.replaceChildren(press);
  });
  return element;
}

export const valued = (text, value) => h("span", { data: { value: value ?? "" } }, text);
