// Protected time: weekly slots, new sessions a week, and the blocks that follow from them.

import { button, h, newId, setChildren, setText } from "../view/dom.js";
import { W, slotTime } from "./words.js";

const SHOWN = 4;
const LENGTHS = [60, 75, 90, 30, 45];

export class PlanBox {
  #change;
  #plan = { slots: [], newAWeek: 0 };
  #day = h("select", { class: "select", id: newId("day") });
  #time = h("input", { class: "select", id: newId("time"), type: "time", value: "12:00", required: true });
  #minutes = h("select", { class: "select", id: newId("minutes") });
  #new = h("input", { class: "select", id: newId("new"), type: "number", min: "0", max: "200", step: "1", inputmode: "numeric" });
  #slots = h("ul", { class: "slots" });
  #none = h("p", { class: "hint" }, W.noPlan);
  #title = h("h3", {}, W.planned);
  #blocks = h("ol", { class: "blocks" });

  constructor(change) {
    this.#change = change;
    this.#day.append(...W.weekdays.map((words, value) => h("option", { value }, words)));
    this.#minutes.append(...LENGTHS.map((value) => h("option", { value }, String(value))));
    this.#new.addEventListener("change", () => change({ newAWeek: Math.min(200, Math.max(0, Number(this.#new.value) || 0)) }));
    const form = h("form", { class: "plan__form", on: { submit: (event) => { event.preventDefault(); this.#add(); } } },
      field(W.weekday, this.#day), field(W.time, this.#time), field(W.minutes, this.#minutes),
      h("button", { class: "button", type: "submit" }, W.addBlock));
    this.element = h("div", { class: "plan" }, this.#slots, this.#none, form, field(W.newAWeek, this.#new), this.#title, this.#blocks);
  }

  render(found, plan, zone) {
    this.#plan = plan;
    if (document.activeElement !== this.#new) this.#new.value = String(plan.newAWeek);
    setChildren(this.#slots, plan.slots.map((slot, at) => this.#slot(slot, at)));
    this.#none.hidden = plan.slots.length > 0;
    this.#title.hidden = found.blocks.length === 0;
    const blocks = found.blocks.slice(0, SHOWN).map((one) =>
      h("li", {}, W.plannedLine(slotTime(one.start, zone), one.minutes, one.visits.length)));
    if (found.blocks.length > SHOWN) blocks.push(h("li", { class: "hint" }, W.more(found.blocks.length - SHOWN)));
    setChildren(this.#blocks, blocks);
  }

  #slot(slot, at) {
    const words = W.slot(W.weekdays[slot.day], slot.time, slot.minutes);
    const remove = button(W.close, () => {
      this.#change({ slots: this.#plan.slots.filter((_, index) => index !== at) });
      this.#day.focus();
    }, { kind: "small", "aria-label": W.removeBlock(words) });
    setText(remove.lastChild, "×");
    return h("li", { class: "slot" }, h("span", {}, words), remove);
  }

  #add() {
    const slot = { day: Number(this.#day.value), time: this.#time.value, minutes: Number(this.#minutes.value) };
    if (!/^\d{2}:\d{2}/.test(slot.time)) return this.#time.focus();
    slot.time = slot.time.slice(0, 5);
    this.#change({ slots: [...this.#plan.slots, slot] });
  }
}

/** A control under its name. */
export function field(words, control) {
  return h("p", { class: "field" }, h("label", { for: control.id }, words), control);
}
