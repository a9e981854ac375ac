// Elements without innerHTML: text from users and files is only ever text.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "style") Object.assign(element.style, value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// A dialog in the browser's top layer: focus stays inside, Escape closes, focus goes back.
export function dialog(title, body, { className = "", onclose = () => {} } = {}) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const close = h("button", { type: "button", class: "icon", "aria-label": "Close" }, "✕");
  const box = h(
    "dialog",
    { class: `label-dialog ${className}`, "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), close),
    body,
  );
  close.addEventListener("click", () => box.close());
  // A click on the backdrop has the dialog itself as its target.
  box.addEventListener("mousedown", (event) => event.target === box && box.close());
  box.addEventListener("close", () => {
    box.remove();
    onclose(box.returnValue);
  });
  document.body.append(box);
  box.showModal();
  return box;
}

// The element that keys go to. A dialog that was just closed may still hold the focus: browsers
// let go of it with the next frame only, and a quick person's next key comes sooner.
export function focused() {
  const element = document.activeElement;
  return element?.closest("dialog:not([open])") ? document.body : element;
}

export function uuid() {
  // crypto.randomUUID exists only on https and localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A line for a terminal, with a button that copies it.
export function command(text) {
  const code = h("code", { class: "command" }, text);
  const press = h("button", { type: "button", class: "button small", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https the clipboard is closed to scripts, but not to a selection.
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    press.textContent = "Copied";
    setTimeout(() => (press.textContent = "Copy"), 2000);
  } }, "Copy");
  return h("div", { class: "command-line" }, code, press);
}

export const percent = (p) => `${Math.round(100 * p)} %`;

// What is remembered in this browser; a full or forbidden storage costs only the memory.
export const memory = {
  get(name, otherwise = null) {
    try {
      return JSON.parse(localStorage.getItem(`antiphon.${name}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`antiphon.${name}`, JSON.stringify(value));
    } catch {
      return false;
    }
    return true;
  },
};
