// In the audio thread: the microphone's samples as blocks of 16 kHz PCM16.

import { Resampler } from "./resampler.js";

const RATE = 16_000;
const BLOCK = 1600; // 100 ms: short for who reads along, and ten messages a second

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #block = new Int16Array(BLOCK);
  #filled = 0;
  #over = false;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#over = true;
      this.#send();
      this.port.postMessage(null);
    };
  }

  process([[channel]]) {
    if (channel && !this.#over) this.#resampler.push(channel, this.#keep);
    return !this.#over;
  }

  #keep = (sample) => {
    this.#block[this.#filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
    this.#filled += 1;
    if (this.#filled === BLOCK) this.#send();
  };

  #send() {
    if (!this.#filled) return;
    const pcm = this.#block.slice(0, this.#filled);
    this.#filled = 0;
    this.port.postMessage(pcm, [pcm.buffer]);
  }
}

registerProcessor("sameday-capture", Capture);
