// What the parts of the pages "Agreement" and "Benchmark" share.

import { h } from "../frame/dom.js";

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
export const fixed = (value, digits = 2) => (value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−"));
export const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);
// Times come as UTC without a zone.
export const when = (iso) => iso.slice(0, 16).replace("T", " ");

export function interval(value, low, high, digits = 2) {
  if (value === null || value === undefined) return "–";
  const ends = low === null || low === undefined || high === null || high === undefined ? ""
    : ` [${fixed(low, digits)}, ${fixed(high, digits)}]`;
  return fixed(value, digits) + ends;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.0995) return `${(1000 * value).toFixed(1)} ms`;
  if (value < 60) return `${+value.toFixed(1)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function button(text, onclick, properties = {}) {
  return h("button", { type: "button", class: "button small", onclick, ...properties }, text);
}

// A table: columns are titles (a string, or [title, "number"]), cells text or elements.
export function table(caption, columns, rows, { shown = false } = {}) {
  const kinds = columns.map((column) => (Array.isArray(column) ? column[1] : null));
  const cell = (content, i) => h(i ? "td" : "th", { scope: i ? null : "row", class: kinds[i] }, content ?? "");
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: shown ? null : "visually-hidden" }, caption),
      h("thead", {}, h("tr", {}, columns.map((column, i) =>
        h("th", { scope: "col", class: kinds[i] }, Array.isArray(column) ? column[0] : column)))),
      h("tbody", {}, rows.map((row) => h("tr", { class: row.className ?? null }, (row.cells ?? row).map(cell))))));
}

export function select(label, options, value, onchange) {
  const made = h("select", { onchange: () => onchange(made.value) },
    options.map(([key, text]) => h("option", { value: key }, text)));
  made.value = value;
  return { select: made, element: h("label", { class: "field inline" }, h("span", {}, label), made) };
}

// Tabs: [name, title, make]; each part has an element and, if it wants, shown(). The address keeps
// which one is open. Parts are made when they are first looked at, and drawn again every time.
export function tabs(parts) {
  const made = new Map();
  const panel = h("div", { role: "tabpanel", id: "part", tabindex: "-1" });
  const heads = parts.map(([name, title], at) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "part", onclick: () => show(at),
    onkeydown: (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const to = (at + by + parts.length) % parts.length;
      show(to);
      heads[to].focus();
      event.preventDefault();
    },
  }, title));

  function show(at) {
    const [name, , make] = parts[at];
    heads.forEach((head, i) => {
      head.setAttribute("aria-selected", String(i === at));
      head.tabIndex = i === at ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${name}`);
    made.forEach((part, other) => other !== name && part.hidden?.());
    if (!made.has(name)) made.set(name, make());
    const part = made.get(name);
    panel.replaceChildren(part.element);
    const asked = new URLSearchParams(location.search);
    asked.set("part", name);
    history.replaceState(null, "", `?${asked}`);
    Promise.resolve(part.shown?.()).catch((error) =>
      part.element.prepend(h("p", { class: "note bad", role: "alert" }, error.message)));
  }

  const wanted = new URLSearchParams(location.search).get("part");
  show(Math.max(0, parts.findIndex(([name]) => name === wanted)));
  return h("div", { class: "tabbed" }, h("div", { class: "tabs", role: "tablist", "aria-label": "Parts of this page" }, heads), panel);
}

// The server's drawing as XML: nothing in it is run, and what is no SVG is not shown.
export function drawing(svg) {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg") return h("p", {}, "This chart cannot be drawn.");
  return document.importNode(parsed, true);
}
