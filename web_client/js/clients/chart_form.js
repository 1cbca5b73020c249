// A client's chart as a form: read, changed, kept by version, deleted.

import { P } from "../strings_pages.js";
import { button, focusOn, h, newId, setAttribute, setChildren, setHidden, setText } from "../view/dom.js";
import { Field } from "../view/fields.js";
import { notice } from "../view/notice.js";
import { diagnosesOf, diagnosesText, linesOf, linesText, usualOf, usualText } from "./chart_text.js";
import { GoalsFields } from "./goals.js";

const C = P.clients;
const TEXTS = ["client", "date_of_birth", "payer", "setting"];
const LISTS = { diagnoses: [diagnosesText, diagnosesOf], medications: [linesText, linesOf], usual_interventions: [usualText, usualOf] };
const DATES = ["date_of_birth", "date", "signed_on"];

export class ChartForm {
  #actions;
  #chart = null;
  #busy = false;
  #title = h("h2", { tabindex: "-1", dir: "auto" });
  #version = h("p", { class: "hint" });
  #trouble = h("div", { role: "alert" });
  #field = {};
  #plan = {};
  #goals = new GoalsFields(() => this.#touched(true));
  #save = h("button", { type: "submit", class: "button button--primary" }, C.save);
  #unsaved = h("span", { class: "hint", hidden: true }, C.unsaved);
  #start = h("a", { class: "button" }, C.start);
  #delete = button(C.delete, () => this.#dialog.showModal(), { kind: "end" });
  #sessions = h("ul", { class: "plain" });
  #history = h("section", { class: "part", "aria-label": C.sessions }, h("h3", {}, C.sessions), this.#sessions);
  #dialog;

  /** `actions`: save(chart, version), reload(id), remove(id, version), each resolving to what the page should know. */
  constructor(actions) {
    this.#actions = actions;
    for (const [name, [words, hint]] of Object.entries(C.fields)) {
      this.#field[name] = new Field(words, { hint, rows: name in LISTS ? 2 : 0, ...(DATES.includes(name) ? { type: "date" } : {}), ...(name === "client" ? { maxlength: 200 } : {}) });
    }
    for (const [name, words] of Object.entries(C.planFields)) {
      this.#plan[name] = new Field(words, DATES.includes(name) ? { type: "date" } : {});
    }
    const group = (fields, names) => h("div", { class: "grid" }, names.map((name) => fields[name].element));
    const submit = (event) => { event.preventDefault(); this.#send(); };
    this.element = h("article", { class: "chart", hidden: true }, h("header", { class: "chart__head" }, this.#title, this.#version), this.#trouble,
      h("form", { class: "chart__form", novalidate: true, autocomplete: "off", on: { submit, input: () => this.#touched(true) } },
        h("section", { class: "part", "aria-label": C.person }, group(this.#field, TEXTS), this.#field.diagnoses.element, this.#field.medications.element, this.#field.usual_interventions.element),
        this.#goals.element,
        h("section", { class: "part", "aria-label": C.plan }, h("h3", {}, C.plan), group(this.#plan, Object.keys(C.planFields))),
        h("div", { class: "bar" }, this.#save, this.#unsaved, this.#start, this.#delete)),
      this.#history, this.#dialog = this.#askDelete());
  }

  /** Whether something was typed into the chart chosen last that is not kept yet, also while its plan is looked at. */
  get isUnsaved() {
    return !this.#unsaved.hidden;
  }

  /** Shows a chart, null for a new one; the focus goes to its first field or its name. */
  show(chart, { focus = true } = {}) {
    this.#chart = chart;
    setHidden(this.element, false);
    setText(this.#title, chart?.client || C.newTitle);
    setText(this.#version, chart ? C.version(chart.version) : "");
    for (const one of [this.#start, this.#delete, this.#history]) setHidden(one, !chart);
    if (chart) this.#start.href = `/#client=${encodeURIComponent(chart.id)}`;
    for (const name of TEXTS) this.#field[name].value = chart?.[name] ?? "";
    for (const [name, [text]] of Object.entries(LISTS)) this.#field[name].value = text(chart?.[name]);
    for (const name of Object.keys(this.#plan)) this.#plan[name].value = chart?.plan?.[name] ?? "";
    this.#goals.show(chart?.goals);
    setChildren(this.#trouble, []);
    this.#touched(false);
    if (!focus) return;
    if (chart) focusOn(this.#title);
    else this.#field.client.input.focus();
  }

  showSessions(rows) {
    setChildren(this.#sessions, rows.length ? rows : [h("li", { class: "hint" }, C.noSessions)]);
  }

  hide() {
    setHidden(this.element, true);
  }

  /** Nothing is left to be kept: the chart is gone. */
  drop() {
    this.hide();
    this.#touched(false);
  }

  given() {
    const body = {};
    for (const name of TEXTS) body[name] = this.#field[name].value;
    for (const [name, [, read]] of Object.entries(LISTS)) body[name] = read(this.#field[name].value);
    body.plan = Object.fromEntries(Object.entries(this.#plan).map(([name, field]) => [name, field.value]));
    return { ...body, goals: this.#goals.given() };
  }

  #touched(touched) {
    setHidden(this.#unsaved, !touched);
  }

  async #send(version = this.#chart?.version ?? 0) {
    if (this.#busy || !this.#field.client.needs(C.missing)) return;
    this.#wait(true);
    const answer = await this.#actions.save(this.#chart?.id ?? null, this.given(), version);
    this.#wait(false);
    if (answer === "conflict") return this.#conflict();
    if (answer) this.show(answer);
  }

  #wait(busy) {
    this.#busy = busy;
    setText(this.#save, busy ? C.saving : C.save);
    setAttribute(this.#save, "aria-disabled", busy ? "true" : null);
  }

  /** Somebody else was quicker. What was typed stays until one of the two is chosen. */
  #conflict() {
    const load = button(C.conflictLoad, async () => {
      const now = await this.#actions.reload(this.#chart.id);
      if (now) this.show(now);
    }, { kind: "small" });
    const keep = button(C.conflictKeep, async () => {
      const now = await this.#actions.reload(this.#chart.id);
      if (now) this.#send(now.version);
    }, { kind: "small" });
    setChildren(this.#trouble, [notice("busy", C.conflict, "", h("p", { class: "acts-row" }, load, keep))]);
    load.focus();
  }

  #askDelete() {
    const title = newId("delete");
    const close = () => { this.#dialog.close(); this.#delete.focus(); };
    const gone = async () => {
      this.#dialog.close();
      if (await this.#actions.remove(this.#chart.id, this.#chart.version)) this.drop();
    };
    return h("dialog", { class: "dialog", "aria-labelledby": title }, h("h2", { id: title }, C.deleteTitle),
      h("div", {}, h("p", {}, C.deleteBody)),
      h("div", { class: "dialog__buttons" }, button(C.deleteKeep, close, { autofocus: true }), button(C.delete, gone, { kind: "end" })));
  }
}
