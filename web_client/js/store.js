// The one state, and who is told when it changes.

import { INITIAL, reduce } from "./state.js";

export class Store {
  #state = INITIAL;
  #queued = false;

  /** `render(state)` is called once for all messages of a moment. */
  constructor(render) {
    this.render = render;
  }

  get state() {
    return this.#state;
  }

  dispatch(message) {
    const next = reduce(this.#state, { at: Date.now(), ...message });
    if (next === this.#state) return;
    this.#state = next;
    if (this.#queued) return;
    this.#queued = true;
    // A replay of an hour is hundreds of messages at once and one drawing. Not on a frame: a hidden page has none,
    // and a screen reader or a test may still read it.
    setTimeout(() => {
      this.#queued = false;
      this.render(this.#state);
    }, 16);
  }
}
