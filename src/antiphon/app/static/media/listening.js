// Listening to a view: where the ear is, loop, speed, band.

import { Player, sound } from "./player.js";
import { audioUrl } from "./urls.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Listening {
  // `view` has window, settings, frame, emit(event, detail) and redraw().
  constructor(view) {
    this.view = view;
    this.player = new Player(() => this.ended());
    this.turn = 0;
    this.wanted = false; // from play() on, while the sound is still on its way
    this.cursor = 0;
    this.loop = false;
    this.rate = 1;
  }

  get playing() {
    return this.wanted;
  }

  // From the cursor to the window's end, or to the view's when the cursor is behind that.
  span(from_s, until_s) {
    const { window, frame } = this.view;
    const from = from_s ?? this.cursor;
    if (until_s !== undefined) return [from, until_s, from];
    const until = from >= window.end_s ? (frame?.end_s ?? window.end_s) : window.end_s;
    if (from >= until - 0.01 || Math.abs(from - window.end_s) < 0.01) {
      return [window.start_s, window.end_s, window.start_s];
    }
    return [from, until, from >= window.start_s && from < window.end_s ? window.start_s : from];
  }

  async play({ from_s, until_s } = {}) {
    const { window, settings } = this.view;
    if (!window) return;
    const turn = (this.turn += 1);
    this.wanted = true;
    const [from, until, again] = this.span(from_s, until_s);
    try {
      const made = await sound(audioUrl(window, settings));
      if (turn !== this.turn) return;
      const { loop, rate } = this;
      await this.player.play(made, { from_s: from, until_s: until, loop, loop_s: again, rate });
    } catch (error) {
      if (turn !== this.turn) return;
      this.wanted = false;
      this.view.emit("error", { error, window });
      return;
    }
    if (turn !== this.turn) {
      // Stopped while the sound card woke up.
      if (!this.wanted) this.player.stop();
      return;
    }
    if (!this.player.playing) {
      this.wanted = false;
      return;
    }
    this.rest = again;
    this.view.emit("play", { from_s: from, until_s: until, note: this.player.made.note });
    this.follow();
  }

  stop() {
    this.turn += 1;
    if (!this.wanted) return;
    this.wanted = false;
    this.halt();
    this.view.redraw();
    this.view.emit("stop", { time_s: this.cursor });
  }

  seek(seconds) {
    const { playing } = this;
    if (playing) this.stop();
    this.cursor = seconds;
    this.view.redraw();
    this.view.emit("seek", { time_s: seconds });
    if (playing) this.play();
  }

  setRate(value) {
    this.rate = Math.min(Math.max(Number(value) || 1, 0.25), 2);
    this.player.setRate(this.rate);
  }

  // Go on from here with other settings.
  again() {
    if (!this.wanted) return;
    this.halt();
    this.play();
  }

  halt() {
    if (!this.player.playing) return;
    this.cursor = this.player.position();
    this.player.stop();
  }

  follow() {
    cancelAnimationFrame(this.tick);
    let drawn = 0;
    const tick = (now) => {
      if (!this.player.playing) return;
      // With reduced motion the cursor steps four times a second.
      if (!still.matches || now - drawn >= 250) {
        drawn = now;
        this.cursor = this.player.position();
        this.view.redraw();
      }
      this.tick = requestAnimationFrame(tick);
    };
    this.tick = requestAnimationFrame(tick);
  }

  ended() {
    this.wanted = false;
    this.cursor = this.rest;
    this.view.redraw();
    this.view.emit("stop", { time_s: this.cursor });
  }
}
