// From the device's sample rate to another, in a stream: a windowed sinc for each phase that the two rates have.
// No clock and no drift: which moment an output sample stands for follows from its number alone.

const LOBES = 16; // on each side; costs 100 products a sample from 48 kHz, and keeps 7 kHz while 9 kHz is gone
const ROLL_OFF = 0.94;

export class Resampler {
  #step; // input samples from one output sample to the next, as a whole number of phases
  #phases;
  #half;
  #kernels;
  #held; // input that outputs still need; it begins `half` samples of silence before the first
  #length;
  #index = 0; // of the next output's place in `held`, in whole samples, and the phase behind it
  #phase = 0;

  constructor(from, to) {
    const shared = divisor(from, to);
    this.#phases = to / shared;
    this.#step = from / shared;
    const slower = Math.max(1, from / to);
    this.#half = Math.ceil(LOBES * slower);
    this.#kernels = kernels(this.#phases, this.#half, ROLL_OFF / slower);
    this.#held = new Float32Array(8 * this.#half + 4096);
    this.#length = this.#half;
    this.#index = this.#half;
  }

  /** Takes samples in and calls `emit` with each one that comes of them. */
  push(input, emit) {
    this.#take(input);
    while (this.#index + this.#half < this.#length) {
      const kernel = this.#kernels[this.#phase];
      const first = this.#index - this.#half + 1;
      let sum = 0;
      for (let tap = 0; tap < kernel.length; tap += 1) sum += kernel[tap] * this.#held[first + tap];
      emit(sum);
      const next = this.#phase + this.#step;
      this.#index += Math.floor(next / this.#phases);
      this.#phase = next % this.#phases;
    }
  }

  #take(input) {
    const spent = Math.max(0, Math.min(this.#length, this.#index - this.#half + 1));
    const needed = this.#length - spent + input.length;
    const target = needed > this.#held.length ? new Float32Array(2 * needed) : this.#held;
    target.set(this.#held.subarray(spent, this.#length));
    target.set(input, this.#length - spent);
    this.#held = target;
    this.#length = needed;
    this.#index -= spent;
  }
}

function kernels(phases, half, cutoff) {
  return Array.from({ length: phases }, (_, phase) => {
    const kernel = Float32Array.from({ length: 2 * half }, (__, tap) => {
      const x = tap - half + 1 - phase / phases;
      const window = Math.cos((Math.PI * x) / (2 * half)) ** 2;
      return Math.abs(x) >= half ? 0 : cutoff * sinc(cutoff * x) * window;
    });
    const sum = kernel.reduce((total, value) => total + value, 0);
    return kernel.map((value) => value / sum); // each phase passes a constant as it is: no hum of its own
  });
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
