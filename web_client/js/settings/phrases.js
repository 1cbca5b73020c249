// The phrase library: found, changed, hidden, added to. All entries of the practice are sent together, by version.

import { practice } from "../practice.js";
import { P } from "../strings_pages.js";
import { button, h, setChildren, setHidden, setText } from "../view/dom.js";
import { Field, form } from "../view/fields.js";

const T = P.settings;
const SHOWN = 40;

export class PhrasesBox {
  #problems;
  #found = { version: 0, phrases: [], own: [], hidden: [] };
  #search = new Field(T.find, { type: "search" });
  #count = h("p", { class: "hint", role: "status" });
  #list = h("ul", { class: "phrases" });
  #editing = null; // the id of the phrase that is written, "" for a new one
  #field = {
    modality: new Field(T.modality, { maxlength: 60 }),
    kind: new Field(T.kind, { options: Object.entries(T.kinds) }),
    text: new Field(T.text, { rows: 3, maxlength: 600 }),
  };
  #editor;
  #add = button(T.add, () => this.#edit(null), { icon: "plus" });

  constructor(problems) {
    this.#problems = problems;
    this.#search.input.addEventListener("input", () => this.#draw());
    const { modality, kind, text } = this.#field;
    const send = form(T.save, () => this.#save(), h("div", { class: "pair" }, modality.element, kind.element), text.element);
    send.lastChild.append(" ", button(T.cancel, () => this.#close()));
    this.#editor = h("div", { class: "card", hidden: true }, send);
    this.element = h("section", { class: "part", "aria-label": T.phrases }, h("h2", {}, T.phrases), h("p", { class: "hint" }, T.phrasesLead),
      this.#search.element, h("p", {}, this.#add), this.#editor, this.#count, this.#list);
  }

  async load() {
    const found = await this.#problems.guard(() => practice.phrases());
    if (found) this.#take(found);
  }

  #take(found) {
    this.#found = found;
    this.#draw();
  }

  #draw() {
    const wanted = this.#search.value.toLocaleLowerCase();
    const all = [...this.#found.phrases.map((one) => ({ ...one, hidden: false })), ...this.#hidden()];
    const fits = all.filter((one) => `${one.modality} ${one.text}`.toLocaleLowerCase().includes(wanted));
    setText(this.#count, T.shown(Math.min(SHOWN, fits.length), all.length));
    setChildren(this.#list, fits.slice(0, SHOWN).map((one) => this.#row(one)));
  }

  /** What is hidden is not in the library that the server tells: only its id is known here. */
  #hidden() {
    return this.#found.hidden.map((id) => ({ id, modality: "", kind: "", text: id, hidden: true }));
  }

  #row(one) {
    const act = (words, run) => h("button", { type: "button", class: "act", "aria-label": T.actOf(words, one.text), on: { click: run } }, words);
    const acts = one.hidden ? [act(T.show, () => this.#put({ hidden: this.#found.hidden.filter((id) => id !== one.id) }))] : [
      act(T.edit, () => this.#edit(one)),
      one.own ? act(T.removeOwn, () => this.#put({ phrases: this.#found.own.filter((mine) => mine.id !== one.id) }))
        : act(T.hide, () => this.#put({ hidden: [...this.#found.hidden, one.id] }))];
    return h("li", { class: "phrase" }, h("p", { dir: "auto" }, one.text),
      h("p", { class: "hint" }, [one.modality, T.kinds[one.kind], one.own ? T.own : "", one.hidden ? T.hidden : ""].filter(Boolean).join(" · ")),
      h("p", { class: "acts" }, acts));
  }

  #edit(phrase) {
    this.#editing = phrase;
    this.#field.modality.value = phrase?.modality ?? "";
    this.#field.kind.input.value = phrase?.kind ?? "intervention";
    this.#field.text.value = phrase?.text ?? "";
    setHidden(this.#editor, false);
    this.#field.text.input.focus();
  }

  #close() {
    setHidden(this.#editor, true);
    this.#add.focus();
  }

  async #save() {
    const { modality, kind, text } = this.#field;
    if (!text.needs(T.missingText)) return;
    const id = this.#editing?.id ?? `own-${crypto.randomUUID().slice(0, 8)}`;
    const made = { id, modality: modality.value || "general", kind: kind.value, text: text.value, technique: this.#editing?.technique ?? "" };
    if (await this.#put({ phrases: [...this.#found.own.filter((one) => one.id !== id), made] })) this.#close();
  }

  async #put(change) {
    const { version, own: phrases, hidden } = this.#found;
    const kept = await this.#problems.guard(() => practice.putPhrases({ version, phrases, hidden, ...change }));
    if (!kept) return false;
    this.#take(kept);
    this.#problems.say(T.phraseSaved);
    return true;
  }
}
