// What happens when: the only part that knows server, session, state and page at once.

import { Api, toProblem } from "./api.js";
import { singleKey } from "./defaults.js";
import { appointmentOf } from "./entered.js";
import { earlierSessions, forgetSessions, sessionInAddress, wishInAddress } from "./memory.js";
import { obstacle } from "./microphone.js";
import { Store } from "./store.js";
import { Page } from "./view/page.js";

const TICK_MS = 1000;

export class App {
  #api = new Api();
  #page = new Page(this.#actions());
  #store = new Store((state) => {
    this.#page.render(state);
    this.#running?.hold();
  });
  #running = null; // what records and follows a session: first paint does not wait for it
  #talkDesk = null;
  #recordingDesk = null;
  #desk = null;

  /** Who works at the note: comes with the first need of it. */
  async #note() {
    const { NoteDesk } = await import("./note_desk.js");
    this.#desk ??= new NoteDesk(this.#store, this.#api, this.#page, (error) => this.#problem(error));
    return this.#desk;
  }

  /** Who runs a session: fetched as soon as the page is drawn, and again with the next need of it where that failed. */
  async #session() {
    const { Running } = await import("./running.js");
    this.#running ??= new Running(this.#store, this.#api, this.#page, {
      problem: (error) => this.#problem(error),
      blocked: () => this.#problemIfBlocked(),
      drafted: () => this.#at((note) => note.drafted()),
      noteDesk: () => this.#note(),
      recording: (name) => this.#recording(name),
    });
    return this.#running;
  }

  /** Has the session's runner do something; at once where it is there already. */
  #run(work) {
    return this.#running ? work(this.#running) : this.#session().then(work, () => this.#problem({ code: "unreachable" }));
  }

  /** Changes what is recorded, by the name of its desk's method. */
  async #recording(name, ...given) {
    try {
      const { RecordingDesk } = await import("./recording_desk.js");
      this.#recordingDesk ??= new RecordingDesk(this.#store, this.#api, this.#page, (await this.#session()).parts);
      await this.#recordingDesk[name](...given);
    } catch (error) {
      this.#problem(error instanceof TypeError ? { code: "unreachable" } : error);
    }
    this.#running?.hold();
  }

  /** Does something to a session, by the name of its desk's method. */
  async #talk(name, ...given) {
    try {
      const { SessionDesk } = await import("./session_desk.js");
      this.#talkDesk ??= new SessionDesk(this.#store, this.#api, this.#page, () => this.#at((note) => note.refresh()));
      await this.#talkDesk[name](...given);
    } catch (error) {
      this.#problem(error instanceof TypeError ? { code: "unreachable" } : error);
    }
  }

  /** Does something at the note's desk; at once where it is there already. */
  #at(work) {
    return this.#desk ? work(this.#desk) : this.#note().then(work, () => this.#problem({ code: "unreachable" }));
  }

  start() {
    this.#page.start();
    this.#page.render(this.#state);
    setInterval(() => this.#dispatch({ type: "page/tick" }), TICK_MS);
    for (const name of ["online", "offline"]) {
      addEventListener(name, () => this.#dispatch({ type: "page/online", online: navigator.onLine }));
    }
    addEventListener("pagehide", () => this.#running?.abandon());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    addEventListener("beforeunload", (event) => { if (this.#mustNotLeave()) event.preventDefault(); });
    addEventListener("keydown", (event) => this.#page.key(this.#state.phase === "live" ? singleKey(event) : null));
    addEventListener("hashchange", () => location.reload());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#running?.microphone.list());
    const id = sessionInAddress();
    this.#listEarlier();
    this.#listCharts();
    this.#page.loadSession();
    this.#clearLeftovers(id);
    this.#run((running) => running.prepare());
    if (id) {
      this.#page.asked(); // whoever opens a session's address wants to be at it
      this.#run((running) => running.resume(id));
    } else {
      this.#problemIfBlocked();
      this.#grant(wishInAddress());
    }
  }

  get #state() {
    return this.#store.state;
  }

  #dispatch(message) {
    this.#store.dispatch(message);
  }

  #problem(error) {
    this.#dispatch({ type: "page/problem", problem: error ? toProblem(error) : null });
  }

  #problemIfBlocked() {
    const code = obstacle();
    if (code) this.#problem({ code });
    return code;
  }

  #mustNotLeave() {
    return (this.#state.phase === "live" && this.#state.recorder) || this.#state.endBlocked;
  }

  /** Does what a press asked for: what comes of it takes the focus, unless they do something else meanwhile. */
  #wanted(work) {
    this.#page.asked();
    return this.#run(work);
  }

  /** What the page's controls do. */
  #actions() {
    return {
      mode: (mode) => this.#setMode(mode),
      chooseCall: () => this.#run((running) => running.chooseCall()),
      people: (people) => this.#dispatch({ type: "page/people", people }),
      consent: (index, given) => this.#dispatch({ type: "page/consent", index, given }),
      how: (index, how) => this.#dispatch({ type: "page/how", index, how }),
      other: (index, who) => this.#dispatch({ type: "page/other", index, who }),
      check: () => this.#run(({ microphone }) => microphone.toggle()),
      chooseDevice: (id) => this.#run(({ microphone }) => microphone.choose(id)),
      begin: (details) => this.#wanted((running) => running.begin(details)),
      details: (given) => this.#at((note) => note.details(given)),
      recordHere: () => this.#run((running) => running.recordHere()),
      retryNow: () => this.#run((running) => running.retryNow()),
      correcting: (id) => this.#dispatch({ type: "page/correcting", id }),
      correct: (id, text) => this.#talk("correct", id, text),
      mark: () => this.#talk("mark"),
      observe: (observations) => this.#talk("observe", observations),
      recording: (name, ...given) => this.#recording(name, ...given),
      striking: (striking) => this.#dispatch({ type: "page/striking", striking }),
      ask: (what) => this.#dispatch({ type: "page/asking", what }),
      quiet: (quiet) => this.#dispatch({ type: "page/quiet", quiet }),
      swap: () => this.#talk("swap"),
      setRole: (speaker, role) => this.#talk("setRole", speaker, role),
      askEnd: () => this.#dispatch({ type: "page/confirm-end", open: true }),
      cancelEnd: () => this.#cancelEnd(),
      confirmEnd: () => this.#wanted((running) => running.end()),
      showEvidence: (evidence) => this.#dispatch({ type: "page/evidence", evidence }),
      backToNote: () => this.#backToNote(),
      chooseFormat: (format) => this.#at((note) => note.chooseFormat(format)),
      edit: (editor) => this.#at((note) => note.open(editor)),
      cancelEdit: (editor) => this.#at((note) => note.cancel(editor)),
      change: (section, changes, said) => this.#at((note) => note.edit(section, changes, said)),
      sign: (given) => this.#at((note) => note.sign(given)),
      cosign: () => this.#at((note) => note.cosign()),
      sendBack: (remark) => this.#at((note) => note.sendBack(remark)),
      addend: (given) => this.#at((note) => note.addend(given)),
      forget: () => this.#forget(),
      redraft: (section) => this.#at((note) => note.redraft(section)),
      earlier: () => this.#at((note) => note.earlier().catch((error) => { this.#problem(error); return undefined; })),
      copy: () => this.#at((note) => note.copy()),
      draftAgain: () => this.#at((note) => note.draftAgain()),
      newSession: () => this.#newSession(),
      dismiss: () => this.#problem(null),
      scrolled: () => this.#page.render(this.#state),
    };
  }

  // Before the session

  /** Fills the set-up in with an appointment or a client that the address names. */
  async #grant(wish) {
    if (!wish) return;
    try {
      this.#dispatch({ type: "page/appointment", appointment: await appointmentOf(wish) });
    } catch (error) {
      this.#problem(error);
    }
  }

  #setMode(mode) {
    if (mode === this.#state.setup.mode) return;
    this.#dispatch({ type: "page/mode", mode });
    this.#running?.microphone.again();
  }

  #listEarlier() {
    this.#dispatch({ type: "page/earlier", earlier: earlierSessions() });
  }

  /** Without them a session is held all the same. */
  async #listCharts() {
    const charts = await this.#api.charts().catch(() => []);
    this.#dispatch({ type: "page/charts", charts });
  }

  #forget() {
    forgetSessions();
    this.#listEarlier();
    this.#page.forgotten();
  }

  #cancelEnd() {
    this.#dispatch({ type: "page/confirm-end", open: false });
    this.#page.render(this.#state);
    this.#page.focusEnd();
  }

  // The note

  #backToNote() {
    const { evidence } = this.#state;
    this.#dispatch({ type: "page/evidence", evidence: null });
    this.#page.focusOrigin(evidence);
  }

  async #clearLeftovers(current) {
    const { clearLeftovers } = await import("./leftovers.js");
    if (await clearLeftovers(this.#api, current)) this.#problem({ code: "undelivered" });
  }

  async #newSession() {
    await this.#wanted((running) => running.leave());
    this.#listEarlier();
    this.#problemIfBlocked();
  }
}
