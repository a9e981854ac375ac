// Axes of time and frequency: between seconds, Hz and pixels, and drawn.

const STEP_HZ = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / STEP_HZ;
const LOG_STEP = Math.log(6.4) / 27;

// Slaney's mel scale, as on the server.
export function toMel(hz) {
  return hz < BREAK_HZ ? hz / STEP_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

export function fromMel(mel) {
  return mel < BREAK_MEL ? mel * STEP_HZ : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}

// Where a span and a band lie in a rectangle of pixels.
export class Frame {
  constructor(rectangle, span, band) {
    Object.assign(this, rectangle, span, band);
    this.right = this.left + this.width;
    this.bottom = this.top + this.height;
    const warp = this.scale === "mel" ? toMel : (hz) => hz;
    this.warp = warp;
    this.unwarp = this.scale === "mel" ? fromMel : (value) => value;
    this.warped = [warp(this.low_hz), warp(this.high_hz)];
  }

  x(seconds) {
    return this.left + ((seconds - this.start_s) / (this.end_s - this.start_s)) * this.width;
  }

  y(hz) {
    const [low, high] = this.warped;
    return this.bottom - ((this.warp(hz) - low) / (high - low)) * this.height;
  }

  seconds(x) {
    return this.start_s + ((x - this.left) / this.width) * (this.end_s - this.start_s);
  }

  hz(y) {
    const [low, high] = this.warped;
    return this.unwarp(low + ((this.bottom - y) / this.height) * (high - low));
  }

  holds(x, y) {
    return x >= this.left && x <= this.right && y >= this.top && y <= this.bottom;
  }

  clampSeconds(value) {
    return Math.min(Math.max(value, this.start_s), this.end_s);
  }

  clampHz(value) {
    return Math.min(Math.max(value, this.low_hz), this.high_hz);
  }
}

// Round numbers in a range, about `count` of them.
export function ticks(low, high, count) {
  const step = roundStep((high - low) / Math.max(count, 1));
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(k * step);
  return found;
}

function roundStep(raw) {
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 5, 10].find((factor) => raw <= factor * power * (1 + 1e-9));
}

export function timeText(seconds, step) {
  const digits = Math.min(Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)), 6);
  if (seconds < 60) return seconds.toFixed(digits);
  const minutes = Math.floor(seconds / 60 + 1e-9);
  const rest = Math.max(0, seconds - 60 * minutes).toFixed(digits);
  const padded = rest.padStart(digits ? digits + 3 : 2, "0");
  if (minutes < 60) return `${minutes}:${padded}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${padded}`;
}

export function hzText(hz) {
  return hz >= 1000 ? `${+(hz / 1000).toPrecision(3)} kHz` : `${+hz.toPrecision(3)} Hz`;
}

// Frequencies to be named, at least `apart` pixels from each other.
export function hzTicks(frame, apart = 26) {
  const { low_hz: low, high_hz: high } = frame;
  if (frame.scale !== "mel") return ticks(low, high, Math.max(2, Math.floor(frame.height / 34)));
  const wanted = [low];
  const top = 10 ** Math.ceil(Math.log10(high));
  for (const factor of [1, 5, 2]) {
    for (let hz = top; hz >= 100; hz /= 10) {
      if (hz * factor > low && hz * factor <= high) wanted.push(hz * factor);
    }
  }
  const kept = [];
  for (const hz of wanted) {
    if (kept.every((other) => Math.abs(frame.y(other) - frame.y(hz)) >= apart)) kept.push(hz);
  }
  return kept.sort((a, b) => a - b);
}

// Draw both axes around a frame; lines lie on whole device pixels.
export function drawAxes(ctx, frame, colour, ratio) {
  const crisp = (value) => (Math.round(value * ratio) + 0.5) / ratio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 1 / ratio;
  ctx.beginPath();
  ctx.textBaseline = "top";
  ctx.textAlign = "center";
  const seconds = ticks(frame.start_s, frame.end_s, Math.max(2, frame.width / 90));
  const step = seconds.length > 1 ? seconds[1] - seconds[0] : frame.end_s - frame.start_s;
  for (const at of seconds) {
    const x = crisp(frame.x(at));
    ctx.moveTo(x, frame.bottom);
    ctx.lineTo(x, frame.bottom + 4);
    const text = timeText(at, step);
    const half = ctx.measureText(text).width / 2;
    ctx.fillText(text, Math.min(x, frame.right - half + 8), frame.bottom + 6);
  }
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  const kilo = frame.high_hz >= 2000;
  for (const hz of hzTicks(frame)) {
    const y = crisp(frame.y(hz));
    ctx.moveTo(frame.left - 4, y);
    ctx.lineTo(frame.left, y);
    ctx.fillText(String(+(kilo ? hz / 1000 : hz).toPrecision(4)), frame.left - 7, y);
  }
  ctx.stroke();
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillText(kilo ? "kHz" : "Hz", 4, 0);
  ctx.fillText("s", 4, frame.bottom + 6);
  ctx.restore();
}
