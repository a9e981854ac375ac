// The list of keys, in which each can be changed.

import { dialog, h } from "../frame/dom.js";
import { COMMANDS, keyOf, show } from "./keys.js";

export function showHelp(keys, labels, onchange) {
  const tell = h("p", { class: "tell", role: "status" });
  const body = h("div", { class: "help" });
  let waiting = null;

  // The next key pressed becomes the key of the row.
  const listen = (row, button, bind) => {
    waiting?.();
    button.textContent = "Press a key…";
    const hear = (event) => {
      if (["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      stop();
      if (event.key === "Escape") tell.textContent = "Not changed.";
      else {
        tell.textContent = bind(keyOf(event)) || "Changed.";
        onchange();
      }
      draw();
      body.querySelector(`[data-row="${CSS.escape(row)}"]`)?.focus();
    };
    const stop = () => {
      document.removeEventListener("keydown", hear, true);
      waiting = null;
    };
    waiting = stop;
    document.addEventListener("keydown", hear, true);
  };

  const rowOf = (row, key, text, bind, also = []) => {
    const change = h("button", { type: "button", class: "key", data: { row }, "aria-label": `${text}: ${key ? show(key) : "no key"}. Change` },
      key ? show(key) : "–");
    change.addEventListener("click", () => listen(row, change, bind));
    return h("tr", {}, h("td", {}, change, ...also.map((k) => h("kbd", {}, show(k)))), h("td", {}, text));
  };

  const draw = () => {
    const groups = [...new Set(COMMANDS.map((command) => command.group))];
    const tables = groups.map((name) =>
      h("section", {}, h("h3", {}, name), h("table", {}, ...COMMANDS.filter((c) => c.group === name).map((c) =>
        rowOf(c.name, keys.command(c.name), c.text, (key) => keys.bindCommand(c.name, key), c.also)))),
    );
    const own = h("section", {}, h("h3", {}, "Labels"),
      h("p", { class: "muted" }, "The key alone: present. With Shift: absent. With Alt: unsure. Again: nothing said. With a box selected: the box's label."),
      h("table", {}, ...inOrder(keys, labels).map(({ name }) =>
        rowOf(`label ${name}`, keys.labels.get(name), name, (key) => keys.bindLabel(name, key)))));
    const reset = h("button", { type: "button", class: "act" }, "All keys as they were");
    reset.addEventListener("click", () => {
      keys.reset();
      keys.assign(labels.map((label) => label.name));
      onchange();
      draw();
    });
    body.replaceChildren(h("div", { class: "columns" }, own, ...tables), h("footer", {}, tell, reset));
  };

  draw();
  return dialog("Keys", body, { className: "wide", onclose: () => waiting?.() });
}

// As the chips stand: digits, letters, and then those without a key.
function inOrder(keys, labels) {
  const place = ({ name }) => keys.labels.get(name) ?? "~";
  return [...labels].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
}
