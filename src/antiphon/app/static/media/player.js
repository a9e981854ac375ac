// Playing a stretch of a recording with Web Audio, and where in it the ear is.

import { fetched } from "./picture.js";

const MOST_BYTES = 96 * 2 ** 20;
const RAMP_S = 0.005;
const kept = new Map();
let context = null;
let heard = null; // the player that is playing; there is one pair of ears

// Fetch and decode audio; {buffer, start_s, end_s, slow, note}.
export function sound(url) {
  let entry = kept.get(url);
  if (entry) {
    kept.delete(url);
  } else {
    entry = { bytes: 0 };
    entry.promise = load(url).then(
      (value) => {
        entry.bytes = 4 * value.buffer.length;
        trim();
        return value;
      },
      (error) => {
        if (kept.get(url) === entry) kept.delete(url);
        throw error;
      },
    );
    entry.promise.catch(() => {});
  }
  kept.set(url, entry);
  return entry.promise;
}

function trim() {
  let total = [...kept.values()].reduce((sum, entry) => sum + entry.bytes, 0);
  for (const [url, entry] of kept) {
    if (total <= MOST_BYTES || kept.size === 1) return;
    total -= entry.bytes;
    kept.delete(url);
  }
}

async function load(url) {
  const response = await fetched(url);
  const fact = (name) => Number(response.headers.get(name));
  // An offline context decodes before the person has touched the page.
  const decoder = new OfflineAudioContext(1, 1, 48000);
  return {
    start_s: fact("X-Start-S"),
    end_s: fact("X-End-S"),
    slow: fact("X-Slow") || 1,
    note: response.headers.get("X-Note") || "",
    buffer: await decoder.decodeAudioData(await response.arrayBuffer()),
  };
}

export class Player {
  constructor(onEnd) {
    this.onEnd = onEnd;
    this.node = null;
    this.rate = 1;
  }

  get playing() {
    return this.node !== null;
  }

  // Play from `from_s` to `until_s`; with `loop`, over and over from `loop_s` on.
  async play(made, { from_s, until_s, loop, loop_s, rate }) {
    this.stop();
    if (heard && heard !== this) heard.interrupt();
    heard = this;
    context ??= new AudioContext();
    if (context.state === "suspended") await context.resume();
    if (heard !== this || this.node) return;
    const at = (seconds) => Math.min(Math.max((seconds - made.start_s) * made.slow, 0), made.buffer.duration);
    const node = context.createBufferSource();
    const gain = context.createGain();
    node.buffer = made.buffer;
    node.playbackRate.value = this.rate = rate;
    node.connect(gain).connect(context.destination);
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.gain.linearRampToValueAtTime(1, context.currentTime + RAMP_S);
    this.node = node;
    this.gain = gain;
    this.made = made;
    this.loop = loop ? [at(loop_s), at(until_s)] : null;
    this.last = at(until_s);
    this.anchor = { time: context.currentTime, at: at(from_s) };
    node.onended = () => {
      if (this.node !== node) return;
      this.node = null;
      this.onEnd();
    };
    if (this.loop) {
      node.loop = true;
      [node.loopStart, node.loopEnd] = this.loop;
      node.start(0, this.anchor.at);
    } else {
      node.start(0, this.anchor.at, Math.max(this.last - this.anchor.at, 0));
    }
  }

  // Seconds within the recording of what comes out of the loudspeaker now.
  position() {
    const { made, anchor } = this;
    const late = context.outputLatency || 0;
    let at = anchor.at + Math.max(0, context.currentTime - late - anchor.time) * this.rate;
    if (this.loop && at > this.loop[1]) {
      const [first, last] = this.loop;
      at = first + ((at - first) % Math.max(last - first, 1e-6));
    }
    return made.start_s + Math.min(at, this.last) / made.slow;
  }

  setRate(rate) {
    if (this.node) {
      this.anchor = { time: context.currentTime, at: (this.position() - this.made.start_s) * this.made.slow };
      this.node.playbackRate.value = rate;
    }
    this.rate = rate;
  }

  stop() {
    const { node, gain } = this;
    this.node = null;
    if (!node) return;
    node.onended = null;
    gain.gain.cancelScheduledValues(context.currentTime);
    gain.gain.setTargetAtTime(0, context.currentTime, RAMP_S / 3);
    node.stop(context.currentTime + 2 * RAMP_S);
  }

  interrupt() {
    if (!this.node) return;
    this.stop();
    this.onEnd();
  }
}
