// The sections of the note: each statement with where it comes from and, while the note can be changed, what to do with it.

import { isToEnter, sourceName } from "../note_text.js";
import { asLines, attention, doubtfulWords, fromLines, isReviewed, promptsOf } from "../review.js";
import { speakerName } from "../selectors.js";
import { isSigned } from "../signed.js";
import { clock } from "../strings.js";
import { N } from "../strings_note.js";
import { R } from "../strings_review.js";
import { Editor } from "./editor.js";
import { focusOn, h, icon } from "./dom.js";

export class SectionsView {
  #actions;
  #origins = new Map(); // evidence key to the button that showed it
  #editor = null; // the open one: it outlives a new rendering of its section, with what was typed
  #drafts = true;
  #homes = new Map(); // section name to what takes the focus after a change

  constructor(actions) {
    this.#actions = actions;
  }

  /** The element that had the focus, by what it is, to give it back after a new rendering. */
  focused() {
    return document.activeElement?.dataset?.origin ?? null;
  }

  focus(origin) {
    const found = this.#origins.get(origin);
    if (found?.isConnected) found.focus();
    return Boolean(found?.isConnected);
  }

  focusSection(name) {
    const home = this.#homes.get(name);
    if (home?.isConnected) focusOn(home);
  }

  /** Moves to a statement, for the list of what to look at first. */
  focusStatement(section, index) {
    const found = this.#homes.get(section)?.closest(".section")?.querySelectorAll(".statement")[index];
    if (found) focusOn(found);
  }

  render(state, note) {
    this.#drafts = note.writer !== "recap"; // which is a person's own words: nobody drafts them again
    this.#origins.clear();
    this.#homes.clear();
    return (note.sections ?? []).map((section, at) => this.#section(state, note, section, at));
  }

  /** After the sections are in the page: an editor that has just been opened takes the focus. */
  settle(state) {
    this.#editor?.settle(state.saving);
  }

  #section(state, note, section, at) {
    const open = state.editor?.section === section.name ? state.editor : null;
    const changeable = isReviewed(note) && !isSigned(note);
    const title = h("h2", { tabindex: "-1" }, section.name);
    this.#homes.set(section.name, title);
    const edited = changeable && (note.edited ?? []).includes(section.name);
    const statements = section.statements ?? [];
    const list = statements.map((statement, index) =>
      // While one sentence of a section is written the others wait: their places would move under it.
      this.#statement(state, { section, statement, index, key: `${at}.${index}`, changeable, waits: open !== null }));
    return h("section", { class: "section", "aria-label": section.name },
      h("div", { class: "section__head" }, title,
        edited ? h("p", { class: "badge" }, icon("check"), h("span", {}, R.edit.edited)) : null,
        changeable && open?.kind !== "section" ? this.#act(R.edit.section, R.edit.sectionOf(section.name),
          () => this.#actions.edit({ kind: "section", section: section.name })) : null),
      open?.kind === "section"
        ? this.#edit(state, open, {
          label: R.edit.sectionLabel(section.name), hint: R.edit.sectionHint, text: asLines(section), rows: 8,
          save: (text) => this.#write(section, text),
        })
        : statements.length ? h("ul", { class: "statements" }, list) : h("p", { class: "hint" }, N.note.emptySection),
      changeable && open?.kind !== "section" ? this.#foot(state, section, open, edited) : null);
  }

  #foot(state, section, open, edited) {
    const { name } = section;
    if (open?.kind === "add") {
      return this.#edit(state, open, {
        label: R.edit.addLabel(name), hint: R.edit.addHint, text: "", rows: 2,
        save: (text) => this.#actions.change(name, fromLines(text).map((line) => ({ op: "add", text: line })), R.edit.saved(name)),
      });
    }
    return h("p", { class: "acts" },
      this.#act(R.edit.add, R.edit.addTo(name), () => this.#actions.edit({ kind: "add", section: name })),
      !this.#drafts || edited || (section.statements ?? []).every((one) => one.provenance === "chart") ? null : this.#act(R.edit.redraft, R.edit.redraftOf(name), () => this.#actions.redraft(name)),
      edited ? this.#act(R.edit.restore, R.edit.restoreOf(name),
        () => this.#actions.change(name, [{ op: "restore" }], R.edit.restored(name))) : null);
  }

  /** Lines that ask for something to be entered are not in the field, and stay until they are dropped. */
  #write(section, text) {
    const texts = [...fromLines(text), ...promptsOf(section)];
    this.#actions.change(section.name, [{ op: "write", texts }], R.edit.saved(section.name));
  }

  #statement(state, place) {
    const { section, statement, index, key, changeable, waits } = place;
    const supported = statement.supported !== false;
    const open = state.editor?.kind === "sentence" && state.editor.section === section.name && state.editor.index === index
      ? state.editor : null;
    const doubtful = changeable ? doubtfulWords(state, statement) : [];
    const toEnter = isToEnter(statement);
    return h("li", { class: "statement", "data-source": statement.provenance, "data-supported": String(supported), tabindex: "-1" },
      h("p", { class: "statement__text", dir: "auto" }, statement.text),
      supported ? null : h("p", { class: "statement__warning" }, icon("warning"), h("span", {}, N.note.unsupported)),
      doubtful.length ? h("p", { class: "statement__warning" }, icon("info"), h("span", {}, R.first.heard(doubtful))) : null,
      h("div", { class: "statement__foot" },
        h("p", { class: "statement__source" }, h("span", { class: "source" }, sourceName(statement)),
          this.evidence(state, statement.evidence ?? [], key)),
        changeable && !waits ? this.#choices(place, attention(state, statement)) : null),
      open
        ? this.#edit(state, open, {
          label: R.edit.sentenceLabel(section.name), hint: "", text: toEnter ? "" : statement.text, rows: 2,
          save: (text) => this.#actions.change(section.name,
            [{ op: "rewrite", index, text: fromLines(text).join(" ") }], R.edit.saved(section.name)),
        }) : null);
  }

  /** What can be done with a statement; what needs a decision comes first. */
  #choices({ section, statement, index }, kind) {
    const act = (words, run) => this.#act(words, R.edit.of(words, statement.text), run);
    const send = (op, said) => () => this.#actions.change(section.name, [{ op, index }], said);
    const write = () => this.#actions.edit({ kind: "sentence", section: section.name, index });
    const isPrompt = kind === "enter" && /\bto be entered\b/i.test(statement.text);
    const kept = { unsupported: R.edit.keep, suggested: R.edit.accept, enter: R.edit.confirm }[kind];
    return h("p", { class: "acts" },
      kept && !isPrompt ? act(kept, send("accept", R.edit.saved(section.name))) : null,
      act(kind === "enter" ? R.edit.enter : R.edit.sentence, write),
      act(R.edit.drop, send("drop", R.edit.dropped(section.name))));
  }

  #act(words, label, run) {
    return h("button", { type: "button", class: "act", "aria-label": label, "data-act": label, on: { click: run } }, words);
  }

  #edit(state, editor, given) {
    const same = this.#editor && this.#editor.is(editor);
    if (!same) {
      this.#editor = new Editor(editor, given, () => this.#actions.cancelEdit(editor));
    } else this.#editor.use(given);
    return this.#editor.element;
  }

  /** Forgets what was typed when nothing is being edited. */
  closed() {
    this.#editor = null;
  }

  /** Buttons to the utterances that a statement rests on. */
  evidence(state, ids, key) {
    const known = new Map(state.utterances.map((said) => [said.id, said]));
    return ids.map((id, index) => {
      const said = known.get(id);
      if (!said) return h("span", { class: "hint" }, N.note.evidenceMissing);
      const name = speakerName(state, said.speaker, said.role);
      const time = clock(said.start);
      const origin = `${key}.${index}`;
      const link = h("button", {
        type: "button", class: "evidence", "aria-label": N.note.showEvidence(name, time), "data-origin": origin,
        "data-evidence-of": id, on: { click: () => this.#actions.showEvidence({ ids, focus: id, origin }) },
      }, N.note.evidence(name, time));
      this.#origins.set(origin, link);
      return link;
    });
  }
}
