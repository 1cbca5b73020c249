// The clinician's own check-in. Answers live in the form alone; they are sent for pointers and forgotten.

import { button, focusOn, h, newId, setChildren, setHidden } from "../view/dom.js";
import { field } from "./plan_box.js";
import { W } from "./words.js";

export class CheckIn {
  #actions;
  #form = h("form", { class: "check", hidden: true, autocomplete: "off" });
  #pointers = h("div", { class: "pointers" });
  #open = button(W.selfCheckOpen, () => this.#show());

  constructor(actions) {
    this.#actions = actions;
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#ask(); });
    const title = newId("check");
    this.element = h("section", { class: "part", "aria-labelledby": title }, h("h2", { id: title }, W.selfCheckTitle),
      h("p", { class: "hint" }, W.selfCheck), h("p", {}, this.#open), this.#form, this.#pointers);
  }

  async #show() {
    const found = await this.#actions.check();
    if (!found) return;
    const country = h("select", { class: "select", id: newId("country"), name: "country" },
      found.countries.map((one) => h("option", { value: one.id, selected: one.id === here() }, one.name)), h("option", { value: "any" }, W.elsewhere));
    const questions = found.questions.map((question) => h("fieldset", { class: "question" }, h("legend", {}, question.text),
      question.answers.map((answer) => h("label", { class: "pick" },
        h("input", { type: "radio", name: question.id, value: answer.id }), h("span", {}, answer.text)))));
    setChildren(this.#form, [h("p", { class: "hint" }, found.intro), ...questions, field(W.country, country),
      h("button", { class: "button", type: "submit" }, W.pointers)]);
    setHidden(this.#form, false);
    setHidden(this.#open, true);
    this.#form.querySelector("input")?.focus();
  }

  async #ask() {
    const answers = Object.fromEntries(new FormData(this.#form));
    const { country } = answers;
    delete answers.country;
    const found = await this.#actions.pointers(answers, country);
    if (!found) return;
    const title = h("h3", { tabindex: "-1" }, W.pointersTitle);
    setChildren(this.#pointers, [title, ...found.pointers.map(pointer), h("p", { class: "hint" }, found.close)]);
    focusOn(title);
    this.#form.reset();
    setChildren(this.#form, []);
    setHidden(this.#form, true);
    setHidden(this.#open, false);
  }
}

const here = () => (navigator.language.split("-")[1] ?? "us").toLowerCase();

function pointer(one) {
  return h("div", { class: "pointer", "data-pointer": one.id }, h("p", { class: "pointer__title" }, one.title), h("p", {}, one.text),
    one.lines.length ? h("ul", { class: "lines" }, one.lines.map((line) => h("li", {}, h("b", {}, line)))) : null);
}
