// Time spent on a clip, counted only while the page is looked at.

export class Clock {
  constructor() {
    this.clip = null;
    this.since = null;
    this.recent = [];
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.resume()));
  }

  // From now on the time is this clip's.
  of(clip) {
    this.pause();
    this.clip = clip;
    if (!document.hidden) this.resume();
  }

  pause() {
    if (this.clip && this.since !== null) this.clip.spent += (performance.now() - this.since) / 1000;
    this.since = null;
  }

  resume() {
    if (this.clip && this.since === null) this.since = performance.now();
  }

  // Seconds spent on the clip since it was last taken; it starts again from zero.
  take() {
    this.pause();
    const seconds = this.clip.spent;
    this.clip.spent = 0;
    this.resume();
    this.recent = [...this.recent.slice(-29), seconds];
    return Math.round(seconds * 1000) / 1000;
  }

  // Clips a minute over the last thirty, null before there are three.
  get pace() {
    const total = this.recent.reduce((sum, one) => sum + one, 0);
    return this.recent.length < 3 || total === 0 ? null : (60 * this.recent.length) / total;
  }
}
