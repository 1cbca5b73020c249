// One visit of the list, with its recap box and the note that comes of it.

import { noteAddress } from "../addresses.js";
import { button, focusOn, h, newId, setChildren, setHidden, setText } from "../view/dom.js";
import { field } from "./plan_box.js";
import { RecapNote } from "./recap_note.js";
import { W, day } from "./words.js";

export class VisitRow {
  #actions;
  #visit = null;
  #name = h("p", { class: "visit__name" });
  #when = h("p", { class: "hint" });
  #marks = h("ul", { class: "marks" });
  #open = button(W.recap, () => this.#toggle(), { "aria-expanded": "false" });
  #session = h("a", { class: "way" }, W.openSession);
  #text = h("textarea", { class: "recap__text", id: newId("recap"), rows: "4", maxlength: "20000" });
  #reason = h("input", { class: "select", id: newId("reason"), type: "text", maxlength: "500" });
  #error = h("p", { class: "field-error", id: newId("error") });
  #make = h("button", { class: "button button--primary", type: "submit" }, W.make);
  #dictate = button(W.dictate, () => this.#speak(), { icon: "microphone", kind: "small", "aria-pressed": "false" });
  #heard = h("p", { class: "hint dictation", "aria-live": "off" });
  #dictation = null;
  #late;
  #note;
  #box;

  constructor(actions) {
    this.#actions = actions;
    const hint = h("p", { class: "hint", id: newId("hint") }, W.recapHint);
    this.#text.setAttribute("aria-describedby", `${hint.id} ${this.#error.id}`);
    this.#late = field(W.lateReason, this.#reason);
    this.#note = new RecapNote({ answer: actions.answer, sign: () => actions.sign(this.#visit), signed: () => actions.signed(), problem: actions.problem });
    const form = h("form", { class: "recap__form", on: { submit: (event) => { event.preventDefault(); this.#write(); } } },
      h("p", { class: "field recap__field" }, h("label", { for: this.#text.id }, W.recapLabel), this.#text),
      h("div", { class: "recap__speak" }, this.#dictate, this.#heard), hint, this.#error, this.#late, this.#make);
    this.#box = h("div", { class: "recap", hidden: true, id: newId("box") }, form, this.#note.element);
    this.#open.setAttribute("aria-controls", this.#box.id);
    this.element = h("li", { class: "visit" },
      h("div", { class: "visit__head" }, h("div", { class: "visit__who" }, this.#name, this.#when, this.#marks),
        h("div", { class: "visit__do" }, this.#session, this.#open)), this.#box);
  }

  focus() {
    this.#open.focus();
  }

  render(visit) {
    this.#visit = visit;
    const name = visit.label || W.noLabel;
    setText(this.#name, name);
    setText(this.#when, [day(visit.date), W.age(visit.age_days), visit.cpt, visit.payer].filter(Boolean).join(" · "));
    setChildren(this.#marks, [visit.audit && W.audit, visit.risk && W.risk, W.states[visit.note]].filter(Boolean)
      .map((words) => h("li", { class: "mark", "data-mark": words }, words)));
    this.#open.setAttribute("aria-label", this.#box.hidden ? W.recapOf(name, day(visit.date)) : `${W.close}: ${W.recapFor(name)}`);
    setHidden(this.#late, visit.age_days === 0);
    const open = noteAddress(visit);
    setHidden(this.#session, !open);
    setText(this.#session, visit.session ? W.openSession : W.openNote);
    if (open) this.#session.href = open;
  }

  #toggle() {
    const show = this.#box.hidden;
    setHidden(this.#box, !show);
    this.#open.setAttribute("aria-expanded", String(show));
    setText(this.#open.lastChild, show ? W.close : W.recap);
    this.render(this.#visit);
    if (show) this.#text.focus();
    else this.#dictation?.stop();
  }

  /** Begins to write down what is said, or stops. */
  async #speak() {
    if (this.#dictation) return this.#dictation.stop();
    this.#dictation = { stop: () => {} }; // until it is there a second press does nothing
    this.#spoken(W.dictating, true);
    try {
      const { Dictation } = await import("./dictation.js");
      this.#dictation = new Dictation({
        onWords: (text) => this.#written(text),
        onPartial: (text) => setText(this.#heard, text || W.dictating),
        onEnd: (problem) => this.#ended(problem),
      });
      await this.#dictation.start();
    } catch (error) {
      this.#ended(error.code ? error : { code: "unreachable" });
    }
    return undefined;
  }

  #written(text) {
    const before = this.#text.value.trimEnd();
    this.#text.value = `${before ? `${before} ` : ""}${text}`.slice(0, this.#text.maxLength);
    this.#text.scrollTop = this.#text.scrollHeight;
  }

  #ended(problem) {
    this.#dictation = null;
    this.#spoken(problem === "lost" ? W.dictateLost : problem ? "" : W.dictated, false);
    if (problem && problem !== "lost") this.#actions.problem(problem);
  }

  #spoken(words, on) {
    setText(this.#heard, words);
    setText(this.#dictate.lastChild, on ? W.dictateStop : W.dictate);
    this.#dictate.setAttribute("aria-pressed", String(on));
  }

  async #write() {
    if (this.#make.getAttribute("aria-disabled") === "true") return;
    await this.#dictation?.stop(); // the last words belong to it
    const text = this.#text.value.trim();
    setText(this.#error, text ? "" : W.nothing);
    if (!text) return this.#text.focus();
    this.#busy(true);
    const made = await this.#actions.recap(this.#visit, text, this.#reason.value.trim());
    this.#busy(false);
    if (!made) return;
    this.#note.render(made, this.#reason.value.trim());
    focusOn(this.#note.title);
  }

  #busy(busy) {
    setText(this.#make, busy ? W.making : W.make);
    if (busy) this.#make.setAttribute("aria-disabled", "true");
    else this.#make.removeAttribute("aria-disabled");
  }
}
