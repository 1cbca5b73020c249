// What is recorded: off the record, who is there, strike, consent that is taken back.

import { backoff, pause } from "./backoff.js";
import { addressOf, forgetSession, remember } from "./memory.js";
import { ownTrack, recordingOf } from "./state.js";
import { R } from "./strings_recording.js";

const STRIKE_S = 60;

export class RecordingDesk {
  #store;
  #api;
  #page;
  #parts;
  #telling = null;

  /** `parts` are {recorder, call(), leave(), readOn()}: who sends from this window, and what else goes with a session. */
  constructor(store, api, page, parts) {
    this.#store = store;
    this.#api = api;
    this.#page = page;
    this.#parts = parts;
  }

  /** The recorders of this window by their track's name; none where another one records. */
  #tracks() {
    const { session, recorder } = this.#store.state;
    if (!recorder) return {};
    const { recorder: own, call } = this.#parts;
    const other = session.tracks.find((one) => one.role === "client");
    return { [ownTrack(session)]: own, ...(other && call()?.isOpen ? { [other.id]: call() } : {}) };
  }

  get #id() {
    return this.#store.state.session.id;
  }

  #ticks(which) {
    return Object.fromEntries(Object.entries(this.#tracks()).map(([track, recorder]) => [track, recorder.moment[which]]));
  }

  async toggle() {
    if (recordingOf(this.#store.state) === "off_the_record") await this.#goOn();
    else await this.goOff();
  }

  /** Here at once, whatever the network does; the server is told until it knows. */
  async goOff() {
    remember({ off: true });
    this.#store.dispatch({ type: "page/off-here", off: true });
    const ticks = this.#ticks("now");
    this.#page.say(R.wentOff);
    this.#telling ??= this.#tell(ticks).finally(() => { this.#telling = null; });
    await this.#telling;
  }

  async #tell(ticks) {
    for (let attempt = 0; this.#store.state.offHere; attempt += 1) {
      try {
        const answer = await this.#api.record(this.#id, "off-record", { ticks });
        if (!this.#store.state.offHere) return;
        this.#store.dispatch({ type: "page/session", ...answer });
        return this.#settled();
      } catch (error) {
        if (error.code !== "unreachable" && error.code !== "overloaded" && error.code !== "store_failed") throw error;
        if (attempt === 0) this.#page.say(R.notTold);
        await pause(backoff(attempt));
      }
    }
  }

  #settled() {
    remember({ off: false });
    this.#store.dispatch({ type: "page/off-here", off: false });
  }

  async #goOn() {
    const answer = await this.#api.record(this.#id, "on-record", { ticks: this.#ticks("again") });
    this.#settled();
    this.#store.dispatch({ type: "page/session", ...answer });
    this.#page.say(R.wentOn);
  }

  async strike() {
    this.#ask(null);
    await this.#change("strike", { last_s: STRIKE_S, ticks: this.#ticks("now") });
    this.#page.say(R.struck);
  }

  /** Strikes what lies between two moments, as `striking.chosen` has them; also in a session that is over. */
  async strikePassage({ start, end, since, until }) {
    this.#store.dispatch({ type: "page/striking", striking: null });
    this.#page.focusStrike();
    this.#page.say(R.passage.striking);
    await this.#change("strike", { start, end, ticks: this.#ticks("now") });
    // Of a session that is over nothing more is followed: what the strike changed is read from where the page stands.
    if (this.#store.state.phase === "ended") this.#parts.readOn();
    this.#page.say(R.passage.done(R.passage.from(since, until)));
  }

  async join(who) {
    // Held back here at once: what is said before the server answers is not sent.
    for (const recorder of Object.values(this.#tracks())) recorder.hold(true);
    await this.#change("participants", { who, ticks: this.#ticks("now") });
    this.#page.say(R.nowHere(who));
  }

  async agree(who, how) {
    await this.#change("consent", { who, how, ticks: this.#ticks("again") });
    this.#page.say(R.nowAgreed(who));
  }

  async leave(who) {
    await this.#change("participants", { who, present: false, ticks: this.#ticks("again") });
    this.#page.say(R.nowGone(who));
  }

  async #change(what, body) {
    this.#store.dispatch({ type: "page/session", ...(await this.#api.record(this.#id, what, body)) });
  }

  /** The session goes, and its receipt is shown in its place. */
  async revoke(who) {
    this.#ask(null);
    const recorders = Object.values(this.#tracks());
    for (const recorder of recorders) recorder.hold(true);
    this.#gone(await this.#api.revoke(this.#id, who));
    await Promise.all(recorders.map((recorder) => recorder.discard()));
  }

  /** Deletes a session that is over; of one whose note is signed that note stays, but with `signed`. */
  async remove(why, signed) {
    this.#gone(await this.#api.remove(this.#id, why, signed));
  }

  #gone(receipt) {
    remember({ id: null, recording: false, ending: false, off: false });
    if (receipt.scope === "session") forgetSession(receipt.session);
    this.#parts.leave();
    this.#store.dispatch({ type: "page/receipt", receipt });
    history.replaceState(null, "", addressOf(null));
  }

  #ask(what) {
    this.#store.dispatch({ type: "page/asking", what });
  }
}
