// A client's treatment plan as it reads: goals, objectives with how they stand, and what the notes say for each goal.

import { sessionAddress } from "../addresses.js";
import { L as P } from "../strings_plan.js";
import { button, focusOn, h, setChildren, setText } from "../view/dom.js";
import { linesText, diagnosesText } from "./chart_text.js";

const AT_ONCE = 4; // notes that are read for progress: each is looked through anew by the server
const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeZone: "UTC" });
const day = (iso) => (iso ? DAY.format(new Date(`${iso}T00:00:00Z`)) : "");

export class PlanView {
  #thread;
  #today;
  #chart = null;
  #told = []; // {session, date, goals}: what the notes say, newest first
  #waiting = [];
  #unread = 0; // notes whose words for the goals did not come
  #title = h("h2", { tabindex: "-1", dir: "auto" });
  #body = h("div", { class: "plan__body" });
  #state = h("p", { class: "hint", role: "status" });
  #more = button(P.more, () => this.#read(), { kind: "small" });

  /** `thread(session)` resolves to the golden thread of its note, null where it did not come; `today()` is an ISO day. */
  constructor(thread, today) {
    this.#thread = thread;
    this.#today = today;
    this.element = h("article", { class: "plan", "aria-label": P.title }, h("header", { class: "chart__head" }, this.#title),
      h("p", { class: "acts-row plan__acts" }, button(P.print, () => print())), this.#body, this.#state, h("p", { class: "plan__acts" }, this.#more));
  }

  /** Shows the plan of a chart, with `visits`, the client's, by time; the focus goes to its heading. */
  async show(chart, visits) {
    this.#chart = chart;
    this.#told = [];
    this.#unread = 0;
    this.#waiting = visits.filter((one) => one.session && one.note !== "unsigned").reverse();
    setText(this.#title, P.of(chart.client));
    this.#draw();
    focusOn(this.#title);
    await this.#read();
  }

  async #read() {
    const chart = this.#chart;
    const next = this.#waiting.splice(0, AT_ONCE);
    setText(this.#state, next.length ? P.reading : this.#told.length ? "" : P.noNotes);
    for (const { session, date } of next) {
      const found = await this.#thread(session);
      if (this.#chart !== chart) return;
      if (found) this.#told.push({ session, date, goals: found.goals });
      else this.#unread += 1;
      this.#draw();
    }
    if (!next.length) return;
    const unread = this.#unread ? P.unread(this.#unread) : "";
    setText(this.#state, [this.#told.length ? P.read(this.#told.length) : unread ? "" : P.noNotes, unread].filter(Boolean).join(" "));
  }

  #draw() {
    const { goals, plan, diagnoses, medications } = this.#chart;
    const rows = [[P.diagnoses, diagnosesText(diagnoses)], [P.medications, linesText(medications)],
      ...Object.entries(P.terms).map(([name, words]) => [words, DATES.includes(name) ? day(plan?.[name]) : plan?.[name]])];
    setChildren(this.#body, [
      h("dl", { class: "figures" }, rows.filter(([, text]) => text).map(([term, text]) =>
        h("div", {}, h("dt", {}, term), h("dd", { class: "plan__text", dir: "auto" }, text)))),
      ...(goals.length ? goals.map((goal, at) => this.#goal(goal, at)) : [h("p", { class: "hint" }, P.noGoals)]),
    ]);
    this.#more.hidden = !this.#waiting.length;
  }

  #goal(goal, at) {
    const told = this.#told.map(({ session, date, goals }) => ({ session, date, found: goals.find((one) => one.goal === goal.text) }));
    const said = told.flatMap(({ session, date, found }) => (found?.progress ?? []).map((text) => ({ session, date, text })));
    return h("section", { class: "part plan__goal", "aria-label": P.goal(at + 1) },
      h("h3", {}, P.goal(at + 1)), h("p", { class: "plan__words", dir: "auto" }, goal.text),
      goal.objectives.length
        ? h("ul", { class: "plain plan__steps" }, goal.objectives.map((step) => this.#step(step))) : h("p", { class: "hint" }, P.noObjectives),
      h("h4", {}, P.progress),
      said.length
        ? h("ul", { class: "plain plan__said" }, said.map(({ session, date, text }) => h("li", {},
          h("a", { class: "link", href: sessionAddress(session), "aria-label": P.noteOf(day(date)) }, day(date)), h("span", { dir: "auto" }, ` ${text}`))))
        : h("p", { class: "hint" }, P.noProgress));
  }

  #step(step) {
    const late = step.date && step.date < this.#today() && ["", "partly"].includes(step.status);
    const facts = [step.baseline && P.baseline(step.baseline), step.target && P.target(step.target), step.date && P.by(day(step.date)), step.measure && P.measure(step.measure)];
    return h("li", {}, h("p", { dir: "auto" }, step.text, " ", h("span", { class: "plan__state", "data-state": late ? "late" : step.status || "open" },
      late ? P.late(P.states[step.status]) : P.states[step.status])), h("p", { class: "hint", dir: "auto" }, facts.filter(Boolean).join(" · ")));
  }
}

const DATES = ["date", "signed_on"];
