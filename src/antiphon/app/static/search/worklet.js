// Hands on what the microphone hears, block by block; it runs in the audio thread.

registerProcessor(
  "antiphon-recorder",
  class extends AudioWorkletProcessor {
    process(inputs) {
      if (inputs[0][0]) this.port.postMessage(inputs[0][0].slice());
      return true;
    }
  },
);
