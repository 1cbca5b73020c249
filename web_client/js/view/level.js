// The level bar and what it means in words.

import { S } from "../strings.js";
import { h, icon, newId, setAttribute, setText } from "./dom.js";

const TROUBLE = new Set(["too_quiet", "clipping", "dead"]);
const SPOKEN_MS = 1000;

export class LevelView {
  #bar = h("span", { class: "level__bar" });
  #words = h("span", { class: "level__words", id: newId("level") });
  #mark = h("span", { class: "level__mark" });
  #meter;
  #level = null;
  #saidAt = 0;

  constructor() {
    this.#meter = h("span", {
      class: "level__track", role: "meter", "aria-label": S.level.label, "aria-valuemin": 0, "aria-valuemax": 100,
      "aria-valuenow": 0,
    }, this.#bar);
    this.element = h("div", { class: "level" }, this.#meter, h("span", { class: "level__line" }, this.#mark, this.#words));
  }

  render(state) {
    const { level } = state;
    if (level === this.#level) return;
    const verdict = level.verdict;
    this.#bar.style.setProperty("--level", verdict === "off" ? 0 : level.value);
    if (this.#level?.verdict !== verdict) {
      setAttribute(this.element, "data-verdict", verdict);
      setText(this.#words, S.level[verdict]);
      setAttribute(this.#meter, "aria-valuetext", S.level[verdict]);
      this.#mark.replaceChildren(...(TROUBLE.has(verdict) ? [icon("warning")] : verdict === "good" ? [icon("check")] : []));
    }
    this.#level = level;
    const now = Date.now();
    if (now - this.#saidAt < SPOKEN_MS) return;
    this.#saidAt = now;
    setAttribute(this.#meter, "aria-valuenow", level.value);
  }
}
