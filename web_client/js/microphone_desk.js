// Opening, choosing and closing the microphone, with what the page knows of it.

import { remember } from "./memory.js";
import { Microphone } from "./microphone.js";
import { modeOf } from "./state.js";

export class MicrophoneDesk {
  #store;
  #recorder;

  /** `onProblem(error)` is told why it could not be opened, and null once it could. */
  constructor(store, recorder, onProblem) {
    this.#store = store;
    this.#recorder = recorder;
    this.onProblem = onProblem;
  }

  /** Starts or stops the check before a session. */
  async toggle() {
    const { status } = this.#store.state.microphone;
    if (status === "open") this.close();
    else if (status === "off") await this.open();
  }

  /** Opens it again the way that another mode wants it, where it is open. */
  async again() {
    if (this.#store.state.microphone.status === "open") await this.open();
  }

  /** Takes the device for the next opening; a check that runs goes on with it. */
  async choose(id) {
    this.#known({ chosen: id });
    remember({ device: id });
    if (this.#store.state.phase === "setup") await this.open(id);
  }

  /** Whether the microphone is open now; if not, the page says why. */
  async open(id = this.#store.state.microphone.chosen) {
    this.#known({ status: "opening" });
    try {
      await this.#recorder.open(id, modeOf(this.#store.state));
    } catch (error) {
      this.close();
      this.onProblem(error);
      return false;
    }
    this.onProblem(null);
    this.#known({ status: "open", chosen: this.#recorder.deviceId });
    await this.list();
    return true;
  }

  close() {
    this.#recorder.closeMicrophone();
    this.#known({ status: "off" });
    this.#store.dispatch({ type: "page/level", value: 0, verdict: "off" });
  }

  async list() {
    this.#known({ devices: await Microphone.devices() });
  }

  #known(microphone) {
    this.#store.dispatch({ type: "page/microphone", microphone });
  }
}
