// A spectrogram that can be heard, with boxes drawn on it.

import { Boxes } from "./boxes.js";
import {
  boxText, build, drawOver, drawPicture, frameOf, onScreen, onTheme, sizeOf, viewText,
} from "./drawing.js";
import { Listening } from "./listening.js";
import { painted, picture } from "./picture.js";
import { sound } from "./player.js";
import { audioUrl, pictureUrl, settled } from "./urls.js";

export { audioUrl, DEFAULTS, pictureUrl, thumbnailUrl } from "./urls.js";

const PLACE = ["recording", "channel", "start_s", "end_s"];
const BOX_EVENTS = ["box", "boxchange", "boxselect"];

export class SpectrogramView {
  // options: draw (whether boxes can be drawn and it takes the focus; true), label (what screen
  // readers call it), height (px, where the element has none).
  constructor(element, { draw = true, label = "Spectrogram", height = 320 } = {}) {
    this.element = element;
    this.can = { draw };
    this.label = label;
    this.settings = settled({});
    this.window = this.frame = this.shown = null;
    this.listeners = new Map();
    this.turn = 0;
    Object.assign(this, build(element, { draw, label, height }));
    this.held = new Boxes(this.surface, this);
    this.listening = new Listening(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(element);
    this.endTheme = onTheme(() => this.paint());
  }

  // Show a window: {recording, channel, start_s, end_s, sample_rate?, duration_s?, name?}; settings
  // (see DEFAULTS) that are not given stay. Another window than before has no boxes yet. Resolves
  // when it is on the screen: {ms, cached, error?, superseded?}; it does not reject.
  async show(window, settings = {}) {
    const called = performance.now();
    const turn = (this.turn += 1);
    const before = this.window;
    const heard = before && audioUrl(before, this.settings);
    this.settings = { ...this.settings, ...settings };
    this.window = { ...window };
    if (!before || PLACE.some((fact) => before[fact] !== window[fact])) {
      this.stop();
      this.listening.cursor = window.start_s;
      this.held.set([]);
      this.shown = null;
    } else if (audioUrl(window, this.settings) !== heard) {
      this.listening.again();
    }
    const entry = picture(pictureUrl(window, this.settings, sizeOf(this.element)));
    const cached = entry.value !== null;
    const done = (more = {}) => ({ ms: performance.now() - called, cached, ...more });
    let failure = null;
    if (cached) {
      this.shown = entry.value;
      this.say("");
      this.paint();
    } else {
      this.paint();
      const waiting = setTimeout(() => turn === this.turn && this.say("Loading…"), 200);
      const value = await entry.promise.catch((error) => void (failure = error));
      clearTimeout(waiting);
      if (turn !== this.turn) return done({ superseded: true });
      this.shown = value ?? null;
      this.say(failure ? failure.message : "");
      this.paint();
    }
    if (failure) {
      this.emit("error", { error: failure, window });
      return done({ error: failure });
    }
    sound(audioUrl(window, this.settings)).catch(() => {});
    await onScreen();
    const answer = done();
    if (turn !== this.turn) return { ...answer, superseded: true };
    this.emit("shown", { window, ...answer });
    return answer;
  }

  // Fetch the picture and the sound of a window that will be shown later.
  prefetch(window, settings = {}) {
    const wanted = { ...this.settings, ...settings };
    const seen = picture(pictureUrl(window, wanted, sizeOf(this.element))).promise;
    return Promise.allSettled([
      seen.then((made) => void painted(made, wanted)),
      sound(audioUrl(window, wanted)).then(() => undefined),
    ]);
  }

  // Show the same window with other settings.
  update(settings) {
    if (this.window) return this.show(this.window, settings);
    this.settings = { ...this.settings, ...settings };
    return Promise.resolve(null);
  }

  // What the picture on the screen was made with (window_s, low_hz, high_hz, unit, ...), or null.
  get facts() {
    if (!this.shown) return null;
    const { painted: _painted, levels: _levels, counts: _counts, ...facts } = this.shown;
    return facts;
  }

  resize() {
    if (!this.window) return;
    this.paint();
    clearTimeout(this.later);
    this.later = setTimeout(() => this.window && this.show(this.window), 250);
  }

  paint() {
    if (!this.window) return;
    this.frame = frameOf(this.element, this.window, this.settings, this.shown);
    if (!this.frame) return;
    drawPicture(this.element, this.canvas, this.frame, this);
    this.describe();
    this.redraw();
  }

  // Draw boxes and cursor again.
  redraw() {
    if (this.frame) drawOver(this.element, this.surface, this.frame, this.held, this.cursor);
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.style.display = text ? "grid" : "none";
  }

  describe() {
    if (!this.frame) return;
    const text = viewText(this.label, this.frame, this.window, this.held.items.length);
    if (this.surface.getAttribute("aria-label") !== text) this.surface.setAttribute("aria-label", text);
  }

  // Hearing. What is heard is the view, context included; play() ends with the window.

  get playing() {
    return this.listening.playing;
  }

  // Seconds within the recording.
  get cursor() {
    return this.listening.cursor;
  }

  // Play from the cursor, or a stretch: {from_s, until_s}.
  play(stretch) {
    return this.listening.play(stretch);
  }

  stop() {
    this.listening.stop();
  }

  toggle() {
    return this.playing ? this.stop() : this.play();
  }

  seek(seconds) {
    this.listening.seek(seconds);
  }

  get loop() {
    return this.listening.loop;
  }

  set loop(value) {
    this.listening.loop = Boolean(value);
    this.listening.again();
  }

  get rate() {
    return this.listening.rate;
  }

  // How fast it is played, 0.25 to 2; the pitch follows, as on a tape.
  set rate(value) {
    this.listening.setRate(value);
  }

  // Hear only a band, Hz; without arguments everything again.
  bandPass(low = null, high = null) {
    this.settings = { ...this.settings, hear_low_hz: low, hear_high_hz: high };
    this.listening.again();
  }

  // Boxes: {label, start_s, end_s, low_hz, high_hz}, seconds within the recording and Hz; copies.

  get boxes() {
    return this.held.items.map((box) => ({ ...box }));
  }

  set boxes(items) {
    this.held.set(items);
    this.paint();
  }

  // Label of boxes that are drawn from now on.
  set boxLabel(name) {
    this.held.label = name ?? "";
  }

  get selectedBox() {
    return this.held.selected;
  }

  selectBox(index) {
    this.held.select(index);
  }

  removeBox() {
    this.held.remove();
  }

  // A box in the middle of the window, to be moved by keys: nobody needs a mouse.
  addBox() {
    const { frame, window } = this;
    if (!frame) return;
    const seconds = (share) => window.start_s + share * (window.end_s - window.start_s);
    const hz = (share) => frame.hz(frame.bottom - share * frame.height);
    const sides = { start_s: seconds(0.4), end_s: seconds(0.6), low_hz: hz(0.35), high_hz: hz(0.65) };
    this.held.add({ label: this.held.label, ...sides });
    this.focus();
  }

  // Events: box, boxchange, boxselect, seek, shown, play, stop, error. Returns what ends it.
  on(event, f) {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event).add(f);
    return () => this.listeners.get(event)?.delete(f);
  }

  emit(event, detail) {
    if (BOX_EVENTS.includes(event)) {
      this.describe();
      this.live.textContent = boxText(event, detail);
    }
    for (const f of [...(this.listeners.get(event) ?? [])]) f(detail);
  }

  focus() {
    this.surface.focus();
  }

  destroy() {
    this.stop();
    this.turn += 1;
    clearTimeout(this.later);
    this.observer.disconnect();
    this.endTheme();
    this.listeners.clear();
    this.window = null;
    for (const node of [this.canvas, this.surface, this.notice, this.live]) node.remove();
  }
}
