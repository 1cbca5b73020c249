// What a screen reader is told without being asked: changes of the line, trouble with the level, finished
// utterances and gaps. Never partials, never a replay, never a countdown.

import { health, timeline } from "../selectors.js";
import { S } from "../strings.js";
import { h, setText } from "./dom.js";

const KEPT = 12;
const LEVEL_MS = 5000;
const LEVELS = { setup: ["good", "too_quiet", "clipping", "dead"], live: ["too_quiet", "clipping", "dead"] };

export class Announcer {
  #alert = h("p", { role: "alert" });
  #status = h("p", { role: "status" });
  #log = h("div", { role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": S.transcript.title });
  #told = new Set();
  #session = null;
  #health = null;
  #verdict = null;
  #verdictAt = 0;
  #lists = [];

  constructor() {
    this.element = h("div", { class: "hidden" }, this.#alert, this.#status, this.#log);
  }

  /** Says something once, such as that the note is copied. */
  say(text) {
    // The same words twice would be no change, and so not be read.
    setText(this.#status, this.#status.textContent === text ? `${text}\u00a0` : text);
  }

  render(state) {
    if (state.session?.id !== this.#session) this.#restart(state.session?.id ?? null);
    this.#renderHealth(state);
    this.#renderLevel(state);
    this.#renderSaid(state);
  }

  #restart(id) {
    this.#session = id;
    this.#told.clear();
    this.#log.replaceChildren();
    this.#health = null;
    this.#lists = [];
  }

  #renderHealth(state) {
    if (!state.session) return;
    const { tone, say } = health(state);
    if (say === this.#health) return;
    const first = this.#health === null && tone !== "bad";
    this.#health = say;
    if (first) return;
    if (tone === "bad") setText(this.#alert, say);
    else {
      setText(this.#alert, "");
      this.say(say);
    }
  }

  #renderLevel(state) {
    const { verdict } = state.level;
    const wanted = LEVELS[state.phase] ?? [];
    if (verdict === this.#verdict || !wanted.includes(verdict)) return;
    if (Date.now() - this.#verdictAt < LEVEL_MS) return;
    this.#verdict = verdict;
    this.#verdictAt = Date.now();
    this.say(S.level[verdict]);
  }

  #renderSaid(state) {
    const lists = [state.utterances, state.gaps];
    if (lists.every((list, index) => list === this.#lists[index])) return;
    this.#lists = lists;
    for (const entry of timeline(state)) {
      if (!entry.live || this.#told.has(entry.key)) continue;
      this.#told.add(entry.key);
      const text = entry.quiet ? entry.text : entry.kind === "gap" ? S.transcript.announceGap(entry.text) : S.transcript.says(entry.name, entry.text);
      this.#log.append(h("p", { dir: "auto" }, text));
    }
    while (this.#log.childElementCount > KEPT) this.#log.firstElementChild.remove();
  }
}
