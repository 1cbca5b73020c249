// The rows of the transcript: an utterance, a gap, and what is not final yet.

import { S } from "../strings.js";
import { R } from "../strings_recording.js";
import { button, h, icon, setAttribute, setHidden, setText } from "./dom.js";

export class UtteranceRow {
  #badge = h("span", { class: "badge", "aria-hidden": "true" });
  #name = h("span", { class: "name" });
  #time = h("span", { class: "time" });
  #said = h("p", { class: "said", dir: "auto" });
  #back;
  #correct;
  #actions;
  #pick = null;
  #label = "";
  #editor = null;
  #clip = null;

  constructor(entry, actions) {
    this.id = entry.id;
    this.#actions = actions;
    this.#correct = button(S.transcript.correct, () => actions.correcting(this.id), { kind: "quiet" });
    this.#back = h("div", { class: "utterance__back", hidden: true },
      button(S.transcript.back, () => actions.backToNote(), { icon: "up", kind: "small" }));
    this.element = h("li", { class: "utterance", tabindex: "-1", "data-utterance": entry.id },
      h("p", { class: "who" }, this.#badge, this.#name, this.#time), this.#said, this.#back, this.#correct);
  }

  render(entry) {
    setAttribute(this.element, "data-role", entry.role);
    setAttribute(this.element, "data-goes-on", entry.goesOn);
    setText(this.#name, entry.name);
    setText(this.#time, entry.time);
    setText(this.#said, entry.text);
    setAttribute(this.#correct, "aria-label", S.transcript.correctOf(entry.name, entry.time));
    this.#label = R.passage.pickOf(entry.name, entry.time);
    if (this.#pick) setAttribute(this.#pick, "aria-label", this.#label);
  }

  /** Whether it can be chosen to be struck, and is: by its button, or by a press anywhere on it. */
  choosable(open, chosen) {
    setAttribute(this.element, "data-chosen", open && chosen);
    if (open !== (this.#pick !== null)) this.#offerPick(open);
    if (!open) return;
    setHidden(this.#correct, true);
    setAttribute(this.#pick, "aria-pressed", String(chosen));
  }

  #offerPick(open) {
    if (!open) {
      this.#pick.remove();
      this.#pick = null;
      this.element.onclick = null;
      return;
    }
    this.#pick = h("button", { type: "button", class: "chip pick", "aria-label": this.#label }, icon("check"), R.passage.pick);
    this.element.append(this.#pick);
    this.element.onclick = ({ target }) => { if (!target.closest("a, button:not(.pick)")) this.#actions.pick(this.id); };
  }

  /** Whether the words can be corrected, and whether they are being corrected now. */
  async correctable(open, now) {
    setHidden(this.#correct, !open || now);
    if (now === (this.#editor !== null)) return;
    if (!now) {
      const had = this.#editor.element?.contains(document.activeElement);
      this.#editor.element?.remove();
      this.#editor = null;
      setHidden(this.#said, false);
      if (had || document.activeElement === document.body) this.#correct.focus();
      return;
    }
    this.#editor = {};
    const { correction } = await import("./correction.js");
    if (this.#editor === null) return;
    this.#editor = correction(this.#said.textContent, {
      save: (text) => this.#actions.correct(this.id, text), cancel: () => this.#actions.correcting(null),
    });
    setHidden(this.#said, true);
    this.#said.after(this.#editor.element);
    this.#editor.focus();
  }

  /** Whether a statement of the note rests on it, and whether it is the one that was asked for: then it can be heard. */
  mark(isEvidence, hasBack, session) {
    setAttribute(this.element, "data-evidence", isEvidence);
    setHidden(this.#back, !hasBack);
    if (hasBack && this.#clip === null) this.#offerClip(session);
    else if (!hasBack && this.#clip !== null) this.#dropClip();
  }

  async #offerClip(session) {
    this.#clip = {};
    const { Clip } = await import("./clip.js").catch(() => ({}));
    if (this.#clip === null || !Clip) return;
    this.#clip = new Clip(session, this.id, this.#said.textContent);
    this.#back.append(this.#clip.element);
  }

  #dropClip() {
    this.#clip.stop?.();
    this.#clip.element?.remove();
    this.#clip = null;
  }
}

export class GapRow {
  #text = h("span", { class: "gap__what" });
  #why = h("span", { class: "gap__why" });
  #icon = icon("gap");

  constructor() {
    this.element = h("li", { class: "gap" }, this.#icon, h("p", {}, this.#text, " ", this.#why));
  }

  render(entry) {
    setAttribute(this.element, "data-quiet", Boolean(entry.quiet));
    if (entry.quiet) this.#icon.remove();
    setText(this.#text, `${entry.text}.`);
    setText(this.#why, entry.why);
  }
}

export function partialRow() {
  return h("div", { class: "utterance utterance--partial" },
    h("p", { class: "who" }, h("span", { class: "badge", "aria-hidden": "true" }), h("span", { class: "name" }),
      h("span", { class: "time" }), h("span", { class: "tag" }, S.transcript.tentative)),
    h("p", { class: "said", dir: "auto" }, h("span", {}), " ", h("span", { class: "said__tentative" })));
}

export function renderPartial(row, partial) {
  const [who, said] = row.children;
  setAttribute(row, "data-role", partial.role);
  setText(who.children[1], partial.name);
  setText(who.children[2], partial.time);
  setText(said.children[0], partial.committed);
  setText(said.children[1], partial.tentative);
}
