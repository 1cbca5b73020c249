// A list of which only what is near the window is in the page, once it is long. Rows are of any height: each is
// measured when it is there, and until then counts as long as the others are on average.
//
// A screen reader is told of all of them by their number in the whole (aria-posinset, aria-setsize).

import { offsetsOf, rangeOf } from "../windowing.js";
import { setAttribute, setChildren } from "./dom.js";

const WHOLE = 120; // up to here all rows are in the page, and the browser's own search finds them
const MARGIN = 1; // windows above and below the one that is seen
const GUESS_PX = 90;
const SAME_PX = 0.5;

export class VirtualList {
  #list;
  #make;
  #rows = new Map(); // by key, those in the page
  #lengths = new Map(); // by key, as measured: with the space behind it
  #width = 0;

  /** `make(entry)` gives a row: {element, render(entry)}. */
  constructor(list, make) {
    this.#list = list;
    this.#make = make;
  }

  get rows() {
    return this.#rows.values();
  }

  row(key) {
    return this.#rows.get(key);
  }

  isLong(entries) {
    return entries.length > WHOLE;
  }

  /** Shows what is near the window, or near the end with `follow`, and the entries whose keys are in `pinned`. */
  draw(entries, { follow, pinned }) {
    const long = this.isLong(entries);
    setAttribute(this.#list, "data-long", long);
    this.#forget(entries);
    const offsets = long ? this.#offsets(entries) : null;
    const shown = long ? this.#near(entries, offsets, follow, pinned) : entries.map((_, index) => index);
    const anchor = long && !follow ? this.#anchor() : null;
    this.#put(entries, shown, long);
    if (!long) return;
    this.#space(shown, offsets);
    if (this.#measure(entries, shown, offsets)) this.#space(shown, this.#offsets(entries));
    if (anchor) this.#hold(anchor);
  }

  #near(entries, offsets, follow, pinned) {
    const height = innerHeight;
    const end = offsets[entries.length];
    const above = follow ? end - height : -this.#list.getBoundingClientRect().top;
    const [first, last] = rangeOf(offsets, above - height * MARGIN, above + height * (1 + MARGIN));
    const near = new Set(Array.from({ length: last - first }, (_, index) => first + index));
    entries.forEach((entry, index) => { if (pinned.has(entry.key)) near.add(index); });
    return [...near].sort((a, b) => a - b);
  }

  #put(entries, shown, long) {
    const rows = new Map();
    for (const index of shown) {
      const entry = entries[index];
      const row = this.#rows.get(entry.key) ?? this.#make(entry);
      row.render(entry);
      setAttribute(row.element, "aria-posinset", long ? index + 1 : null);
      setAttribute(row.element, "aria-setsize", long ? entries.length : null);
      if (!long) row.element.style.removeProperty("--leap");
      rows.set(entry.key, row);
    }
    this.#rows = rows;
    setChildren(this.#list, [...rows.values()].map((row) => row.element));
    if (!long) this.#list.style.removeProperty("padding-block-end");
  }

  /** Leaves the room of the rows that are not in the page. */
  #space(shown, offsets) {
    let reached = 0;
    [...this.#rows.values()].forEach((row, at) => {
      const index = shown[at];
      row.element.style.setProperty("--leap", `${offsets[index] - reached}px`);
      reached = offsets[index + 1];
    });
    this.#list.style.paddingBlockEnd = `${offsets[offsets.length - 1] - reached}px`;
  }

  /** Whether a row is of another length than it was taken for. */
  #measure(entries, shown, offsets) {
    const gap = parseFloat(getComputedStyle(this.#list).rowGap) || 0;
    let changed = false;
    [...this.#rows].forEach(([key, row], at) => {
      const leap = parseFloat(row.element.style.getPropertyValue("--leap"));
      const margin = parseFloat(getComputedStyle(row.element).marginBlockStart) - leap;
      const length = margin + row.element.getBoundingClientRect().height + gap;
      const index = shown[at];
      if (Math.abs(length - (offsets[index + 1] - offsets[index])) > SAME_PX) changed = true;
      this.#lengths.set(key, length);
    });
    return changed;
  }

  /** What was learnt of rows that are gone, or were measured in a window of another width, counts no more. */
  #forget(entries) {
    const width = this.#list.clientWidth;
    if (Math.abs(width - this.#width) > 1) this.#lengths.clear();
    this.#width = width;
    if (this.#lengths.size <= entries.length) return;
    const known = new Set(entries.map((entry) => entry.key));
    for (const key of this.#lengths.keys()) if (!known.has(key)) this.#lengths.delete(key);
  }

  #offsets(entries) {
    let sum = 0;
    for (const length of this.#lengths.values()) sum += length;
    const guess = this.#lengths.size ? sum / this.#lengths.size : GUESS_PX;
    return offsetsOf(entries.map((entry) => this.#lengths.get(entry.key) ?? guess));
  }

  /** The first row in sight and where it stands: it must stand there afterwards. */
  #anchor() {
    for (const row of this.#rows.values()) {
      const { top, bottom } = row.element.getBoundingClientRect();
      if (bottom > 0 && top < innerHeight) return { row, top };
    }
    return null;
  }

  #hold({ row, top }) {
    if (!row.element.isConnected) return;
    const moved = row.element.getBoundingClientRect().top - top;
    if (Math.abs(moved) > SAME_PX) scrollerOf(this.#list).scrollBy({ top: moved, behavior: "instant" });
  }
}

/** What scrolls an element: the nearest part of the page with a bar of its own, or the page. */
function scrollerOf(element) {
  for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight) return one;
  }
  return document.scrollingElement;
}
