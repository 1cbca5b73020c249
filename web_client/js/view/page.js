// The page: which part is shown, where the focus goes, and the question before the end. All DOM writes start here.

import { draftFailed, isRecording } from "../selectors.js";
import { S } from "../strings.js";
import { Frame } from "../frame.js";
import { Announcer } from "./announcer.js";
import { Asked, keepingFocus } from "./asked.js";
import { button, focusOn, h, newId, setAttribute, setChildren, setText } from "./dom.js";
import { notice } from "./notice.js";
import { SetupView } from "./setup.js";

export class Page {
  #main = document.getElementById("main");
  #actions;
  #announcer = new Announcer();
  #problem = h("div", { class: "problem", role: "alert" });
  #failures = h("div", { class: "failures" });
  #body = h("div", { class: "body" });
  #setup;
  // What shows a session comes with the first one, or while the set-up is looked at: first paint waits for none of it.
  #session = false;
  #sessionLoad = null;
  #status;
  #transcript;
  #note = null; // the note's own view comes with the first note, or during the talk
  #noteBox = h("div", { class: "note-box" });
  #noteLoad = null;
  #tools = null; // the tools during a session come when one starts
  #toolsBox = h("div", { class: "tools-box" });
  #toolsLoad = null;
  #lost;
  #dialog;
  #title = h("h1", { class: "hidden", tabindex: "-1" }, S.live.title);
  #phase = null;
  #asked = new Asked();
  #shownProblem = null;
  #shownFailures = null;
  #receipt = null;
  #frame;

  constructor(actions) {
    this.#actions = { ...actions, showEvidence: actions.showEvidence };
    this.#setup = new SetupView(actions);
    this.#dialog = this.#endDialog();
    this.#lost = this.#lostPanel();
  }

  start() {
    this.#frame = new Frame("/", S.footer);
    this.#main.append(this.#problem, this.#failures, this.#body, this.#dialog, this.#announcer.element);
  }

  say(text) {
    this.#announcer.say(text);
  }

  /** Somebody asked for what comes next: the focus goes to it if they do nothing else until then. */
  asked() {
    this.#asked.ask();
  }

  focusMissing(index) {
    this.#setup.focusMissing(index);
  }

  /** The button that forgot the list is gone with it: the focus goes to the top of what is left. */
  forgotten() {
    this.#setup.focus();
    this.say(S.setup.forgotten);
  }

  focusOrigin(evidence) {
    this.#note?.focusOrigin(evidence);
  }

  focusSection(name) {
    this.#note?.focusSection(name);
  }

  focusNote() {
    this.#note?.focus();
  }

  /** The view of the note, which a page that has none yet does without: it is a fifth of all scripts. */
  async loadNote() {
    this.#noteLoad ??= import("./note.js").then(({ NoteView }) => {
      this.#note = new NoteView(this.#actions);
      this.#noteBox.append(this.#note.element);
    });
    return this.#noteLoad;
  }

  focusStrike() {
    this.#transcript?.focusStrike();
  }

  focusEnd() {
    this.#status?.focusEnd();
  }

  /** The views of a session; without them the page stays as it is until they are there. */
  loadSession() {
    this.#sessionLoad ??= Promise.all([import("./status.js"), import("./transcript.js")]).then(([{ RolesView, StatusView }, { TranscriptView }]) => {
      this.#status = new StatusView(this.#actions);
      this.roles = new RolesView(this.#actions);
      this.#transcript = new TranscriptView(this.#actions, this.roles.element);
      this.#session = true;
      this.#actions.scrolled();
    }).catch(() => { this.#sessionLoad = null; });
    return this.#sessionLoad;
  }

  render(state) {
    if (!this.#session && ["session", "note"].includes(PARTS[state.phase])) {
      this.#renderProblem(state);
      this.loadSession();
      return;
    }
    if (state.phase !== "deleted") this.#receipt = null;
    this.#renderPhase(state);
    this.#renderProblem(state);
    this.#renderFailures(state);
    if (state.phase === "setup" || state.phase === "starting") this.#setup.render(state);
    else if (state.phase === "deleted") this.#renderReceipt(state);
    else if (state.phase !== "lost") this.#renderSession(state);
    this.#renderDialog(state);
    this.#announcer.render(state);
    const title = state.phase === "live" && state.recorder && !isRecording(state) ? S.titles.notRecording : S.titles[state.phase];
    if (document.title !== (title ?? S.titles.setup)) document.title = title ?? S.titles.setup;
  }

  #loadTools() {
    this.#toolsLoad ??= import("./live_tools.js").then(({ LiveTools }) => {
      this.#tools = new LiveTools(this.#actions);
      this.#toolsBox.append(this.#tools.element);
      this.#actions.scrolled();
    }, () => { this.#toolsLoad = null; });
  }

  /** One key does it, where no field has the focus and no question is open. */
  key(name) {
    if (this.#dialog.open || document.querySelector("dialog[open]")) return;
    if (name === "s") this.#transcript?.strike();
    else this.#tools?.key(name);
  }

  #renderSession(state) {
    this.#status.render(state);
    this.roles.render(state);
    if (this.#tools) this.#tools.render(state);
    else if (state.phase === "live") this.#loadTools();
    setAttribute(document.body, "data-quiet", state.quiet);
    this.#transcript.render(state);
    if (state.phase === "ended") this.#renderNote(state);
  }

  #renderReceipt(state) {
    if (this.#receipt) return;
    this.#receipt = state.receipt;
    import("./deletion.js").then(({ receiptPanel }) => {
      setChildren(this.#body, [receiptPanel(state.receipt, () => this.#actions.newSession())]);
      focusOn(this.#body.querySelector("h1"));
    });
  }

  /** A module that did not come is asked for again with the next drawing. */
  #renderNote(state) {
    if (this.#note) return this.#note.render(state);
    this.loadNote().then(() => {
      this.#actions.scrolled();
      if (this.#asked.stands) this.#note.focus();
    }, () => { this.#noteLoad = null; });
  }

  #renderPhase(state) {
    const part = PARTS[state.phase];
    if (part === this.#phase) return;
    if (part !== "session") setAttribute(document.body, "data-quiet", null);
    const first = this.#phase === null;
    this.#phase = part;
    document.body.dataset.part = part;
    this.#frame.busy(part === "session");
    const lost = keepingFocus(this.#body, () => setChildren(this.#body, this.#parts(part)));
    // Next to the note the transcript scrolls by itself, which the keyboard must be able to do as well.
    if (this.#transcript) setAttribute(this.#transcript.element, "tabindex", part === "note" ? "0" : null);
    if (part === "setup") this.#setup.render(state);
    if (!first && (lost || this.#asked.stands)) this.#goTo(part);
  }

  /** To the beginning of what is shown now; a note whose view is not there yet takes the focus when it is. */
  #goTo(part) {
    scrollTo({ top: 0, behavior: "instant" });
    if (part === "setup") this.#setup.focus();
    else if (part === "note") this.#note?.focus();
    else if (part !== "deleted") focusOn(part === "lost" ? this.#lost.querySelector("h1") : this.#title);
  }

  #parts(part) {
    if (part === "setup") return [this.#setup.element];
    if (part === "lost") return [this.#lost];
    if (part === "deleted") return [];
    if (part === "note") {
      this.#transcript.head.append(this.#status.controls);
      return [this.#noteBox, this.#transcript.element];
    }
    return [this.#title, this.#status.element, this.#toolsBox, this.#transcript.element, this.#status.controls];
  }

  #renderProblem(state) {
    if (state.problem === this.#shownProblem) return;
    this.#shownProblem = state.problem;
    const { problem } = state;
    setChildren(this.#problem, problem
      ? [notice("bad", problem.message, problem.mend,
        h("p", {}, button(S.dismiss, () => this.#actions.dismiss(), { kind: "small" })))]
      : []);
    if (problem) this.#problem.scrollIntoView({ block: "nearest" });
  }

  #renderFailures(state) {
    if (state.failures === this.#shownFailures) return;
    this.#shownFailures = state.failures;
    const stages = [...new Set(state.failures.map((failure) => failure.stage))].filter((stage) => stage !== "draft" || !draftFailed(state) || state.note);
    setChildren(this.#failures, stages.map((stage) => {
      const codes = [...new Set(state.failures.filter((failure) => failure.stage === stage).map((failure) => failure.code))];
      return notice("busy", S.failures[stage] ?? S.failures.other, S.failures.code(codes.join(", ")));
    }));
  }

  #endDialog() {
    const title = newId("end");
    const body = newId("end");
    const keep = button(S.end.keep, () => this.#actions.cancelEnd(), { autofocus: true });
    const confirm = button(S.end.confirm, () => this.#actions.confirmEnd(), { icon: "end", kind: "end" });
    return h("dialog", { class: "dialog", "aria-labelledby": title, "aria-describedby": body,
      on: { cancel: (event) => { event.preventDefault(); this.#actions.cancelEnd(); } } },
      h("h2", { id: title }, S.end.title),
      h("div", { id: body }, h("p", {}, S.end.body), h("p", { class: "hint" }, S.end.warning)),
      h("div", { class: "dialog__buttons" }, keep, confirm));
  }

  #renderDialog(state) {
    if (state.confirmingEnd && !this.#dialog.open) this.#dialog.showModal();
    if (!state.confirmingEnd && this.#dialog.open) this.#dialog.close();
  }

  #lostPanel() {
    const [message, mend] = S.problems.unknown_session;
    return h("section", { class: "lost" }, h("h1", { tabindex: "-1" }, message), h("p", { class: "lead" }, mend),
      h("p", {}, button(S.note.another, () => this.#actions.newSession(), { icon: "plus", kind: "primary" })));
  }
}

const PARTS = { setup: "setup", starting: "setup", live: "session", ending: "session", ended: "note", lost: "lost", deleted: "deleted" };
