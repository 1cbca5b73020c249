// Striking any passage of the talk: the line that says what is chosen, and the question before it goes.

import { isSigned } from "../signed.js";
import { plural } from "../strings.js";
import { R } from "../strings_recording.js";
import { NOTHING, chosen, picked } from "../striking.js";
import { button, h, newId, setAttribute, setChildren, setText } from "./dom.js";

const QUOTED = 3; // so many of the passages stand in the question with their words
const X = R.passage;

/** Whether passages can be struck now: while it is recorded, and after it until the note is signed. */
export const canStrike = (state) => state.utterances.length > 0
  && (state.phase === "live" || (state.phase === "ended" && !isSigned(state.note) && (state.note !== null || state.failures.length > 0)));

export class StrikeView {
  #actions;
  #state = null;
  #words = h("p", { class: "strike__words", role: "status" });
  #strike;
  #dialog;
  #title = h("h2", { id: newId("strike") });
  #body = h("div", { id: newId("strike") });
  #confirm;
  #known = null;
  ids = new Set();

  /** `actions`: striking(what) chooses, or leaves with null; recording("strikePassage", span) strikes. */
  constructor(actions) {
    this.#actions = actions;
    this.#strike = button(X.strike, () => this.#ask(), { icon: "strike", kind: "end" });
    this.#confirm = button(R.strikeConfirm, () => this.#go(), { icon: "strike", kind: "end" });
    this.element = h("div", { class: "strike", role: "group", "aria-label": X.title }, this.#words,
      h("div", { class: "strike__acts" }, button(X.cancel, () => actions.striking(null)), this.#strike));
    this.#dialog = h("dialog", { class: "dialog", "aria-labelledby": this.#title.id, "aria-describedby": this.#body.id },
      this.#title, this.#body,
      h("div", { class: "dialog__buttons" }, button(R.keep, () => this.#dialog.close(), { autofocus: true }), this.#confirm));
    this.dialog = this.#dialog;
  }

  /** A press on a passage, or on its button. */
  pick(id) {
    this.#actions.striking(picked(this.#state, id));
  }

  /** The ids of the passages that would go. */
  render(state) {
    this.#state = state;
    const parts = [state.striking, state.utterances];
    if (this.#known?.every((part, at) => part === parts[at])) return this.ids;
    this.#known = parts;
    const span = chosen(state);
    this.ids = new Set(span?.said.map((one) => one.id));
    setText(this.#words, span ? X.span(spanWords(span), plural(span.said.length, ...X.counted)) : X.lead);
    setAttribute(this.#strike, "aria-disabled", span ? null : "true");
    if (!span && this.#dialog.open) this.#dialog.close();
    return this.ids;
  }

  #ask() {
    const span = chosen(this.#state);
    if (!span) return;
    const count = plural(span.said.length, ...X.counted);
    setText(this.#title, X.ask(count));
    const shown = span.said.length > QUOTED ? [span.said[0], span.said.at(-1)] : span.said;
    const quotes = shown.map((one) => h("p", { dir: "auto" }, one.text));
    if (span.said.length > QUOTED) quotes.splice(1, 0, h("p", { class: "hint" }, X.between(span.said.length - 2)));
    setChildren(this.#body, [h("p", {}, X.body(spanWords(span))), h("blockquote", { class: "strike__said" }, quotes),
      this.#state.phase === "ended" ? h("p", {}, X.note) : null, h("p", {}, X.final)].filter(Boolean));
    this.#dialog.showModal();
  }

  #go() {
    const span = chosen(this.#state);
    this.#dialog.close();
    if (span) this.#actions.recording("strikePassage", span);
  }
}

const spanWords = (span) => X.from(span.since, span.until);

export { NOTHING };
