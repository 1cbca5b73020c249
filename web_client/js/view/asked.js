// Whether somebody still waits for what they asked for: only then may the focus go to it when it comes.

const DOING = ["keydown", "pointerdown", "wheel", "input"];

export class Asked {
  #waits = false;

  constructor() {
    for (const type of DOING) addEventListener(type, () => { this.#waits = false; }, { capture: true, passive: true });
  }

  /** From now on, until they press, type or scroll. */
  ask() {
    this.#waits = true;
  }

  get stands() {
    return this.#waits;
  }
}

/**
 * Does `change` to what is inside `box` and gives the focus back to what had it, where that is still there. Whether
 * the focus was lost with what went.
 */
export function keepingFocus(box, change) {
  const had = box.contains(document.activeElement) ? document.activeElement : null;
  change();
  if (!had || had === document.activeElement) return false;
  if (had.isConnected) had.focus(); // it was moved, which costs the focus
  return had !== document.activeElement;
}
