// What the microphone hears, sample by sample, as blocks of 16 kHz PCM16. Counts nothing: see recorder.js.

const LAST_BLOCK_MS = 500;
const GESTURES = ["pointerdown", "keydown"];

export class Capture {
  #context = null;
  #source = null;
  #node = null;

  /** `onBlock(pcm)` gets an Int16Array of at most 100 ms; `onHeld(held)` whether the browser holds the sound back. */
  constructor({ onBlock, onHeld }) {
    this.onBlock = onBlock;
    this.onHeld = onHeld;
  }

  get isRunning() {
    return this.#node !== null;
  }

  /** Loads what the audio thread runs, once: later starts need no server. */
  async prepare() {
    if (this.#context) return;
    const context = new AudioContext();
    await context.audioWorklet.addModule(new URL("./capture_worklet.js", import.meta.url));
    this.#context = context;
    context.onstatechange = () => this.#changed();
    for (const gesture of GESTURES) addEventListener(gesture, () => this.#wake());
  }

  async start(stream) {
    await this.prepare();
    this.#drop();
    const source = this.#context.createMediaStreamSource(stream); // throws where the stream is over by now
    const node = new AudioWorkletNode(this.#context, "sameday-capture", {
      channelCount: 1, channelCountMode: "explicit", numberOfInputs: 1, numberOfOutputs: 1,
    });
    node.port.onmessage = ({ data }) => { if (data) this.onBlock(data); };
    this.#node = node;
    this.#source = source;
    // Its output is silence; what is connected to nothing is not run in every browser.
    this.#source.connect(node).connect(this.#context.destination);
    this.#wake();
    this.#changed();
  }

  /** Stops, with the last block given out. */
  async stop() {
    const node = this.#node;
    if (!node) return;
    const last = new Promise((resolve) => {
      node.port.onmessage = ({ data }) => (data ? this.onBlock(data) : resolve());
      setTimeout(resolve, LAST_BLOCK_MS);
    });
    node.port.postMessage("stop");
    await last;
    if (this.#node === node) this.abandon();
  }

  /** Stops at once, for a page that goes away. */
  abandon() {
    this.#drop();
    this.#context?.suspend();
  }

  #drop() {
    if (!this.#node) return;
    this.#node.port.onmessage = null;
    this.#source.disconnect();
    this.#node.disconnect();
    this.#source = this.#node = null;
  }

  /** After a reload a browser may hold all sound back until the page is touched. */
  #wake() {
    if (this.isRunning && this.#context.state !== "running") this.#context.resume();
  }

  #changed() {
    if (this.isRunning) this.onHeld(this.#context.state !== "running");
  }
}
