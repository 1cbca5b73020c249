// What is done to a session beside its sound: who is who, words put right, moments marked, what was seen.

import { elapsed } from "./selectors.js";
import { S, clock } from "./strings.js";
import { withRole } from "./who_is_who.js";

export class SessionDesk {
  #store;
  #api;
  #page;
  #refreshNote;
  #observing = Promise.resolve(); // the newest request: each list is made on the one before

  /** Each method raises ApiError where the server refuses; `refreshNote()` has a note that is there follow. */
  constructor(store, api, page, refreshNote) {
    this.#store = store;
    this.#api = api;
    this.#page = page;
    this.#refreshNote = refreshNote;
  }

  get #state() {
    return this.#store.state;
  }

  get #id() {
    return this.#state.session.id;
  }

  async swap() {
    this.#store.dispatch({ type: "page/session", ...(await this.#api.swapRoles(this.#id)) });
    this.#page.say(S.live.swapped);
    await this.#refreshNote();
  }

  async setRole(speaker, role) {
    if (!role) return;
    const roles = withRole(this.#state, speaker, role);
    this.#store.dispatch({ type: "page/session", ...(await this.#api.setRoles(this.#id, roles)) });
    await this.#refreshNote();
  }

  async correct(utterance, text) {
    const answer = await this.#api.correct(this.#id, utterance, text);
    this.#store.dispatch({ type: "page/correcting", id: null });
    this.#store.dispatch({ type: "page/session", ...answer });
    this.#store.dispatch({ type: "corrected", id: utterance, text });
    this.#page.say(S.transcript.corrected);
    await this.#refreshNote();
  }

  async mark() {
    const at = Math.round(elapsed(this.#state) ?? 0);
    await this.#api.mark(this.#id, at);
    this.#page.say(S.transcript.marked(clock(at)));
  }

  async observe(observations) {
    const { session } = this.#state;
    const change = (context) => ({ type: "page/session", session: { ...this.#state.session, context } });
    this.#store.dispatch(change({ ...session.context, observations }));
    this.#observing = this.#observing.catch(() => {}).then(() => this.#api.setContext(session.id, { observations }));
    await this.#observing;
    this.#page.say(S.transcript.observed);
  }
}
