// The note once the session is over: read, shown in a format, changed, signed, added to, copied.

import { knownFormat, withChart } from "./entered.js";
import { rememberFormat } from "./memory.js";
import { noteText } from "./note_text.js";
import { practice } from "./practice.js";
import { isReviewed } from "./review.js";
import { shownNote } from "./selectors.js";
import { S } from "./strings.js";
import { N } from "./strings_note.js";
import { D } from "./strings_details.js";
import { R } from "./strings_review.js";

export class NoteDesk {
  #store;
  #api;
  #page;
  #problem;
  #last = Promise.resolve(true); // the newest request

  constructor(store, api, page, problem) {
    this.#store = store;
    this.#api = api;
    this.#page = page;
    this.#problem = problem;
  }

  get #state() {
    return this.#store.state;
  }

  get #id() {
    return this.#state.session.id;
  }

  #dispatch(message) {
    this.#store.dispatch(message);
  }

  /** After a draft has come: how it stands under review, or else the format that was chosen here. */
  async drafted() {
    await this.load();
    if (!isReviewed(this.#state.note)) await this.#showFormat(knownFormat());
  }

  /** Reads the note as it stands. What the server does not hold under review is shown as it was drafted. */
  async load() {
    const note = await this.#api.note(this.#id).catch(() => null);
    if (isReviewed(note)) this.#dispatch({ type: "page/note", note });
  }

  async refresh() {
    if (this.#state.phase !== "ended" || !this.#state.note) return;
    const before = JSON.stringify(this.#state.note);
    this.#dispatch({ type: "page/note-stale" });
    const note = await this.#api.note(this.#id, isReviewed(this.#state.note) ? null : this.#state.note.format);
    if (JSON.stringify(note) === before) return;
    this.#dispatch({ type: "page/note", note });
    if (!isReviewed(note)) await this.#showFormat(this.#state.format);
  }

  async draftAgain() {
    try {
      const note = await this.#api.note(this.#id, this.#state.started?.format ?? "soap");
      this.#dispatch({ type: "page/note", note });
      await this.#showFormat(knownFormat());
    } catch (error) {
      this.#problem(error);
    }
  }

  // The format

  async chooseFormat(format) {
    rememberFormat(format);
    const { note } = this.#state;
    const shown = isReviewed(note)
      ? await this.#change({ format })
      : await this.#showFormat(format);
    if (shown) this.#page.say(N.note.formatShown(S.note.formatNames[format]));
  }

  /** Shows the note in a format; the session's own stays as it was drafted. Whether that is what is shown now. */
  async #showFormat(format) {
    const { note } = this.#state;
    if (!note || !format || isReviewed(note)) return false;
    this.#dispatch({ type: "page/format", format });
    if (format === note.format) return true;
    try {
      this.#dispatch({ type: "page/other-note", note: await this.#api.note(this.#id, format) });
    } catch (error) {
      if (this.#state.format === format) this.#dispatch({ type: "page/format", format: null });
      this.#problem(error);
    }
    return shownNote(this.#state)?.format === format;
  }

  // The review

  /** Opens an editor: {kind: "section" | "sentence" | "add", section, index}. */
  open(editor) {
    this.#dispatch({ type: "page/editor", editor });
    this.#page.render(this.#state); // at once: what is typed right after the press belongs in the field
  }

  cancel(editor) {
    this.#dispatch({ type: "page/editor", editor: null });
    this.#focusSection(editor.section);
  }

  /** Sends changes of one section; `said` is announced when they are kept. */
  async edit(section, changes, said) {
    const kept = await this.#change({ changes: changes.map((one) => ({ section, ...one })) });
    if (!kept) return;
    // Not where the clinician has gone on to write elsewhere.
    if (!this.#state.editor) this.#focusSection(section);
    this.#page.say(said);
  }

  /** Sends what is known beside the talk; the note's header, code and findings follow. */
  async details(given) {
    try {
      const { id, ...context } = await withChart(this.#store, this.#api, given);
      this.#dispatch({ type: "page/session", ...(await this.#api.setContext(this.#id, { client: id, ...context })) });
      await this.load();
      this.#problem(null);
      this.#page.say(D.saved);
    } catch (error) {
      this.#problem(error);
    }
  }

  /** Has one section drafted anew; what a person wrote stays. */
  async redraft(section) {
    const kept = await this.#send((version) => this.#api.redraft(this.#id, { version, section }));
    if (!kept) return;
    if (!this.#state.editor) this.#focusSection(section);
    this.#page.say(R.edit.redrafted(section));
  }

  /** The client's note before this one: {date, note}, or null where there is none. Raises ApiError. */
  async earlier() {
    const { client, started_at: started } = this.#state.session;
    if (!client) return null;
    const visits = await practice.visits({ client });
    const before = visits.filter((one) => one.session && one.session !== this.#id && one.start && Date.parse(one.start) < Date.parse(started));
    const last = before.at(-1);
    return last ? { date: last.date, note: await this.#api.note(last.session) } : null;
  }

  async sign(given) {
    if (!(await this.#send((version) => this.#api.sign(this.#id, { version, ...given })))) return;
    this.#page.render(this.#state);
    this.#page.focusNote();
    this.#page.say(R.sign.signed);
  }

  async cosign() {
    if (!(await this.#send((version) => this.#api.cosign(this.#id, { version })))) return;
    this.#page.render(this.#state);
    this.#page.focusNote();
    this.#page.say(R.cosign.given);
  }

  async sendBack(remark) {
    if (!(await this.#send((version) => this.#api.sendBack(this.#id, { version, remark })))) return false;
    this.#page.say(R.cosign.sentBack);
    return true;
  }

  async addend(given) {
    if (!(await this.#send((version) => this.#api.addend(this.#id, { version, ...given })))) return false;
    this.#page.say(R.addenda.added);
    return true;
  }

  /** What takes the focus is there once the page is drawn. */
  #focusSection(name) {
    this.#page.render(this.#state);
    this.#page.focusSection(name);
  }

  #change(body) {
    return this.#send((version) => this.#api.change(this.#id, { version, ...body }));
  }

  /** Whether the server took it. One request at a time, for each is made on the version that the one before left. */
  #send(request) {
    const { editor } = this.#state;
    this.#last = this.#last.then(() => this.#sent(request, editor));
    return this.#last;
  }

  /** The editor that it came from stays open until the server has it: what was typed is not lost. */
  async #sent(request, editor) {
    this.#dispatch({ type: "page/saving", saving: true });
    try {
      const note = await request(this.#state.note.version);
      if (this.#state.editor === editor) this.#dispatch({ type: "page/editor", editor: null });
      this.#dispatch({ type: "page/note", note });
      this.#problem(null);
      return true;
    } catch (error) {
      if (error.code === "conflict") await this.load();
      this.#problem(error);
      return false;
    } finally {
      this.#dispatch({ type: "page/saving", saving: false });
    }
  }

  async copy() {
    try {
      const note = shownNote(this.#state);
      const text = isReviewed(note) ? this.#api.noteText(this.#id) : Promise.resolve(noteText(note));
      await copied(text);
      this.#dispatch({ type: "page/copied", result: "done" });
      this.#page.say(N.note.copied);
    } catch {
      this.#dispatch({ type: "page/copied", result: "failed" });
      this.#page.say(N.note.copyFailed);
    }
  }
}

/** Puts a text that is still to come on the clipboard: the press of the key must not be over by then. */
async function copied(text) {
  if (typeof ClipboardItem === "function" && navigator.clipboard.write) {
    const blob = text.then((words) => new Blob([words], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  } else await navigator.clipboard.writeText(await text);
}
