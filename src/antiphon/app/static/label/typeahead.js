// Adding a label: type-ahead over scientific and common names; new names are welcome.

import { api } from "../frame/api.js";
import { dialog, h } from "../frame/dom.js";

const WAIT_MS = 120;

// Resolves with a chosen name {name, scientific_name?, common_name?, rank?}, or null.
export function askLabel(title = "Add a label", why = null) {
  return new Promise((resolve) => {
    const list = h("ul", { id: "label-options", role: "listbox", "aria-label": "Names" });
    const input = h("input", {
      type: "text", role: "combobox", "aria-controls": "label-options", "aria-expanded": "true",
      "aria-autocomplete": "list", "aria-label": "Name of a label", autocomplete: "off",
      placeholder: "Scientific or common name, or any word", maxlength: "200", spellcheck: false,
    });
    const tell = h("p", { class: "muted", role: "status" });
    let options = [];
    let at = 0;
    let turn = 0;
    let timer = null;
    // The text that the options on the screen belong to.
    let asked = null;
    let chosen = null;

    const box = dialog(title, h("div", { class: "typeahead" }, why && h("p", {}, why), input, list, tell), {
      className: "narrow",
      onclose: () => {
        clearTimeout(timer);
        turn += 1;
        resolve(chosen);
      },
    });

    const draw = () => {
      list.replaceChildren(
        ...options.map((option, i) =>
          h(
            "li",
            { id: `label-option-${i}`, role: "option", "aria-selected": String(i === at), onclick: () => choose(i) },
            h("span", { class: "name" }, option.isNew ? `New label “${option.name}”` : option.name),
            h("span", { class: "muted" }, describe(option)),
          ),
        ),
      );
      if (options.length) input.setAttribute("aria-activedescendant", `label-option-${at}`);
      else input.removeAttribute("aria-activedescendant");
      list.children[at]?.scrollIntoView({ block: "nearest" });
    };

    const look = async () => {
      const mine = (turn += 1);
      const text = input.value.trim();
      let found = [];
      try {
        found = await api("GET", `/labels/suggest?n=12&q=${encodeURIComponent(text)}`);
        tell.textContent = "";
      } catch (error) {
        tell.textContent = error.message;
      }
      if (mine !== turn) return;
      asked = text;
      const same = found.some((option) => option.name.toLowerCase() === text.toLowerCase());
      options = text && !same ? [...found, { name: text, isNew: true }] : found;
      at = 0;
      draw();
    };

    const choose = (index) => {
      chosen = options[index] ?? null;
      if (chosen) box.close();
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(look, WAIT_MS);
    });
    input.addEventListener("keydown", async (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && options.length) {
        event.preventDefault();
        at = (at + step + options.length) % options.length;
        draw();
      } else if (event.key === "Enter") {
        event.preventDefault();
        clearTimeout(timer);
        // Who types and presses Enter at once means what they typed, not an older list.
        if (input.value.trim() !== asked) await look();
        choose(at);
      }
    });
    input.focus();
    look();
  });
}

function describe(option) {
  const names = [option.scientific_name, option.common_name].filter((text) => text && text !== option.name);
  const source = { project: "in this project", taxonomy: "taxonomy" }[option.source] ?? option.source;
  return [...names, source].filter(Boolean).join(" · ");
}
