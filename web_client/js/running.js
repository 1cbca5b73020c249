// A session of this window: begun or found again, followed, recorded by this device, brought to its end.

import { tracksOf } from "./api.js";
import { backoff, pause } from "./backoff.js";
import { knownFormat, withChart } from "./entered.js";
import { EventFeed } from "./feed.js";
import { findSession } from "./finding.js";
import { addressOf, recall, remember, rememberSession } from "./memory.js";
import { MicrophoneDesk } from "./microphone_desk.js";
import { Recorder } from "./recorder.js";
import { elapsed, isComplete } from "./selectors.js";
import { ownTrack, participants, recordingOf } from "./state.js";
import { WakeLock } from "./wake_lock.js";

export class Running {
  #store;
  #api;
  #page;
  #does;
  #wakeLock = new WakeLock();
  #feed = null;
  #ending = null;
  #call = null; // the second track's, over a call
  #recorder = new Recorder({
    onMedia: (status, retryAt) => this.#onMedia(status, retryAt),
    onLevel: (level) => this.#dispatch({ type: "page/level", ...level }),
    onKept: (kept) => this.#dispatch({ type: "page/kept", ...kept }),
    onFatal: (error) => this.#recordingRefused(error),
  });

  /**
   * `does` are the page's own: problem(error) shows what went wrong, blocked() whether nothing can be recorded here,
   * drafted() has a note that came shown as it stands, noteDesk() fetches what works at it, recording(name) changes
   * what is recorded.
   */
  constructor(store, api, page, does) {
    this.#store = store;
    this.#api = api;
    this.#page = page;
    this.#does = does;
    this.microphone = new MicrophoneDesk(store, this.#recorder, does.problem);
  }

  get #state() {
    return this.#store.state;
  }

  #dispatch(message) {
    this.#store.dispatch(message);
  }

  /** What who changes the recording needs of this window: who sends from it, and what goes with a session. */
  get parts() {
    return {
      recorder: this.#recorder, call: () => this.#call,
      leave: () => { this.#wakeLock.stop(); this.#feed?.stop(); },
      readOn: () => this.#follow(this.#state.session.id),
    };
  }

  /** What is off the record, or lacks a consent, is neither kept here nor sent. */
  hold() {
    for (const one of [this.#recorder, this.#call]) one?.hold(recordingOf(this.#state) !== "on");
  }

  /** Fetches what recording needs; it is asked for again when it is needed. */
  prepare() {
    this.#recorder.prepare().catch(() => {});
  }

  /** The page is left: what it has is closed as well as that can be done then. */
  abandon() {
    this.#recorder.abandon();
    this.#call?.abandon();
  }

  // Before the session

  async begin(entered) {
    const { setup, phase } = this.#state;
    if (phase !== "setup") return;
    const names = participants(setup.people, setup.others);
    const missing = names.map((_, index) => index).filter((index) => !setup.consent[index]);
    this.#dispatch({ type: "page/missing", missing });
    if (missing.length) return this.#page.focusMissing(missing[0]);
    if (this.#does.blocked()) return;
    if (setup.mode === "call" && !this.#call?.isOpen) return this.#does.problem({ code: "call_missing" });
    this.#dispatch({ type: "page/starting" });
    try {
      if (!this.#recorder.isOpen && !(await this.microphone.open())) {
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
      this.#does.problem(error.code === "unreachable" ? { code: "unreachable_start" } : error);
    }
  }

  /** The other side's sound; while a session runs it goes on with it. */
  async chooseCall() {
    const { CallDesk } = await import("./call_desk.js");
    this.#call ??= new CallDesk(this.#store, this.#does.problem);
    if (!(await this.#call.choose())) return;
    if (this.#state.phase === "live" && this.#state.recorder) this.#recordCall(this.#state.session);
  }

  #recordCall(session) {
    const other = session.tracks.find((one) => one.role === "client");
    this.hold();
    if (other && this.#call?.isOpen) this.#call.start(session.id, this.#way(other.id));
  }

  // The session

  /** Finds a session again by its id: after a reload, or when the address was opened in another window. */
  async resume(id) {
    const found = await findSession(this.#api, id, this.#does.problem);
    if (found === "unknown") return this.#dispatch({ type: "page/unknown-session" });
    if (!found) return;
    const known = recall();
    const mine = known.id === id;
    this.#dispatch({ type: "page/session", ...found, replay: true });
    this.#follow(id);
    if (found.session.state !== "live" || !mine) return;
    if (known.off) this.#dispatch({ type: "page/off-here", off: true });
    if (known.ending) await this.#endWhatIsKept(found.session);
    else if (known.recording) await this.recordHere(known.device);
  }

  /** The end was asked for before the reload: what this device still has of the session goes to the server first. */
  async #endWhatIsKept({ id, tracks }) {
    this.#dispatch({ type: "page/ending" });
    await this.#recorder.connect(id, { track: ownTrack({ tracks }), onlyKept: true });
    this.end();
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
      this.#does.problem({ code: "bad_message" });
    }
    if (before !== "ended" && this.#state.phase === "ended") this.#stopRecording();
    if (this.#state.note !== note) this.#does.drafted();
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
  async recordHere(deviceId) {
    const { session } = this.#state;
    this.#dispatch({ type: "page/recorder", recorder: true });
    this.#dispatch({ type: "page/media", status: "opening" });
    if (!(await this.microphone.open(deviceId))) {
      this.#dispatch({ type: "page/recorder", recorder: false });
      return this.#dispatch({ type: "page/media", status: "stopped" });
    }
    // It may have ended while the browser asked for the microphone.
    if (this.#state.phase !== "live") return this.microphone.close();
    remember({ id: session.id, recording: true, ending: false, device: this.#recorder.deviceId });
    await this.#record(session);
    if (recall().off) this.#does.recording("goOff"); // the server was not told before the reload
  }

  async #record(session) {
    // What the note will need is fetched while there is time, and in case there is no network at the end.
    this.#page.loadNote().catch(() => {});
    this.#does.noteDesk().catch(() => {});
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
    if (error.undelivered >= 1) this.#does.problem({ code: "undelivered" });
    else if (error.code !== "session_over") this.#does.problem(error);
  }

  #sessionGone() {
    this.#stopRecording();
    this.#dispatch({ type: "page/unknown-session" });
  }

  /** Tries at once: with the microphone opened anew if it is gone, else by cutting the wait short. */
  async retryNow() {
    if (this.#recorder.isOpen) dispatchEvent(new Event("online"));
    else await this.recordHere();
  }

  // The end

  /** Ends the session, however long it takes to reach the server; a second call changes nothing. */
  end() {
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

  /** Leaves the session that is over, for another one. */
  async leave() {
    await this.#feed?.stop();
    this.#feed = null;
    this.microphone.close();
    history.replaceState(null, "", addressOf(null));
    remember({ id: null, recording: false, ending: false });
    this.#dispatch({ type: "page/reset" });
  }
}
