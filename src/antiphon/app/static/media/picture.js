// Pictures of levels: fetched, decoded to one byte a point, coloured.

import { pixels } from "./colours.js";

const MOST = 40;
const kept = new Map();

// The answer's own sentence when the server refuses.
export async function fetched(url) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (response.ok) return response;
  let body = {};
  try {
    body = await response.json();
  } catch {
    // Not JSON: the status has to do.
  }
  const detail = typeof body.detail === "string" ? body.detail : null;
  throw new Error(body.error || detail || `The server answered ${response.status}.`);
}

// Return {promise, value}; `value` is there once it is loaded.
export function picture(url) {
  let entry = kept.get(url);
  if (entry) {
    kept.delete(url);
  } else {
    entry = { value: null };
    entry.promise = load(url).then(
      (value) => (entry.value = value),
      (error) => {
        if (kept.get(url) === entry) kept.delete(url);
        throw error;
      },
    );
    // Whoever shows it hears of the error; a prefetch need not.
    entry.promise.catch(() => {});
  }
  kept.set(url, entry);
  if (kept.size > MOST) kept.delete(kept.keys().next().value);
  return entry;
}

async function load(url) {
  const response = await fetched(url);
  const fact = (name) => Number(response.headers.get(name));
  const bitmap = await createImageBitmap(await response.blob(), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const { width, height } = bitmap;
  const ctx = surface(width, height).getContext("2d", { willReadFrequently: true });
  ctx.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = ctx.getImageData(0, 0, width, height).data;
  const levels = new Uint8Array(width * height);
  const counts = new Uint32Array(256);
  for (let i = 0; i < levels.length; i += 1) counts[(levels[i] = rgba[4 * i])] += 1;
  return {
    width,
    height,
    levels,
    counts,
    start_s: fact("X-Start-S"),
    end_s: fact("X-End-S"),
    low_hz: fact("X-Low-Hz"),
    high_hz: fact("X-High-Hz"),
    low: fact("X-Low-Db"),
    high: fact("X-High-Db"),
    unit: response.headers.get("X-Unit"),
    scale: response.headers.get("X-Scale"),
    window_s: fact("X-Window-S"),
    painted: null,
  };
}

function surface(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

function percentile(counts, total, percent) {
  let seen = 0;
  for (let value = 0; value < 256; value += 1) {
    seen += counts[value];
    if (seen >= (total * Math.min(percent, 100)) / 100) return value;
  }
  return 255;
}

// Return a canvas with the picture in colours; the last one of each picture is kept.
export function painted(made, { colours, contrast_low, contrast_high }) {
  const key = `${colours} ${contrast_low} ${contrast_high}`;
  if (made.painted?.key === key) return made.painted.canvas;
  const low = percentile(made.counts, made.levels.length, contrast_low);
  const high = percentile(made.counts, made.levels.length, contrast_high);
  const map = pixels(colours);
  const table = new Uint32Array(256);
  for (let value = 0; value < 256; value += 1) {
    const share = (value - low) / Math.max(high - low, 1);
    table[value] = map[Math.round(Math.min(Math.max(share, 0), 1) * 255)];
  }
  const canvas = made.painted?.canvas ?? surface(made.width, made.height);
  const image = new ImageData(made.width, made.height);
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < out.length; i += 1) out[i] = table[made.levels[i]];
  canvas.getContext("2d").putImageData(image, 0, 0);
  made.painted = { key, canvas };
  return canvas;
}
