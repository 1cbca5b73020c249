// The level of a stream, some times a second.

import { barValue, judge, kept, measure } from "./level.js";

const PERIOD_MS = 80;
const WINDOW = 4096; // samples: 85 ms at 48 kHz, so that no block between two looks goes unseen

export class Meter {
  #context = null;
  #timer = null;
  #blocks = [];

  /** `onLevel({value, verdict})`: the bar from 0 to 100, and the verdict of `judge` or "paused". */
  constructor(onLevel) {
    this.onLevel = onLevel;
  }

  start(stream) {
    this.stop();
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = WINDOW;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(WINDOW);
    // After a reload a browser may hold the context back until the page is touched; the recording is not affected.
    for (const gesture of GESTURES) addEventListener(gesture, this.#resume);
    this.#timer = setInterval(() => this.#look(analyser, samples), PERIOD_MS);
  }

  stop() {
    clearInterval(this.#timer);
    for (const gesture of GESTURES) removeEventListener(gesture, this.#resume);
    this.#context?.close();
    this.#context = null;
    this.#timer = null;
    this.#blocks = [];
  }

  #resume = () => {
    if (this.#context?.state === "suspended") this.#context.resume();
  };

  #look(analyser, samples) {
    if (this.#context.state !== "running") {
      this.#context.resume();
      this.onLevel({ value: 0, verdict: this.#blocks.length ? "paused" : "starting" });
      return;
    }
    analyser.getFloatTimeDomainData(samples);
    const block = { at: performance.now(), ...measure(samples) };
    this.#blocks = kept([...this.#blocks, block]);
    this.onLevel({ value: barValue(block.rmsDb), verdict: judge(this.#blocks) });
  }
}

const GESTURES = ["pointerdown", "keydown"];
