// What is asked of the server for a window: its picture, its sound, its thumbnail.

export const DEFAULTS = {
  scale: "linear", // or "mel"
  low_hz: 0,
  high_hz: null, // null: up to half the sample rate
  pcen: false,
  window_s: null, // analysis window; null: chosen by the server
  context_s: 0, // shown to either side of the window
  colours: "viridis", // one of MAPS in colours.js
  contrast_low: 30, // percentiles of the levels
  contrast_high: 99.7,
  slow: 1, // time expansion of what is heard
  hear_low_hz: null, // band that is heard; null: all
  hear_high_hz: null,
  normalise: true,
};

const ULTRASOUND_HZ = 96_000;

// What suits a recording unless somebody chose otherwise: mel for what people hear; all of
// ultrasound, ten times slower.
export const suited = ({ sample_rate }) =>
  ((sample_rate ?? 0) > ULTRASOUND_HZ ? { scale: "linear", slow: 10 } : { scale: "mel", slow: 1 });

export const settled = (settings) => ({ ...DEFAULTS, ...settings });

// The span that is shown and heard: the window and what is around it, within the recording.
export function viewOf(window, settings) {
  const { context_s } = settled(settings);
  const end = window.end_s + context_s;
  return {
    start_s: Math.max(0, window.start_s - context_s),
    end_s: window.duration_s ? Math.min(end, window.duration_s) : end,
  };
}

export function pictureUrl(window, settings, size) {
  return address("spectrogram", window, { ...look(settings), ...viewOf(window, settings), ...size });
}

// For <img src>: the window alone, in colours.
export function thumbnailUrl(window, settings = {}, size = { width: 200, height: 100 }) {
  const { colours, contrast_low, contrast_high } = settled(settings);
  const { start_s, end_s } = window;
  const ends = { start_s, end_s, colours, contrast_low, contrast_high };
  return address("thumbnail", window, { ...look(settings), ...ends, ...size });
}

export function audioUrl(window, settings = {}) {
  const { slow, normalise, hear_low_hz, hear_high_hz } = settled(settings);
  const asked = { slow, normalise, low_hz: hear_low_hz, high_hz: hear_high_hz };
  return address("audio", window, { ...asked, ...viewOf(window, settings) });
}

function look(settings) {
  const { scale, low_hz, high_hz, pcen, window_s } = settled(settings);
  return { scale, low_hz, high_hz, pcen, window_s };
}

function address(what, window, asked) {
  const query = new URLSearchParams({ recording: window.recording, channel: window.channel ?? -1 });
  for (const [name, value] of Object.entries(asked)) {
    if (value !== null && value !== undefined) query.set(name, rounded(value));
  }
  return `${globalThis.antiphon?.root ?? ""}/api/media/${what}?${query}`;
}

// One window has one address, whatever way its times were added up.
function rounded(value) {
  return typeof value === "number" ? String(Math.round(value * 1e6) / 1e6) : String(value);
}
