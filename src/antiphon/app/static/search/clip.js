// The example of a search: a clip from a file or the microphone, or a window of the project.

import { api } from "../frame/api.js";
import { h } from "../frame/dom.js";
import { audioUrl, suited, thumbnailUrl } from "../media/urls.js";
import { canRecord, Recorder } from "./recorder.js";

const WIDTH = 260;
const HEIGHT = 72;

export class Example {
  // options: limits {longest_clip_s, largest_clip_bytes}, changed() when there is another example.
  constructor({ limits, changed }) {
    this.limits = limits;
    this.changed = changed;
    this.window = null; // of the project
    this.file = null; // {blob, name, id, span, duration_s}
    this.input = h("input", { type: "file", accept: "audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff,.opus,.m4a",
      id: "clip-file", class: "visually-hidden", "aria-label": "Sound file", tabindex: "-1",
      onchange: () => this.input.files[0] && this.take(this.input.files[0], this.input.files[0].name) });
    this.record = h("button", { type: "button", class: "plain", onclick: () => this.#record() }, "● Record");
    this.record.hidden = !canRecord();
    this.drop = h("div", { class: "drop" },
      h("p", {}, "Drop a sound here"),
      h("div", { class: "drop-buttons" },
        h("button", { type: "button", class: "plain", onclick: () => this.input.click() }, "Choose a file"),
        this.record, this.input));
    this.shown = h("div", { class: "example", hidden: true });
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    this.element = h("div", { class: "example-box" }, this.drop, this.shown, this.said);
    for (const type of ["dragenter", "dragover"]) {
      document.addEventListener(type, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        this.drop.classList.add("over");
      });
    }
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.drop.classList.remove("over");
    });
    document.addEventListener("drop", (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      this.drop.classList.remove("over");
      this.take(file, file.name);
    });
  }

  get empty() {
    return !this.window && !this.file?.id;
  }

  // What the request for a search says of the example.
  get asked() {
    if (this.window) {
      const { recording, channel, start_s, end_s } = this.window;
      return { like: { recording, channel, start_s, end_s } };
    }
    return this.file?.id ? { clip: this.file.id } : {};
  }

  setWindow(window) {
    this.window = window;
    this.file = null;
    this.#show();
    this.changed();
  }

  // More about a window that is on show, known later.
  describe(window, facts) {
    if (this.window !== window) return;
    Object.assign(window, facts);
    this.#show();
  }

  clear() {
    this.window = this.file = null;
    this.input.value = "";
    this.tell("");
    this.#show();
    this.changed();
  }

  async take(blob, name) {
    if (blob.size > this.limits.largest_clip_bytes) {
      const most = Math.round(this.limits.largest_clip_bytes / 2 ** 20);
      this.tell(`The file is larger than ${most} MiB.`);
      return;
    }
    this.window = null;
    this.file = { blob, name, id: null, span: null };
    await this.#decode();
    const { duration_s } = this.file;
    if (duration_s > this.limits.longest_clip_s) this.file.span = [0, this.limits.longest_clip_s];
    this.#show();
    await this.send();
  }

  // Send the clip (again, when the server has lost it).
  async send() {
    const file = this.file;
    if (!file) return false;
    this.tell("Listening to the clip …");
    const query = file.span ? `?start_s=${file.span[0]}&end_s=${file.span[1]}` : "";
    try {
      const kept = await api("POST", `/search/clip${query}`, file.blob, { reads: true });
      if (this.file !== file) return false;
      Object.assign(file, { id: kept.clip, duration_s: kept.duration_s });
      const n = kept.windows;
      this.tell(`${n} ${n === 1 ? "window" : "windows"} of sound to search by.`);
      this.#show();
      this.changed();
      return true;
    } catch (error) {
      this.tell(error.message);
      return false;
    }
  }

  tell(words) {
    this.said.textContent = words;
  }

  async #decode() {
    try {
      const context = new OfflineAudioContext(1, 1, 48000);
      const audio = await context.decodeAudioData(await this.file.blob.arrayBuffer());
      this.file.duration_s = audio.duration;
      this.file.envelope = envelope(audio.getChannelData(0), WIDTH);
    } catch {
      // The server may know the format all the same; only the picture is missing.
      this.file.envelope = null;
    }
  }

  #show() {
    this.shown.hidden = !this.window && !this.file;
    this.drop.classList.toggle("small", !this.shown.hidden);
    if (this.window) this.shown.replaceChildren(...this.#windowParts());
    else if (this.file) this.shown.replaceChildren(...this.#fileParts());
    else this.shown.replaceChildren();
  }

  #windowParts() {
    const { name, start_s, end_s } = this.window;
    return [
      h("img", { src: thumbnailUrl(this.window, suited(this.window), { width: 2 * WIDTH, height: 200 }), alt: "Spectrogram of the example" }),
      h("p", { class: "name" }, name || `recording ${this.window.recording}`),
      h("p", { class: "dim" }, `${clock(start_s)} – ${clock(end_s)}`),
      h("audio", { controls: true, preload: "none", src: audioUrl(this.window, suited(this.window)) }),
      this.#away(),
    ];
  }

  #fileParts() {
    const { name, duration_s, blob } = this.file;
    const parts = [];
    if (this.file.envelope) parts.push(this.#wave());
    parts.push(h("p", { class: "name" }, name));
    if (duration_s) parts.push(h("p", { class: "dim" }, `${duration_s.toFixed(1)} s`), this.#spanInputs());
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(blob);
    parts.push(h("audio", { controls: true, src: this.url }), this.#away());
    return parts;
  }

  #away() {
    return h("button", { type: "button", class: "plain", onclick: () => this.clear() }, "Remove the example");
  }

  #spanInputs() {
    const [from, to] = this.file.span || [0, this.file.duration_s];
    const number = (value, words) =>
      h("input", { type: "number", min: "0", max: String(Math.ceil(this.file.duration_s)), step: "0.1",
        value: value.toFixed(1), "aria-label": words,
        onchange: () => this.#setSpan(Number(first.value), Number(last.value)) });
    const first = number(from, "Search by the clip from second");
    const last = number(to, "to second");
    return h("p", { class: "span" }, "from ", first, " to ", last, " s");
  }

  #setSpan(from, to) {
    if (!(from < to)) {
      this.tell("The span ends before it begins.");
      return;
    }
    this.file.span = [Math.max(0, from), to];
    this.#show();
    this.send();
  }

  // The clip's envelope; a drag marks the part that counts.
  #wave() {
    const canvas = h("canvas", { width: WIDTH, height: HEIGHT, class: "wave", role: "img",
      "aria-label": "Loudness of the clip; drag to mark the part that counts" });
    const seconds = (event) => {
      const box = canvas.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.file.duration_s;
    };
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      from = seconds(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (from !== null) this.#drawWave(canvas, [from, seconds(event)].sort((a, b) => a - b));
    });
    canvas.addEventListener("pointerup", (event) => {
      const [low, high] = [from, seconds(event)].sort((a, b) => a - b);
      from = null;
      if (high - low > 0.05) this.#setSpan(low, high);
      else this.#setSpan(0, this.file.duration_s);
    });
    this.#drawWave(canvas, this.file.span);
    return canvas;
  }

  #drawWave(canvas, span) {
    const pen = canvas.getContext("2d");
    const { envelope: loud, duration_s } = this.file;
    const [from, to] = (span || [0, duration_s]).map((s) => (s / duration_s) * WIDTH);
    const style = getComputedStyle(this.element);
    pen.clearRect(0, 0, WIDTH, HEIGHT);
    loud.forEach((peak, x) => {
      const inside = x >= from && x <= to;
      pen.fillStyle = style.getPropertyValue(inside ? "--accent" : "--line-strong");
      const tall = Math.max(1, peak * (HEIGHT - 4));
      pen.fillRect(x, (HEIGHT - tall) / 2, 1, tall);
    });
  }

  async #record() {
    if (this.recorder) {
      const recorder = this.recorder;
      this.recorder = null;
      this.record.textContent = "● Record";
      const blob = await recorder.stop();
      if (blob) await this.take(blob, "From the microphone");
      else this.tell("Nothing came from the microphone.");
      return;
    }
    const recorder = new Recorder();
    try {
      await recorder.start((peak, seconds) => {
        this.tell(`${"▮".repeat(1 + Math.round(9 * Math.sqrt(peak)))} ${seconds.toFixed(1)} s`);
        if (seconds >= this.limits.longest_clip_s && this.recorder) this.#record();
      });
    } catch (error) {
      this.tell(`The microphone cannot be used: ${error.message}`);
      return;
    }
    this.recorder = recorder;
    this.record.textContent = "■ Stop";
  }
}

// Peaks of so many equal parts, 0 to 1.
export function envelope(samples, parts) {
  const peaks = new Float32Array(parts);
  const step = samples.length / parts;
  for (let i = 0; i < parts; i++) {
    const end = Math.min(samples.length, Math.ceil((i + 1) * step));
    for (let k = Math.floor(i * step); k < end; k++) peaks[i] = Math.max(peaks[i], Math.abs(samples[k]));
  }
  const most = peaks.reduce((a, b) => Math.max(a, b), 1e-6);
  return peaks.map((peak) => peak / most);
}

export function clock(seconds) {
  const whole = Math.floor(seconds / 60);
  const rest = (seconds - 60 * whole).toFixed(1).padStart(4, "0");
  return `${whole}:${rest}`;
}
