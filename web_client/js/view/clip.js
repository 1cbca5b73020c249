// One utterance's sound, where the practice keeps it; else why there is none.

import { path, request } from "../api.js";
import { R } from "../strings_review.js";
import { button, h, setChildren, setText } from "./dom.js";

let playing = null; // one at a time

export class Clip {
  #session;
  #utterance;
  #button = button(R.clip.play, () => this.#toggle(), { kind: "small" });
  #words = h("p", { class: "hint", role: "status" });
  #audio = null;
  #address = null;
  element = h("div", { class: "clip" });

  constructor(session, utterance) {
    this.#session = session;
    this.#utterance = utterance;
    setChildren(this.element, [this.#words]);
    this.#fetch();
  }

  /** Asked for as soon as the words are shown: then the page can say at once whether they can be heard. */
  async #fetch() {
    try {
      const answer = await request(path(this.#session, `/utterances/${encodeURIComponent(this.#utterance)}/clip`));
      this.#address = URL.createObjectURL(await answer.blob());
      setChildren(this.element, [this.#button, this.#words]);
    } catch (error) {
      setText(this.#words, R.clip.none[error.code] ?? R.clip.failed);
    }
  }

  #toggle() {
    if (this.#audio) return this.#quiet();
    playing?.();
    playing = () => this.#quiet();
    this.#audio = new Audio(this.#address);
    this.#audio.onended = () => this.#quiet();
    setText(this.#button.lastChild, R.clip.stop);
    return this.#audio.play().catch(() => { this.#quiet(); setText(this.#words, R.clip.failed); });
  }

  #quiet() {
    this.#audio?.pause();
    this.#audio = null;
    playing = null;
    setText(this.#button.lastChild, R.clip.play);
  }

  /** The row is left: nothing of the sound stays in the page. */
  stop() {
    if (this.#audio) this.#quiet();
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = null;
  }
}
