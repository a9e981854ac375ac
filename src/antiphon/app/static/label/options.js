// What is set once: frequency range, colours, sound, thresholds.

import { MAPS } from "../media/colours.js";
import { dialog, h } from "../frame/dom.js";

function field(text, input, help = null) {
  return h("label", { class: "field" }, h("span", {}, text), input, help ? h("small", { class: "muted" }, help) : null);
}

function choice(value, options, onpick) {
  const select = h("select", {}, ...options.map(([key, text]) => h("option", { value: String(key) }, text)));
  select.value = String(value);
  select.addEventListener("change", () => onpick(select.value));
  return select;
}

function tick(isOn, text, help, onpick) {
  const box = h("input", { type: "checkbox" });
  box.checked = isOn;
  box.addEventListener("change", () => onpick(box.checked));
  return h("label", { class: "tick" }, box, h("span", {}, text, h("small", { class: "muted" }, help)));
}

// work: {sight, prefs, remember(prefs), redraw()}
export function showOptions(work) {
  const { sight, prefs } = work;
  const khz = (value, fallback) => {
    const input = h("input", { type: "number", min: "0", max: "500", step: "any", placeholder: fallback });
    if (value) input.value = String(value / 1000);
    return input;
  };
  const low = khz(sight.prefs.low_hz, "0");
  const high = khz(sight.prefs.high_hz, "all");
  const range = () => {
    const from = Math.max(0, Number(low.value) * 1000 || 0);
    const to = Number(high.value) * 1000 || null;
    high.setCustomValidity(to !== null && to <= from ? "The upper end lies below the lower one." : "");
    if (high.reportValidity()) sight.change({ low_hz: from, high_hz: to });
  };
  for (const input of [low, high]) input.addEventListener("change", range);
  const threshold = h("input", { type: "number", min: "0", max: "1", step: "0.05", value: String(prefs.threshold) });
  threshold.addEventListener("change", () => {
    const value = Number(threshold.value);
    if (value >= 0 && value <= 1) work.remember({ threshold: value });
  });

  const body = h(
    "div",
    { class: "options" },
    h("fieldset", {}, h("legend", {}, "Answers"),
      tick(prefs.complete, "Unmarked labels are absent",
        "An answer then says of every label of the project that it is there or not, which teaches most. Switch it off when you listen for some labels only: nothing is then said of the others.",
        (complete) => work.remember({ complete })),
      tick(prefs.oneKey, "One key for each clip", "A label's key, or “nothing here”, also confirms. For one label a clip.",
        (oneKey) => work.remember({ oneKey })),
      field("Likely means at least", threshold, "Suggestions with this probability are taken with “accept likely”.")),
    h("fieldset", {}, h("legend", {}, "Picture"),
      h("div", { class: "pair" }, field("From, kHz", low), field("to, kHz", high)),
      field("Colours", choice(sight.prefs.colours, MAPS.map((name) => [name, name]), (colours) => sight.change({ colours })))),
    h("fieldset", {}, h("legend", {}, "Sound"),
      tick(sight.prefs.autoplay, "Play each clip at once", "Starts with the clip; space stops it.",
        (autoplay) => sight.change({ autoplay })),
      field("Time expansion",
        choice(sight.prefs.slow, [["auto", "automatic: 10 times above 96 kHz"], ...[1, 2, 4, 8, 10, 16, 20, 32].map((n) => [n, n === 1 ? "none" : `${n} times slower`])],
          (value) => sight.change({ slow: value === "auto" ? "auto" : Number(value) }).then(() => work.redraw())),
        "Brings ultrasound down to where it is heard.")),
  );
  return dialog("Options", body, { className: "wide", onclose: () => work.redraw() });
}
