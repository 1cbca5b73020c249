// The transcript: finished utterances and gaps in order of time, and below them what is not final yet.

import { tentative, timeline } from "../selectors.js";
import { isSigned } from "../signed.js";
import { S } from "../strings.js";
import { button, focusOn, h, icon, setAttribute, setChildren, setHidden, setText } from "./dom.js";

const NEAR_PX = 120;

export class TranscriptView {
  head = h("div", { class: "transcript__head" });
  #list = h("ol", { class: "talk", "aria-label": S.transcript.title });
  #partials = h("div", { class: "partials" });
  #empty = h("p", { class: "hint" });
  #newest;
  #rows = new Map();
  #shown = [];
  #atEnd = true;
  #actions;
  #focused = null;

  constructor(actions, rolesElement) {
    this.#actions = actions;
    this.#newest = button(S.transcript.newest, () => this.#toEnd(), { icon: "down", kind: "float" });
    this.element = h("section", { class: "transcript", "aria-label": S.transcript.title, on: { keydown: (event) => this.#onKey(event) } },
      this.head,
      this.#empty, this.#list, this.#partials, this.#newest);
    this.head.append(h("h2", {}, S.transcript.title), rolesElement);
    addEventListener("scroll", () => this.#look(), { passive: true });
  }

  render(state) {
    this.#renderEntries(state);
    this.#renderPartials(state);
    this.#renderEvidence(state);
    this.#renderCorrecting(state);
    const live = state.phase === "live";
    setHidden(this.#newest, !live || this.#atEnd);
    setHidden(this.#empty, this.#rows.size > 0 || !this.#partials.hidden);
    setText(this.#empty, state.phase === "ended" ? S.transcript.none : S.transcript.empty);
  }

  #renderEntries(state) {
    const parts = [state.utterances, state.gaps, state.roles, state.session];
    if (parts.every((part, index) => part === this.#shown[index])) return;
    this.#shown = parts;
    const rows = new Map();
    for (const entry of timeline(state)) {
      const row = this.#rows.get(entry.key) ?? (entry.kind === "gap" ? new GapRow() : new UtteranceRow(entry, this.#actions));
      row.render(entry);
      rows.set(entry.key, row);
    }
    const follow = state.phase === "live" && this.#isAtEnd();
    this.#rows = rows;
    setChildren(this.#list, [...rows.values()].map((row) => row.element));
    if (follow) this.#toEnd();
  }

  #renderPartials(state) {
    const partials = tentative(state);
    const follow = state.phase === "live" && this.#isAtEnd();
    const rows = partials.map((partial, index) => this.#partials.children[index] ?? partialRow());
    setChildren(this.#partials, rows);
    partials.forEach((partial, index) => renderPartial(rows[index], partial));
    setHidden(this.#partials, partials.length === 0);
    if (follow && partials.length) this.#toEnd();
  }

  #renderEvidence(state) {
    const ids = new Set(state.evidence?.ids ?? []);
    for (const row of this.#rows.values()) row.mark?.(ids.has(row.id), state.evidence?.focus === row.id);
    if (state.evidence === this.#focused) return;
    this.#focused = state.evidence;
    const row = state.evidence && this.#rows.get(state.evidence.focus);
    if (row) focusOn(row.element);
  }

  #renderCorrecting(state) {
    const open = state.recorder !== null && !isSigned(state.note);
    for (const row of this.#rows.values()) row.correctable?.(open, state.correcting === row.id);
  }

  #onKey(event) {
    if (event.key === "Escape" && this.#focused) this.#actions.backToNote();
  }

  #isAtEnd() {
    return innerHeight + scrollY >= document.documentElement.scrollHeight - NEAR_PX;
  }

  #look() {
    const atEnd = this.#isAtEnd();
    if (atEnd === this.#atEnd) return;
    this.#atEnd = atEnd;
    this.#actions.scrolled();
  }

  #toEnd() {
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    this.#atEnd = true;
  }
}

class UtteranceRow {
  #badge = h("span", { class: "badge", "aria-hidden": "true" });
  #name = h("span", { class: "name" });
  #time = h("span", { class: "time" });
  #said = h("p", { class: "said", dir: "auto" });
  #back;
  #correct;
  #actions;
  #editor = null;

  constructor(entry, actions) {
    this.id = entry.id;
    this.#actions = actions;
    this.#correct = button(S.transcript.correct, () => actions.correcting(this.id), { kind: "quiet" });
    this.#back = button(S.transcript.back, () => actions.backToNote(), { icon: "up", kind: "small" });
    this.element = h("li", { class: "utterance", tabindex: "-1", "data-utterance": entry.id },
      h("p", { class: "who" }, this.#badge, this.#name, this.#time), this.#said, this.#back, this.#correct);
    setHidden(this.#back, true);
  }

  render(entry) {
    setAttribute(this.element, "data-role", entry.role);
    setAttribute(this.element, "data-goes-on", entry.goesOn);
    setText(this.#name, entry.name);
    setText(this.#time, entry.time);
    setText(this.#said, entry.text);
    setAttribute(this.#correct, "aria-label", S.transcript.correctOf(entry.name, entry.time));
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

  mark(isEvidence, hasBack) {
    setAttribute(this.element, "data-evidence", isEvidence);
    setHidden(this.#back, !hasBack);
  }
}

class GapRow {
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

function partialRow() {
  return h("div", { class: "utterance utterance--partial" },
    h("p", { class: "who" }, h("span", { class: "badge", "aria-hidden": "true" }), h("span", { class: "name" }),
      h("span", { class: "time" }), h("span", { class: "tag" }, S.transcript.tentative)),
    h("p", { class: "said", dir: "auto" }, h("span", {}), " ", h("span", { class: "said__tentative" })));
}

function renderPartial(row, partial) {
  const [who, said] = row.children;
  setAttribute(row, "data-role", partial.role);
  setText(who.children[1], partial.name);
  setText(who.children[2], partial.time);
  setText(said.children[0], partial.committed);
  setText(said.children[1], partial.tentative);
}
