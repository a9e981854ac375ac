// Precision against the threshold, as a drawing with its two curves named in it.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 280, 46, 12, 30, 40];

export function curveChart(counts, known, at) {
  const x = (value) => LEFT + value * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM);
  const { thresholds } = counts;
  const words = `Precision against the threshold; at ${thresholds[at].toFixed(2)} by the probabilities ` +
    `${said(counts.expected[at])}, by labels ${said(known?.value[at])}`;
  const parts = [element("title", {}, words)];
  for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    parts.push(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    parts.push(element("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, String(tick)));
    parts.push(element("text", { x: x(tick), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, String(tick)));
  }
  parts.push(element("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle", class: "note" }, "threshold"));
  if (known) {
    const band = runs(thresholds, known.low).map((run) => {
      const up = run.map((i) => `${x(thresholds[i])},${y(known.high[i])}`);
      const down = [...run].reverse().map((i) => `${x(thresholds[i])},${y(known.low[i])}`);
      return `M${up.join("L")}L${down.join("L")}Z`;
    });
    parts.push(element("path", { class: "band-2", d: band.join("") || "M0,0" }));
  }
  parts.push(line("curve-1", thresholds, counts.expected, x, y));
  if (known) parts.push(line("curve-2", thresholds, known.value, x, y));
  parts.push(element("line", { class: "cut-line", x1: x(thresholds[at]), x2: x(thresholds[at]), y1: TOP - 4, y2: HEIGHT - BOTTOM }));
  for (const [name, values] of [["curve-1", counts.expected], ["curve-2", known?.value]]) {
    const value = values?.[at];
    if (value !== null && value !== undefined) parts.push(element("circle", { class: name, cx: x(thresholds[at]), cy: y(value), r: 4.5 }));
  }
  parts.push(element("line", { class: "curve-1", x1: LEFT, x2: LEFT + 22, y1: 12, y2: 12 }), element("text", { x: LEFT + 28, y: 16 }, "by the probabilities"));
  if (known) parts.push(element("line", { class: "curve-2", x1: LEFT + 180, x2: LEFT + 202, y1: 12, y2: 12 }), element("text", { x: LEFT + 208, y: 16 }, "by labels, 95 % interval"));
  return element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words, class: "curve" }, ...parts);
}

const said = (value) => (value === null || value === undefined ? "unknown" : value.toFixed(2));

function line(name, xs, values, x, y) {
  const d = runs(xs, values).map((run) => `M${run.map((i) => `${x(xs[i])},${y(values[i])}`).join("L")}`);
  return element("path", { class: name, d: d.join("") || "M0,0" });
}

// Stretches without gaps, as lists of places.
function runs(xs, values) {
  const found = [];
  let open = null;
  xs.forEach((_, i) => {
    if (values[i] === null || values[i] === undefined) open = null;
    else if (open) open.push(i);
    else found.push((open = [i]));
  });
  return found;
}

function element(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
