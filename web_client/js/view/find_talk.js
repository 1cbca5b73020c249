// A box to search the talk in: of a long one only a part is in the page, where the browser's own search looks.

import { S } from "../strings.js";
import { found } from "../windowing.js";
import { button, h, newId, setAttribute, setHidden, setText } from "./dom.js";

const TYPING_MS = 250;
const T = S.transcript.find;

export class FindTalk {
  #entries = [];
  #keys = [];
  #at = 0;
  #input = h("input", { class: "input", type: "search", id: newId("find"), autocomplete: "off", spellcheck: "false" });
  #count = h("p", { class: "hint", role: "status" });
  #goTo;
  #soon;
  #before;
  #after;

  /** `goTo(key)` brings the row of that key into sight. */
  constructor(goTo) {
    this.#goTo = goTo;
    this.#before = button(T.before, () => this.#step(-1), { kind: "small" });
    this.#after = button(T.after, () => this.#step(1), { kind: "small" });
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.#step(event.shiftKey ? -1 : 1);
    });
    this.element = h("div", { class: "find", role: "search", "aria-label": T.title },
      h("label", { for: this.#input.id }, T.title), this.#input, this.#before, this.#after, this.#count);
    this.#tell();
  }

  /** The key of the row that is shown as found, or undefined. */
  get now() {
    return this.#keys[this.#at];
  }

  use(entries) {
    this.#entries = entries;
    if (this.#input.value) this.#look();
  }

  /** Marks what is found among the rows in the page. */
  show(rows) {
    const keys = new Set(this.#keys);
    const { now } = this;
    for (const row of rows.rows) setAttribute(row.element, "data-found", row.id === now && now ? "now" : keys.has(row.id) ? "too" : null);
  }

  #look() {
    const { now } = this;
    this.#keys = found(this.#entries, this.#input.value);
    this.#at = Math.max(0, this.#keys.indexOf(now));
    this.#tell();
  }

  /** Not with each letter: the browser brings the box into sight for it, and the row would jump to and fro. */
  #typed() {
    this.#at = 0;
    this.#look();
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#go(), TYPING_MS);
  }

  #step(by) {
    clearTimeout(this.#soon);
    if (!this.#keys.length) return;
    this.#at = (this.#at + by + this.#keys.length) % this.#keys.length;
    this.#tell();
    this.#go();
  }

  #go() {
    if (this.now) this.#goTo(this.now);
  }

  #tell() {
    const asked = this.#input.value.trim() !== "";
    setText(this.#count, !asked ? "" : this.#keys.length ? T.count(this.#at + 1, this.#keys.length) : T.none);
    for (const one of [this.#before, this.#after]) setHidden(one, this.#keys.length < 2);
  }
}
