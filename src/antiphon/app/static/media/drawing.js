// The layers of a spectrogram: picture and axes below, boxes and cursor above.

import { drawAxes, Frame, hzText, ticks, timeText } from "./axes.js";
import { painted } from "./picture.js";
import { viewOf } from "./urls.js";

const MARGIN = { left: 46, right: 10, top: 20, bottom: 24 };
const HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";

// Fill an element with the layers; what is drawn on has to be told to screen readers in words.
export function build(element, { draw, label, height }) {
  element.classList.add("spectrogram-view");
  if (getComputedStyle(element).position === "static") element.style.position = "relative";
  if (element.clientHeight < 40) element.style.height = `${height}px`;
  const make = (name, style) => {
    const made = document.createElement(name);
    made.style.cssText = style;
    element.append(made);
    return made;
  };
  const filling = "position:absolute;inset:0;width:100%;height:100%;";
  const canvas = make("canvas", filling);
  canvas.setAttribute("aria-hidden", "true");
  const surface = make("canvas", filling + (draw ? "touch-action:none" : ""));
  surface.setAttribute("role", draw ? "application" : "img");
  surface.setAttribute("aria-label", label);
  if (draw) {
    surface.tabIndex = 0;
    surface.setAttribute("aria-roledescription", "spectrogram");
  }
  const notice = make(
    "div",
    "position:absolute;inset:20px 10px 24px 46px;display:none;place-content:center;" +
      "text-align:center;padding:1rem;pointer-events:none",
  );
  notice.setAttribute("role", "status");
  const live = make("div", HIDDEN);
  live.setAttribute("aria-live", "polite");
  return { canvas, surface, notice, live };
}

// Call `f` when light turns dark or back; returns what ends it.
export function onTheme(f) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", f);
  const classes = new MutationObserver(f);
  for (const node of [document.documentElement, document.body]) {
    classes.observe(node, { attributes: true, attributeFilter: ["class", "data-theme"] });
  }
  return () => {
    dark.removeEventListener("change", f);
    classes.disconnect();
  };
}

// Pixels of the plot as asked of the server: in steps, so that a scroll bar changes nothing.
export function sizeOf({ clientWidth, clientHeight }) {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const step = (value, least, most) => Math.min(Math.max(Math.ceil(value / 64) * 64, least), most);
  return {
    width: step((clientWidth - MARGIN.left - MARGIN.right) * ratio, 128, 2048),
    height: step((clientHeight - MARGIN.top - MARGIN.bottom) * ratio, 64, 512),
  };
}

// The frame of a window; what is not known before the picture is there is guessed.
export function frameOf(element, window, settings, shown) {
  const { clientWidth: width, clientHeight: height } = element;
  const span = viewOf(window, settings);
  if (shown && !window.duration_s) span.end_s = Math.min(span.end_s, shown.end_s);
  const top = (window.sample_rate ?? 0) / 2 || shown?.high_hz || 1000;
  const band = {
    low_hz: shown?.low_hz ?? settings.low_hz,
    high_hz: shown?.high_hz ?? Math.min(settings.high_hz ?? top, top),
    scale: shown?.scale ?? settings.scale,
  };
  if (band.high_hz <= band.low_hz) band.high_hz = band.low_hz + 1;
  const { left, top: above, right, bottom } = MARGIN;
  const inner = { left, top: above, width: width - left - right, height: height - above - bottom };
  return inner.width > 20 && inner.height > 20 ? new Frame(inner, span, band) : null;
}

// Draw the picture, or an empty plot without one, and its axes.
export function drawPicture(element, canvas, frame, { shown, settings, window }) {
  const ratio = devicePixelRatio || 1;
  const style = getComputedStyle(element);
  const ctx = prepare(canvas, element, style);
  if (shown) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(frame.left, frame.top, frame.width, frame.height);
    ctx.clip();
    ctx.imageSmoothingQuality = "high";
    const x = frame.x(shown.start_s);
    const wide = frame.x(shown.end_s) - x;
    ctx.drawImage(painted(shown, settings), x, frame.top, wide, frame.height);
    ctx.restore();
  } else {
    ctx.fillStyle = "rgba(128,128,128,0.15)";
    ctx.fillRect(frame.left, frame.top, frame.width, frame.height);
  }
  dim(ctx, frame, window, settings);
  drawAxes(ctx, frame, style.color, ratio);
}

// What lies around the window is there to help, not to be judged.
function dim(ctx, frame, window, settings) {
  const { left, right, top, height } = frame;
  const at = (seconds) => Math.min(Math.max(frame.x(seconds), left), right);
  const [first, last] = [at(window.start_s), at(window.end_s)];
  const bright = settings.colours.endsWith("inverted");
  ctx.fillStyle = bright ? "rgba(255,255,255,0.6)" : "rgba(8,10,16,0.5)";
  ctx.fillRect(left, top, first - left, height);
  ctx.fillRect(last, top, right - last, height);
  ctx.fillStyle = bright ? "rgba(0,0,0,0.8)" : "rgba(255,255,255,0.9)";
  if (first - left > 0.5) ctx.fillRect(first - 1, top, 1, height);
  if (right - last > 0.5) ctx.fillRect(last, top, 1, height);
}

// Draw boxes and cursor.
export function drawOver(element, canvas, frame, boxes, cursor) {
  const ctx = prepare(canvas, element, getComputedStyle(element));
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left - 5, frame.top - 5, frame.width + 10, frame.height + 10);
  ctx.clip();
  boxes.draw(ctx);
  ctx.restore();
  const x = frame.x(cursor);
  if (x < frame.left - 0.5 || x > frame.right + 0.5) return;
  ctx.fillStyle = "rgba(0,0,0,0.6)";
  ctx.fillRect(x - 1.5, frame.top, 3, frame.height);
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(x - 0.5, frame.top, 1, frame.height);
}

// Size a canvas to whole device pixels, cleared, drawn on in CSS pixels.
function prepare(canvas, { clientWidth: width, clientHeight: height }, style) {
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = `12px ${style.fontFamily || "sans-serif"}`;
  return ctx;
}

// Span, band and boxes in words.
export function viewText(label, frame, window, count) {
  const [first, second] = ticks(frame.start_s, frame.end_s, 6);
  const step = Math.min(second - first || 0.1, 0.1);
  const time = (seconds) => timeText(seconds, step);
  return (
    `${label}${window.name ? ` of ${window.name}` : ""}, ${time(window.start_s)} to ` +
    `${time(window.end_s)} seconds, ${hzText(frame.low_hz)} to ${hzText(frame.high_hz)}` +
    (count ? `, ${count} ${count === 1 ? "box" : "boxes"}` : "")
  );
}

// What happened to a box, in words.
export function boxText(event, { box, change }) {
  if (!box) return "No box selected";
  const what = { box: "Box added", boxselect: "Box selected", boxchange: `Box ${change}` }[event];
  const label = box.label ? ` ${box.label},` : "";
  const time = `${box.start_s.toFixed(2)} to ${box.end_s.toFixed(2)} seconds`;
  return `${what}:${label} ${time}, ${hzText(box.low_hz)} to ${hzText(box.high_hz)}`;
}

// Resolves after the next frame has been painted; at once where nothing is painted.
export function onScreen() {
  return new Promise((resolve) => {
    if (document.hidden) {
      resolve();
      return;
    }
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close();
        resolve();
      };
      channel.port2.postMessage(null);
    });
  });
}
