// What happens when: the only part that knows server, microphone, state and page at once.

import { Api, toProblem, tracksOf } from "./api.js";
import { backoff, pause } from "./backoff.js";
import { singleKey } from "./defaults.js";
import { appointmentOf, knownFormat, withChart } from "./entered.js";
import { EventFeed } from "./feed.js";
import { findSession } from "./finding.js";
import {
  addressOf, earlierSessions, forgetSessions, recall, remember, rememberSession, sessionInAddress, wishInAddress,
} from "./memory.js";
import { obstacle } from "./microphone.js";
import { MicrophoneDesk } from "./microphone_desk.js";
import { Recorder } from "./recorder.js";
import { elapsed, isComplete } from "./selectors.js";
import { ownTrack, participants, recordingOf } from "./state.js";
import { Store } from "./store.js";
import { Page } from "./view/page.js";
import { WakeLock } from "./wake_lock.js";

const TICK_MS = 1000;

export class App {
  #api = new Api();
  #wakeLock = new WakeLock();
  #feed = null;
  #ending = null;
  #page = new Page(this.#actions());
  #store = new Store((state) => {
    this.#page.render(state);
    this.#hold();
  });
  #recorder = new Recorder({
    onMedia: (status, retryAt) => this.#onMedia(status, retryAt),
    onLevel: (level) => this.#dispatch({ type: "page/level", ...level }),
    onKept: (kept) => this.#dispatch({ type: "page/kept", ...kept }),
    onFatal: (error) => this.#recordingRefused(error),
  });
  #microphone = new MicrophoneDesk(this.#store, this.#recorder, (error) => this.#problem(error));

  #desk = null;

  /** Who works at the note: comes with the first need of it. */
  async #note() {
    const { NoteDesk } = await import("./note_desk.js");
    this.#desk ??= new NoteDesk(this.#store, this.#api, this.#page, (error) => this.#problem(error));
    return this.#desk;
  }

  #call = null; // the second track's, over a call
  #talkDesk = null;
  #recordingDesk = null;
  /** What is off the record, or lacks a consent, is neither kept here nor sent. */
  #hold() {
    for (const one of [this.#recorder, this.#call]) one?.hold(recordingOf(this.#state) !== "on");
  }

  /** Changes what is recorded, by the name of its desk's method. */
  async #recording(name, ...given) {
    try {
      const { RecordingDesk } = await import("./recording_desk.js");
      const parts = { recorder: this.#recorder, call: () => this.#call, leave: () => { this.#wakeLock.stop(); this.#feed?.stop(); } };
      this.#recordingDesk ??= new RecordingDesk(this.#store, this.#api, this.#page, parts);
      await this.#recordingDesk[name](...given);
    } catch (error) {
      this.#problem(error instanceof TypeError ? { code: "unreachable" } : error);
    }
    this.#hold();
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
    addEventListener("pagehide", () => { this.#recorder.abandon(); this.#call?.abandon(); });
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    addEventListener("beforeunload", (event) => { if (this.#mustNotLeave()) event.preventDefault(); });
    addEventListener("keydown", (event) => this.#page.key(this.#state.phase === "live" ? singleKey(event) : null));
    addEventListener("hashchange", () => location.reload());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#microphone.list());
    const id = sessionInAddress();
    this.#listEarlier();
    this.#listCharts();
    this.#page.loadSession();
    this.#recorder.prepare().catch(() => {}); // it is asked for again when it is needed
    this.#clearLeftovers(id);
    if (id) this.#resume(id);
    else {
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

  /** What the page's controls do. */
  #actions() {
    return {
      mode: (mode) => this.#setMode(mode),
      chooseCall: () => this.#chooseCall(),
      people: (people) => this.#dispatch({ type: "page/people", people }),
      consent: (index, given) => this.#dispatch({ type: "page/consent", index, given }),
      how: (index, how) => this.#dispatch({ type: "page/how", index, how }),
      other: (index, who) => this.#dispatch({ type: "page/other", index, who }),
      check: () => this.#microphone.toggle(),
      chooseDevice: (id) => this.#microphone.choose(id),
      begin: (details) => this.#begin(details),
      details: (given) => this.#at((note) => note.details(given)),
      recordHere: () => this.#recordHere(),
      retryNow: () => this.#retryNow(),
      correcting: (id) => this.#dispatch({ type: "page/correcting", id }),
      correct: (id, text) => this.#talk("correct", id, text),
      mark: () => this.#talk("mark"),
      observe: (observations) => this.#talk("observe", observations),
      recording: (name, ...given) => this.#recording(name, ...given),
      ask: (what) => this.#dispatch({ type: "page/asking", what }),
      quiet: (quiet) => this.#dispatch({ type: "page/quiet", quiet }),
      swap: () => this.#talk("swap"),
      setRole: (speaker, role) => this.#talk("setRole", speaker, role),
      askEnd: () => this.#dispatch({ type: "page/confirm-end", open: true }),
      cancelEnd: () => this.#cancelEnd(),
      confirmEnd: () => this.#end(),
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

  async #begin(entered) {
    const { setup, phase } = this.#state;
    if (phase !== "setup") return;
    const names = participants(setup.people, setup.others);
    const missing = names.map((_, index) => index).filter((index) => !setup.consent[index]);
    this.#dispatch({ type: "page/missing", missing });
    if (missing.length) return this.#page.focusMissing(missing[0]);
    if (this.#problemIfBlocked()) return;
    if (setup.mode === "call" && !this.#call?.isOpen) return this.#problem({ code: "call_missing" });
    this.#dispatch({ type: "page/starting" });
    try {
      if (!this.#recorder.isOpen && !(await this.#microphone.open())) {
        return this.#dispatch({ type: "page/not-started" });
      }
      const { id: client, ...context } = await withChart(this.#store, this.#api, entered);
      const made = await this.#api.create(names.map((who, index) => ({ who, how: setup.how[index] ?? "spoken" })), tracksOf(setup), knownFormat(), { client, context, visit: this.#state.appointment?.id ?? null });
      history.replaceState(null, "", addressOf(made.session.id));
      remember({ id: made.session.id, recording: true, ending: false, device: this.#recorder.deviceId });
      rememberSession(made.session.id, made.session.started_at);
      this.#dispatch({ type: "page/session", ...made });
      this.#follow(made.session.id);
      await this.#record(made.session);
    } catch (error) {
      this.#dispatch({ type: "page/not-started" });
      this.#problem(error.code === "unreachable" ? { code: "unreachable_start" } : error);
    }
  }

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
    this.#microphone.again();
  }

  /** The other side's sound; while a session runs it goes on with it. */
  async #chooseCall() {
    const { CallDesk } = await import("./call_desk.js");
    this.#call ??= new CallDesk(this.#store, (error) => this.#problem(error));
    if (!(await this.#call.choose())) return;
    if (this.#state.phase === "live" && this.#state.recorder) this.#recordCall(this.#state.session);
  }

  #recordCall(session) {
    const other = session.tracks.find((one) => one.role === "client");
    this.#hold();
    if (other && this.#call?.isOpen) this.#call.start(session.id, this.#way(other.id));
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

  // The session

  /** Finds a session again by its id: after a reload, or when the address was opened in another window. */
  async #resume(id) {
    const found = await findSession(this.#api, id, (error) => this.#problem(error));
    if (found === "unknown") return this.#dispatch({ type: "page/unknown-session" });
    if (!found) return;
    const known = recall();
    const mine = known.id === id;
    this.#dispatch({ type: "page/session", ...found, replay: true });
    this.#follow(id);
    if (found.session.state !== "live" || !mine) return;
    if (known.off) this.#dispatch({ type: "page/off-here", off: true });
    if (known.ending) await this.#endWhatIsKept(found.session);
    else if (known.recording) await this.#recordHere(known.device);
  }

  /** The end was asked for before the reload: what this device still has of the session goes to the server first. */
  async #endWhatIsKept({ id, tracks }) {
    this.#dispatch({ type: "page/ending" });
    await this.#recorder.connect(id, { track: ownTrack({ tracks }), onlyKept: true });
    this.#end();
  }

  async #clearLeftovers(current) {
    const { clearLeftovers } = await import("./leftovers.js");
    if (await clearLeftovers(this.#api, current)) this.#problem({ code: "undelivered" });
  }

  #follow(id) {
    this.#feed = new EventFeed(id, {
      after: () => this.#state.sequence,
      complete: () => isComplete(this.#state),
      expectsLag: () => this.#state.phase === "live",
      onMessage: (text) => this.#onEvent(text),
      onSilence: () => this.#onSilence(id),
      onStatus: (status, retryAt) => {
        if (status === "unknown") this.#sessionGone();
        else this.#dispatch({ type: "page/feed", status, retryAt });
      },
    });
    this.#feed.start();
  }

  #onEvent(text) {
    const { phase: before, note } = this.#state;
    try {
      this.#dispatch(JSON.parse(text));
    } catch {
      this.#problem({ code: "bad_message" });
    }
    if (before !== "ended" && this.#state.phase === "ended") this.#stopRecording();
    if (this.#state.note !== note) this.#at((note) => note.drafted());
  }

  /** The log is at its end without an end or a note: the server was stopped in the middle, or something failed. */
  async #onSilence(id) {
    const found = await this.#api.get(id).catch(() => null);
    if (!found || found.session.state === "live" || found.session.state === "ending") return;
    this.#dispatch({ type: "page/log-over" });
    await this.#stopRecording();
  }

  #onMedia(status, retryAt) {
    this.#dispatch({ type: "page/media", status, retryAt });
    if (this.#state.phase === "ending" && status !== "stopped") {
      this.#dispatch({ type: "page/end-blocked", blocked: status === "retrying" });
    }
    if (status !== "replaced") return;
    this.#dispatch({ type: "page/recorder", recorder: false });
    remember({ recording: false });
    this.#wakeLock.stop();
  }

  /** Makes this window the one that records. */
  async #recordHere(deviceId) {
    const { session } = this.#state;
    this.#dispatch({ type: "page/recorder", recorder: true });
    this.#dispatch({ type: "page/media", status: "opening" });
    if (!(await this.#microphone.open(deviceId))) {
      this.#dispatch({ type: "page/recorder", recorder: false });
      return this.#dispatch({ type: "page/media", status: "stopped" });
    }
    // It may have ended while the browser asked for the microphone.
    if (this.#state.phase !== "live") return this.#microphone.close();
    remember({ id: session.id, recording: true, ending: false, device: this.#recorder.deviceId });
    await this.#record(session);
    if (recall().off) this.#recording("goOff"); // the server was not told before the reload
  }

  async #record(session) {
    // What the note will need is fetched while there is time, and in case there is no network at the end.
    this.#page.loadNote().catch(() => {});
    this.#note().catch(() => {});
    import("./session_desk.js").catch(() => {});
    this.#dispatch({ type: "page/recorder", recorder: true });
    this.#wakeLock.start();
    await this.#recorder.start(session.id, this.#way(ownTrack(session)));
    this.#recordCall(session);
  }

  #way = (track) => ({ track, elapsedS: elapsed(this.#state) ?? 0 });

  async #stopRecording() {
    this.#wakeLock.stop();
    remember({ recording: false });
    await Promise.all([this.#recorder.stop(), this.#call?.stop()]);
  }

  #recordingRefused(error) {
    this.#dispatch({ type: "page/recorder", recorder: false });
    remember({ recording: false });
    // That a session is over is no fault: its end comes with the events. That it is over too soon is one.
    if (error.undelivered >= 1) this.#problem({ code: "undelivered" });
    else if (error.code !== "session_over") this.#problem(error);
  }

  #sessionGone() {
    this.#stopRecording();
    this.#dispatch({ type: "page/unknown-session" });
  }

  /** Tries at once: with the microphone opened anew if it is gone, else by cutting the wait short. */
  async #retryNow() {
    if (this.#recorder.isOpen) dispatchEvent(new Event("online"));
    else await this.#recordHere();
  }

  // The end

  #cancelEnd() {
    this.#dispatch({ type: "page/confirm-end", open: false });
    this.#page.render(this.#state);
    this.#page.focusEnd();
  }

  /** Ends the session, however long it takes to reach the server; a second call changes nothing. */
  #end() {
    this.#ending ??= this.#finish().finally(() => { this.#ending = null; });
    return this.#ending;
  }

  async #finish() {
    const { id } = this.#state.session;
    remember({ id, ending: true });
    this.#dispatch({ type: "page/ending" });
    await this.#stopRecording();
    for (let attempt = 0; this.#state.phase === "ending"; attempt += 1) {
      try {
        const answer = await this.#api.end(id);
        remember({ ending: false });
        return this.#dispatch({ type: "page/session", ...answer });
      } catch (error) {
        if (error.code === "unknown_session") return this.#sessionGone();
        this.#dispatch({ type: "page/end-blocked", blocked: true });
        await pause(backoff(attempt));
      }
    }
  }

  // The note

  #backToNote() {
    const { evidence } = this.#state;
    this.#dispatch({ type: "page/evidence", evidence: null });
    this.#page.focusOrigin(evidence);
  }

  async #newSession() {
    await this.#feed?.stop();
    this.#feed = null;
    this.#microphone.close();
    history.replaceState(null, "", addressOf(null));
    remember({ id: null, recording: false, ending: false });
    this.#dispatch({ type: "page/reset" });
    this.#listEarlier();
    this.#problemIfBlocked();
  }
}
