// Signing a recap's note next to the recap: the same form, rules and route as for a session's note.

import { Api } from "../api.js";
import { S } from "../strings.js";
import { SignView } from "../view/review.js";
import { h, setHidden, setText } from "../view/dom.js";

export class SignBox {
  #api = new Api();
  #actions;
  #id = null;
  #version = 0;
  #view = new SignView({ sign: (given) => this.#sign(given) });
  #refused = h("p", { class: "field-error", role: "alert", hidden: true });

  /** `actions`: signed() is told once it is; problem(error) why it could not be. */
  constructor(actions) {
    this.#actions = actions;
    this.element = h("div", { class: "recap__sign" }, this.#refused, this.#view.element);
  }

  /** Shows what the note needs to be signed now; `reason` is why it is late, as far as that was said. */
  async render(recap, reason) {
    this.#id = recap.id;
    const [note, { session }] = await Promise.all([this.#api.note(recap.id), this.#api.get(recap.id)]);
    this.#version = note.version;
    setHidden(this.#refused, true);
    this.#view.late(reason);
    this.#view.render({ editor: null, session, clock: { nowMs: Date.now() } }, note);
  }

  async #sign(given) {
    try {
      await this.#api.sign(this.#id, { version: this.#version, ...given });
    } catch (error) {
      if (error.code !== "not_signable") return this.#actions.problem(error);
      setText(this.#refused, S.problems.not_signable.join(" "));
      return setHidden(this.#refused, false);
    }
    return this.#actions.signed();
  }
}
