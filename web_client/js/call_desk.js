// The second track of a session over a call: chosen, sent, and told of when it stops.

import { CallAudio } from "./call_audio.js";
import { Recorder } from "./recorder.js";

export class CallDesk {
  #store;
  #onProblem;
  #recorder;

  constructor(store, onProblem) {
    this.#store = store;
    this.#onProblem = onProblem;
    this.#recorder = new Recorder({
      source: CallAudio,
      apart: true,
      onMedia: (status) => this.#status(status),
      onLevel: () => {},
      onKept: () => {},
      onFatal: (error) => { if (error.code !== "session_over") onProblem(error); },
    });
  }

  get isOpen() {
    return this.#recorder.isOpen;
  }

  /** Lets the clinician choose the call's sound; whether it is heard now. */
  async choose() {
    try {
      await this.#recorder.open();
    } catch (error) {
      this.#status("off");
      this.#onProblem(error);
      return false;
    }
    this.#onProblem(null);
    this.#status("open");
    return true;
  }

  start(id, given) {
    return this.#recorder.start(id, given);
  }

  hold(off) {
    this.#recorder.hold(off);
  }

  discard() {
    return this.#recorder.discard();
  }

  get moment() {
    return this.#recorder.moment;
  }

  stop() {
    return this.#recorder.stop();
  }

  abandon() {
    this.#recorder.abandon();
  }

  #status(status) {
    this.#store.dispatch({ type: "page/call", status });
  }
}
