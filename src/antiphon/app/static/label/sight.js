// How a clip is shown and heard: what the person chose, kept between visits.

import { SpectrogramView } from "../media/spectrogram.js";
import { suited } from "../media/urls.js";
import { memory } from "../frame/dom.js";

const CONTRASTS = [[0, 100], [10, 99.9], [20, 99.8], [30, 99.7], [45, 99.5], [60, 99], [72, 98.5], [82, 98], [90, 97]];
const AROUND = [0, 0.25, 0.5, 1, 2, 4, 8];
const RATES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];
const START = {
  // Null: mel for what people hear, linear for ultrasound.
  scale: null, pcen: false, contrast: 3, around: 1, low_hz: 0, high_hz: null,
  colours: "viridis", loop: false, autoplay: false, slow: "auto",
};

export class Sight {
  constructor(element, say) {
    this.say = say;
    this.prefs = { ...START, ...memory.get("sight", {}) };
    this.view = new SpectrogramView(element, { label: "Clip" });
    this.view.loop = this.prefs.loop;
    // The band that is heard; of the visible band it stays, of a box it ends with the clip.
    this.band = null;
  }

  slowOf(window) {
    return this.prefs.slow === "auto" ? suited(window).slow : this.prefs.slow;
  }

  scaleOf(window) {
    return this.prefs.scale ?? suited(window).scale;
  }

  settings(window) {
    const { pcen, contrast, around, colours } = this.prefs;
    const nyquist = (window.sample_rate ?? 0) / 2 || Infinity;
    // A range meant for other recordings is not to leave this one without a picture.
    const low = this.prefs.low_hz < nyquist ? this.prefs.low_hz : 0;
    const high = this.prefs.high_hz && this.prefs.high_hz > low && this.prefs.high_hz < nyquist ? this.prefs.high_hz : null;
    const hears = this.band?.kind === "visible" ? [low || null, high] : this.band?.hz ?? [null, null];
    return {
      scale: this.scaleOf(window),
      pcen,
      colours,
      low_hz: low,
      high_hz: high,
      contrast_low: CONTRASTS[contrast][0],
      contrast_high: CONTRASTS[contrast][1],
      context_s: AROUND[around] * (window.end_s - window.start_s),
      slow: this.slowOf(window),
      hear_low_hz: hears[0],
      hear_high_hz: hears[1],
    };
  }

  async show(window) {
    if (this.band?.kind === "box") this.band = null;
    return this.view.show(window, this.settings(window));
  }

  prefetch(window) {
    return this.view.prefetch(window, this.settings(window));
  }

  change(prefs) {
    Object.assign(this.prefs, prefs);
    memory.set("sight", this.prefs);
    const { window } = this.view;
    return window ? this.view.update(this.settings(window)) : Promise.resolve(null);
  }

  contrast(step) {
    const contrast = clamp(this.prefs.contrast + step, CONTRASTS);
    this.say(`Contrast ${contrast + 1} of ${CONTRASTS.length}`);
    return this.change({ contrast });
  }

  around(step) {
    const around = clamp(this.prefs.around + step, AROUND);
    this.say(around ? `${AROUND[around]} clip lengths to either side` : "The clip alone");
    return this.change({ around });
  }

  speed(step) {
    const at = RATES.indexOf(this.view.rate);
    this.view.rate = RATES[clamp((at < 0 ? 3 : at) + step, RATES)];
    this.say(`Speed ${this.view.rate}`);
  }

  loop() {
    this.view.loop = !this.view.loop;
    this.prefs.loop = this.view.loop;
    memory.set("sight", this.prefs);
    this.say(this.view.loop ? "Loop on" : "Loop off");
  }

  // Hear the selected box's band, else the visible one; a second time everything again.
  hearBand() {
    const { view } = this;
    const box = view.boxes[view.selectedBox];
    const { low_hz: low, high_hz: high } = this.settings(view.window);
    if (this.band) {
      this.band = null;
      this.say("All frequencies are heard");
    } else if (box) {
      this.band = { kind: "box", hz: [box.low_hz, box.high_hz] };
      this.say(`Only ${hz(box.low_hz)} to ${hz(box.high_hz)} is heard`);
    } else if (low > 0 || high !== null) {
      this.band = { kind: "visible" };
      this.say("Only what is visible is heard");
    } else {
      this.say("All frequencies are visible: draw a box or set a range to hear a part");
      return;
    }
    const now = this.settings(view.window);
    view.bandPass(now.hear_low_hz, now.hear_high_hz);
  }
}

export const hz = (value) => (value >= 1000 ? `${+(value / 1000).toPrecision(3)} kHz` : `${Math.round(value)} Hz`);

const clamp = (index, list) => Math.min(Math.max(index, 0), list.length - 1);
