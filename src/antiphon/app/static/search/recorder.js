// A clip from the microphone as a WAV file: made here, so that the server needs no codec.

export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode);

export class Recorder {
  // Resolves once sound comes in; onLevel is called with the peak of each block, 0 to 1.
  async start(onLevel = () => {}) {
    this.stream = await navigator.mediaDevices.getUserMedia({
      // Made for speech, these would take away what is to be found.
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
    this.blocks = [];
    this.node = new AudioWorkletNode(this.context, "antiphon-recorder", { numberOfOutputs: 0 });
    this.node.port.onmessage = ({ data }) => {
      this.blocks.push(data);
      onLevel(data.reduce((most, value) => Math.max(most, Math.abs(value)), 0), this.seconds);
    };
    this.context.createMediaStreamSource(this.stream).connect(this.node);
  }

  get seconds() {
    return this.blocks.reduce((sum, block) => sum + block.length, 0) / this.context.sampleRate;
  }

  // The recording as a WAV file; null if nothing came in.
  async stop() {
    for (const track of this.stream.getTracks()) track.stop();
    const rate = this.context.sampleRate;
    await this.context.close();
    const total = this.blocks.reduce((sum, block) => sum + block.length, 0);
    if (total === 0) return null;
    const samples = new Float32Array(total);
    let at = 0;
    for (const block of this.blocks) {
      samples.set(block, at);
      at += block.length;
    }
    return wav(samples, rate);
  }
}

// One channel of samples from -1 to 1 as a WAV file of 16 bit.
export function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, i) => {
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.min(1, Math.max(-1, value))), true);
  });
  return new Blob([view], { type: "audio/wav" });
}
