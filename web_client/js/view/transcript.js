// The transcript: finished utterances and gaps in order of time, and below them what is not final yet.

import { isWritten, tentative, timeline } from "../selectors.js";
import { isSigned } from "../signed.js";
import { S } from "../strings.js";
import { R } from "../strings_recording.js";
import { button, focusOn, h, setAttribute, setChildren, setHidden, setText } from "./dom.js";
import { NOTHING, StrikeView, canStrike } from "./strike.js";
import { GapRow, UtteranceRow, partialRow, renderPartial } from "./transcript_rows.js";
import { VirtualList } from "./virtual_list.js";

const NEAR_PX = 120;
const MANY = 20; // from here on there is a box to search in

export class TranscriptView {
  head = h("div", { class: "transcript__head" });
  #list = h("ol", { class: "talk", "aria-label": S.transcript.title });
  #partials = h("div", { class: "partials" });
  #empty = h("p", { class: "hint" });
  #newest;
  #rows = new VirtualList(this.#list, (entry) => (entry.kind === "gap" ? new GapRow() : new UtteranceRow(entry, this.#actions)));
  #entries = [];
  #shown = [];
  #drawn = []; // what the rows in the page were chosen by
  #seen = 0; // counts what moves the window over the list
  #atEnd = true;
  #actions;
  #focused = null;
  #strike;
  #strikeWay;
  #choosing = false;
  #search = null;
  #searchLoad = null;

  constructor(actions, rolesElement) {
    this.#actions = { ...actions, pick: (id) => this.#strike.pick(id) };
    this.#strike = new StrikeView(actions);
    this.#strikeWay = button(R.passage.title, () => this.strike(), { icon: "strike", kind: "small", "aria-pressed": "false" });
    this.#newest = button(S.transcript.newest, () => this.#toEnd(), { icon: "down", kind: "float" });
    this.element = h("section", { class: "transcript", "aria-label": S.transcript.title, on: { keydown: (event) => this.#onKey(event) } },
      this.head,
      this.#empty, this.#list, this.#partials, this.#newest, this.#strike.element, this.#strike.dialog);
    this.head.append(h("div", { class: "transcript__line" }, h("h2", {}, S.transcript.title), this.#strikeWay), rolesElement);
    // Once there is a note the transcript may have a bar of its own: its scrolling is heard on the way down.
    addEventListener("scroll", () => this.#look(), { passive: true, capture: true });
    addEventListener("resize", () => this.#moved());
  }

  render(state) {
    this.#renderEntries(state);
    this.#renderPartials(state);
    this.#renderEvidence(state);
    this.#renderCorrecting(state);
    this.#renderStriking(state);
    const live = state.phase === "live";
    setHidden(this.#newest, !live || this.#atEnd);
    setHidden(this.#empty, this.#entries.length > 0 || !this.#partials.hidden);
    setText(this.#empty, isWritten(state) ? S.transcript.written : state.phase === "ended" ? S.transcript.none : S.transcript.empty);
  }

  #renderEntries(state) {
    const parts = [state.utterances, state.gaps, state.roles, state.session];
    if (!parts.every((part, index) => part === this.#shown[index])) {
      this.#shown = parts;
      this.#entries = timeline(state);
      if (this.#entries.length > MANY) this.#loadSearch();
      this.#search?.use(this.#entries);
    }
    const pinned = this.#pinned(state);
    const drawn = [this.#entries, this.#seen, [...pinned].join("\n")];
    if (drawn.every((part, index) => part === this.#drawn[index])) return;
    this.#drawn = drawn;
    const follow = state.phase === "live" && this.#isAtEnd();
    this.#rows.draw(this.#entries, { follow, pinned });
    this.#search?.show(this.#rows);
    if (follow) this.#toEnd();
  }

  /** Rows that stay in the page wherever the window is: what the focus is in, and what was asked for. */
  #pinned(state) {
    const focused = document.activeElement?.closest?.("[data-utterance]")?.dataset.utterance;
    return new Set([focused, state.correcting, state.evidence?.focus, this.#search?.now].filter(Boolean));
  }

  #loadSearch() {
    this.#searchLoad ??= import("./find_talk.js").then(({ FindTalk }) => {
      this.#search = new FindTalk((key) => this.#goTo(key));
      this.#search.use(this.#entries);
      this.head.after(this.#search.element);
    }, () => { this.#searchLoad = null; });
  }

  /** Brings a found row into sight; the focus stays in the box. */
  #goTo(key) {
    this.#moved();
    this.#rows.row(key)?.element.scrollIntoView({ block: "center", behavior: "instant" });
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
    for (const row of this.#rows.rows) row.mark?.(ids.has(row.id), state.evidence?.focus === row.id, state.session?.id);
    if (state.evidence === this.#focused) return;
    this.#focused = state.evidence;
    const row = state.evidence && this.#rows.row(state.evidence.focus);
    if (row) focusOn(row.element);
  }

  #renderCorrecting(state) {
    const open = state.recorder !== null && !isSigned(state.note);
    for (const row of this.#rows.rows) row.correctable?.(open, state.correcting === row.id);
  }

  /** Begins to choose what is struck, or leaves off. */
  strike() {
    if (!this.#strikeWay.hidden) this.#actions.striking(this.#choosing ? null : NOTHING);
  }

  focusStrike() {
    this.#strikeWay.focus();
  }

  #renderStriking(state) {
    const can = canStrike(state);
    this.#choosing = can && state.striking !== null;
    setHidden(this.#strikeWay, !can);
    setAttribute(this.#strikeWay, "aria-pressed", String(this.#choosing));
    setHidden(this.#strike.element, !this.#choosing);
    setAttribute(this.element, "data-striking", this.#choosing);
    const ids = this.#strike.render(state);
    for (const row of this.#rows.rows) row.choosable?.(this.#choosing, ids.has(row.id));
  }

  #onKey(event) {
    if (event.key === "Escape" && this.#choosing && !event.target.closest("dialog")) {
      this.#actions.striking(null);
      this.focusStrike();
    } else if (event.key === "Escape" && this.#focused) this.#actions.backToNote();
    else if (this.#choosing && ["ArrowDown", "ArrowUp"].includes(event.key)) this.#step(event);
  }

  /** From one passage's button to the next one's; with Shift it is chosen as well. */
  #step(event) {
    let row = event.target.closest(".utterance");
    if (!row || event.target.closest("input, textarea")) return;
    event.preventDefault();
    do row = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling; while (row && !row.dataset.utterance);
    if (!row) return;
    row.querySelector(".pick")?.focus();
    if (event.shiftKey) this.#strike.pick(row.dataset.utterance);
  }

  #isAtEnd() {
    return innerHeight + scrollY >= document.documentElement.scrollHeight - NEAR_PX;
  }

  #look() {
    const atEnd = this.#isAtEnd();
    if (this.#rows.isLong(this.#entries)) this.#seen += 1;
    else if (atEnd === this.#atEnd) return;
    this.#atEnd = atEnd;
    this.#actions.scrolled();
  }

  #moved() {
    this.#seen += 1;
    this.#actions.scrolled();
  }

  #toEnd() {
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    this.#atEnd = true;
  }
}
