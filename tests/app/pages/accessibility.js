// What is wrong with the page for a screen reader, a keyboard and weak eyes: a sentence each.
() => {
  const faults = [];
  const told = new Set();
  const fault = (text) => {
    if (!told.has(text)) faults.push(text);
    told.add(text);
  };
  const where = (e) => {
    const classes = e.getAttribute("class");
    return `${e.localName}${e.id ? `#${e.id}` : ""}${classes ? `.${classes.trim().split(/\s+/).join(".")}` : ""}`;
  };
  const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.getClientRects().length > 0;
  const isTold = (e) => seen(e) && !e.closest("[aria-hidden=true], [inert]");
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isTold);
  const words = (e) => e.textContent.trim();
  const modal = document.querySelector("dialog:modal");
  const inPlay = (e) => !modal || modal.contains(e);

  // The page as a whole.
  if (!document.documentElement.lang) fault("The page has no language.");
  if (!document.title) fault("The page has no title.");
  if (!modal) {
    for (const [name, selector] of Object.entries({ main: "main:not([role]), [role=main]", h1: "h1" })) {
      const n = all(selector).length;
      if (n !== 1) fault(`There are ${n} ${name}.`);
    }
  }
  for (const e of all("nav, [role=navigation], dialog, [role=dialog]")) if (!nameOf(e)) fault(`No name: ${where(e)}`);
  const landmarks = all("nav, main:not([role]), aside, [role=region], [role=search], section[aria-label], section[aria-labelledby]");
  const names = landmarks.map((e) => `${e.getAttribute("role") ?? e.localName} ${nameOf(e)}`);
  names.forEach((name, i) => name.split(" ")[1] && names.indexOf(name) !== i && fault(`Two landmarks are called ${name}.`));
  let level = 0;
  for (const e of all("h1, h2, h3, h4, h5, h6").filter(inPlay)) {
    const now = Number(e.localName[1]);
    if (level && now > level + 1) fault(`A heading of level ${now} follows one of ${level}: ${words(e)}`);
    level = now;
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) fault(`The id ${id} is given twice.`);
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "aria-activedescendant", "for"]) {
    for (const e of all(`[${name}]`)) {
      for (const id of e.getAttribute(name).split(/\s+/)) if (id && !document.getElementById(id)) fault(`${name} of ${where(e)} means ${id}, which is not there.`);
    }
  }

  // Controls and pictures have names.
  function nameOf(e) {
    const by = (e.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => document.getElementById(id)).filter(Boolean);
    if (by.length) return by.map(words).join(" ").trim();
    const given = e.getAttribute("aria-label")?.trim() || (e.getAttribute("alt") ?? "").trim();
    if (given) return given;
    const labels = [...(e.labels ?? [])].map((label) => [...label.childNodes].filter((n) => n !== e).map(words).join(" ").trim());
    if (labels.some(Boolean)) return labels.join(" ");
    const isField = /^(input|select|textarea)$/.test(e.localName);
    const title = e.querySelector?.(":scope > title, :scope > img[alt]");
    if (title) return words(title) || title.getAttribute("alt");
    if (isField && !/^(submit|button|reset)$/.test(e.type)) return (e.getAttribute("title") ?? "").trim();
    return words(e) || (e.value ?? "").toString().trim() || (e.getAttribute("title") ?? "").trim();
  }
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=checkbox], [role=switch], " +
    "[role=tab], [role=option], [role=slider], [role=radio], [role=radiogroup], [role=combobox], [role=listbox], [role=progressbar], " +
    "[role=application], [role=img], [role=group][tabindex], [role=tabpanel], progress, meter, svg[role], [tabindex='0']";
  for (const e of all(controls)) if (!nameOf(e)) fault(`No name: ${where(e)}`);
  for (const e of all("img")) if (!e.hasAttribute("alt")) fault(`No alt: ${where(e)}`);
  for (const e of all("[tabindex]")) if (e.tabIndex > 0) fault(`The order of Tab is forced: ${where(e)}`);
  for (const e of all("a[href], button")) if (e.parentElement.closest("a[href], button")) fault(`A control within a control: ${where(e)}`);
  const parents = { option: "[role=listbox]", tab: "[role=tablist]", radio: "[role=radiogroup]" };
  for (const [role, parent] of Object.entries(parents)) {
    for (const e of all(`[role=${role}]`)) if (!e.closest(parent)) fault(`A ${role} without its group: ${where(e)}`);
  }

  // What scrolls can be scrolled by keyboard.
  for (const e of all("body *").filter(inPlay)) {
    const { overflowX, overflowY } = getComputedStyle(e);
    const scrolls = (/auto|scroll/.test(overflowY) && e.scrollHeight > e.clientHeight + 1) || (/auto|scroll/.test(overflowX) && e.scrollWidth > e.clientWidth + 1);
    const focusable = "a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary, [tabindex='0']";
    // The arrow keys of a box above scroll a list of options.
    if (scrolls && e.getAttribute("role") !== "listbox" && e.tabIndex < 0 && !e.querySelector(focusable) && e.localName !== "textarea") fault(`Scrolls, but not by keyboard: ${where(e)}`);
  }

  // Text stands out from what is behind it (WCAG AA).
  const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
  const behind = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) return layers.reverse().reduce((below, layer) => over(layer, below));
      // Not painted on its ancestors: over a picture, or in the top layer.
      if (at.parentElement?.querySelector(":scope > canvas, :scope > img") && style.position === "absolute") return null;
      if (at.localName === "rect") return null;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || !seen(e) || !inPlay(e) || e.closest("script, style, title, option, :disabled, [aria-disabled=true], .visually-hidden, .hidden-text")) continue;
    if (e.matches("label, label *") && e.closest("label").control?.disabled) continue;
    const style = getComputedStyle(e);
    const ground = behind(e);
    if (!ground) continue;
    const ink = [...rgba(e.closest("svg") ? style.fill : style.color)];
    for (let at = e; at; at = at.parentElement) ink[3] *= Number(getComputedStyle(at).opacity);
    const size = parseFloat(style.fontSize);
    const wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const found = contrast(over(ink, ground), ground);
    if (found < wanted - 0.05) fault(`Contrast ${found.toFixed(1)}: ${where(e)} “${node.data.trim().slice(0, 30)}”`);
  }
  // The edges of fields are seen (WCAG 1.4.11).
  for (const e of all("input:not([type=range], [type=checkbox], [type=radio], [type=file]), select, textarea").filter(inPlay)) {
    const style = getComputedStyle(e);
    if (e.disabled || parseFloat(style.borderTopWidth) === 0) continue;
    const ground = behind(e.parentElement);
    if (!ground) continue;
    const found = Math.max(contrast(over(rgba(style.borderTopColor), ground), ground), contrast(over(rgba(style.backgroundColor), ground), ground));
    if (found < 2.95) fault(`The edge of ${where(e)} has a contrast of ${found.toFixed(1)}.`);
  }
  return faults;
}
