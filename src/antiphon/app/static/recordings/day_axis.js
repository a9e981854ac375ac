// Where the recordings of a day lie, in pixels: by the clock, or end to end without the gaps.

const GAP_PX = 8;
const DAY_S = 86_400;
const STEPS_S = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600];

export class Axis {
  // recordings: [{id, start_time, duration_s}], in order; by: "clock" or "joined".
  constructor(recordings, by, scale) {
    this.by = by;
    this.scale = scale; // pixels for a second
    let x = 0;
    this.parts = recordings.map((recording) => {
      const begin_s = secondsOfDay(recording.start_time);
      const part = { recording, begin_s, width: recording.duration_s * scale };
      part.x = by === "clock" ? begin_s * scale : x;
      x += part.width + GAP_PX;
      return part;
    });
    const last = Math.max(0, ...this.parts.map((part) => part.x + part.width));
    this.width = by === "clock" ? Math.max(DAY_S * scale, last) : Math.max(0, x - GAP_PX);
  }

  // What a whole day takes at a scale that fits a width.
  static fit(recordings, by, width) {
    if (by === "clock") return width / DAY_S;
    const seconds = recordings.reduce((sum, one) => sum + one.duration_s, 0);
    return Math.max(0.25, (width - GAP_PX * recordings.length) / Math.max(seconds, 1));
  }

  visible(from, to) {
    return this.parts.filter((part) => part.x + part.width >= from && part.x <= to);
  }

  // The place on a recording that is nearest to a place.
  nearest(x) {
    const on = this.parts.map((part) => Math.min(Math.max(x, part.x), part.x + part.width));
    return on.reduce((best, one) => (Math.abs(one - x) < Math.abs(best - x) ? one : best), on[0] ?? x);
  }

  // Texts below the axis between two places.
  marks(from, to) {
    const made = [];
    if (this.by === "clock") {
      const step = STEPS_S.find((s) => s * this.scale >= 80) ?? 21_600;
      for (let s = Math.ceil(from / this.scale / step) * step; s <= Math.min(DAY_S, to / this.scale); s += step) {
        made.push({ x: s * this.scale, text: text(s, step) });
      }
      return made;
    }
    let free = -Infinity;
    for (const part of this.parts) {
      if (part.x < free) continue;
      if (part.x >= from - 100 && part.x <= to) made.push({ x: part.x, text: part.recording.start_time ? text(part.begin_s, 60) : "" });
      free = part.x + 56;
    }
    return made;
  }
}

export function secondsOfDay(iso) {
  if (!iso) return 0;
  const [hours, minutes, seconds] = iso.slice(11).split(":").map(Number);
  return 3600 * hours + 60 * minutes + seconds;
}

function text(seconds, step) {
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const short = `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}`;
  return step < 60 ? `${short}:${two(seconds % 60)}` : short;
}
