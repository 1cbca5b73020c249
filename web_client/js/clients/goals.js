// The goals of a chart, each with its objectives.

import { P } from "../strings_pages.js";
import { L } from "../strings_plan.js";
import { button, h, setChildren } from "../view/dom.js";
import { Field } from "../view/fields.js";

const C = P.clients;
const STEP_FIELDS = Object.entries(C.objectiveFields);
const MORE = { date: { type: "date" }, status: { options: Object.entries(L.states) } };

export class GoalsFields {
  #goals = [];
  #list = h("div", { class: "goals" });
  #add = button(C.addGoal, () => this.#put({}, true), { icon: "plus", kind: "small" });

  /** `changed()` is told when a goal or an objective comes or goes. */
  constructor(changed) {
    this.changed = changed;
    this.element = h("section", { class: "part", "aria-label": C.goals }, h("h3", {}, C.goals), this.#list, h("p", {}, this.#add));
  }

  show(goals) {
    this.#goals = [];
    for (const goal of goals ?? []) this.#put(goal, false);
    this.#draw();
  }

  /** The goals that say something; what is not named here stays as it was. */
  given() {
    return this.#goals.map(({ known, text, steps }) => ({
      ...(known.id ? { id: known.id } : {}), text: text.value,
      objectives: steps.map((step) => ({ ...(step.known.id ? { id: step.known.id } : {}),
        ...Object.fromEntries(STEP_FIELDS.map(([name]) => [name, step.fields[name].value])) })).filter((step) => step.text),
    })).filter((goal) => goal.text);
  }

  #put(known, fresh) {
    const goal = { known, text: new Field(C.goalText, { value: known.text ?? "", rows: 2 }), steps: [] };
    for (const step of known.objectives ?? []) goal.steps.push(stepOf(step));
    this.#goals.push(goal);
    if (!fresh) return;
    this.#draw();
    this.changed();
    goal.text.input.focus();
  }

  #draw() {
    setChildren(this.#list, this.#goals.map((goal, at) => this.#goal(goal, at)));
  }

  #goal(goal, at) {
    const name = C.goal(at + 1);
    const drop = button(C.removeWord, () => {
      this.#goals = this.#goals.filter((one) => one !== goal);
      this.#draw();
      this.changed();
      this.#add.focus();
    }, { kind: "small", "aria-label": C.remove(name) });
    const more = button(C.addObjective, () => {
      const step = stepOf({});
      goal.steps.push(step);
      this.#draw();
      this.changed();
      step.fields.text.input.focus();
    }, { icon: "plus", kind: "small" });
    return h("fieldset", { class: "goal" }, h("legend", {}, name), goal.text.element,
      ...goal.steps.map((step, index) => this.#step(goal, step, index)), h("p", { class: "acts-row" }, more, drop));
  }

  #step(goal, step, index) {
    const name = C.objective(index + 1);
    const drop = button(C.removeWord, () => {
      goal.steps = goal.steps.filter((one) => one !== step);
      this.#draw();
      this.changed();
      goal.text.input.focus();
    }, { kind: "small", "aria-label": C.remove(name) });
    return h("fieldset", { class: "goal goal--step" }, h("legend", {}, name), step.fields.text.element,
      h("div", { class: "grid" }, STEP_FIELDS.slice(1).map(([field]) => step.fields[field].element)), h("p", {}, drop));
  }
}

function stepOf(known) {
  const make = ([name, words]) => [name, new Field(words, { value: known[name] ?? "", ...MORE[name] })];
  return { known, fields: Object.fromEntries(STEP_FIELDS.map(make)) };
}
