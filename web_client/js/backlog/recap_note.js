// The note of a recap: where each line comes from, what is still to say, and the text for the record.

import { sessionAddress } from "../addresses.js";
import { button, focusOn, h, newId, setChildren, setHidden, setText } from "../view/dom.js";
import { field } from "./plan_box.js";
import { W } from "./words.js";

export class RecapNote {
  #actions;
  #recap = null;
  #body = h("div", { class: "recap__sections" });
  #questions = h("div");
  #said = h("p", { class: "hint", role: "status" });
  #sign = h("div");
  #box = null;
  #open = h("a", { class: "button" }, W.editNote);
  #plain = h("textarea", { class: "recap__text", readonly: true, rows: "8", "aria-label": W.noteTitle, hidden: true });

  constructor(actions) {
    this.#actions = actions;
    this.title = h("h3", { tabindex: "-1" }, W.noteTitle);
    const tools = h("p", { class: "recap__tools" }, this.#open, button(W.copy, () => this.#copy(), { icon: "copy" }),
      button(W.signed, () => actions.sign(), { icon: "check" }));
    this.element = h("article", { class: "recap__note", hidden: true, "aria-label": W.noteTitle },
      this.title, this.#questions, this.#body, this.#sign, tools, this.#said, this.#plain);
  }

  /** Signing comes with the first note: nobody needs it before. */
  async #offerSign(recap, reason) {
    this.#box ??= import("./sign_box.js").then(({ SignBox }) => {
      const box = new SignBox({ signed: () => this.#actions.signed(), problem: (error) => this.#actions.problem(error) });
      this.#sign.append(box.element);
      return box;
    });
    try {
      await (await this.#box).render(recap, reason);
    } catch (error) {
      this.#actions.problem(error.code ? error : { code: "unreachable" });
    }
  }

  /** `reason` is why the note is late, where that was said. */
  render(recap, reason = "") {
    this.#recap = recap;
    this.#open.href = sessionAddress(recap.id);
    this.#offerSign(recap, reason);
    setHidden(this.element, false);
    setHidden(this.#plain, true);
    setText(this.#said, "");
    const header = recap.header ? [h("p", { class: "recap__late" }, recap.header)] : [];
    setChildren(this.#body, [...header, ...recap.note.sections.map(section), checks(recap.note.checks)].filter(Boolean));
    setChildren(this.#questions, recap.questions.length ? [this.#form(recap)] : []);
  }

  #form(recap) {
    const fields = recap.questions.map((question, index) => {
      const input = h("input", { class: "select", id: newId("answer"), type: "text", maxlength: "2000", name: recap.question_kinds[index] });
      return field(question, input);
    });
    const submit = async (event) => {
      event.preventDefault();
      const given = [...event.target.elements].filter((one) => one.name && one.value.trim());
      if (!given.length) return event.target.elements[0].focus();
      const made = await this.#actions.answer(this.#recap.id, Object.fromEntries(given.map((one) => [one.name, one.value.trim()])));
      if (!made) return;
      this.render(made);
      focusOn(this.title);
    };
    return h("form", { class: "recap__questions", on: { submit } }, h("h4", {}, W.questionsTitle), ...fields,
      h("button", { class: "button", type: "submit" }, W.answer));
  }

  async #copy() {
    const text = recapText(this.#recap);
    try {
      await navigator.clipboard.writeText(text);
      setText(this.#said, W.copied);
    } catch {
      this.#plain.value = text;
      setHidden(this.#plain, false);
      this.#plain.select();
      setText(this.#said, W.copyFailed);
    }
  }
}

function section(one) {
  const lines = one.statements.map((said) => h("li", { "data-source": said.provenance },
    h("span", { dir: "auto" }, said.text), " ", h("span", { class: "source" }, W.sources[said.provenance] ?? "")));
  return lines.length ? h("section", { "aria-label": one.name }, h("h4", {}, one.name), h("ul", { class: "lines" }, lines)) : null;
}

function checks(list) {
  if (!list?.length) return null;
  return h("details", { class: "recap__checks" }, h("summary", {}, W.checks(list.length)),
    h("ul", { class: "lines" }, list.map((one) => h("li", {}, h("b", {}, `${W.severities[one.severity] ?? ""}: `), one.message))));
}

/** The note for the clinician's record: what is told, and what must be said of risk; no prompts of ours. */
export function recapText(recap) {
  const sections = recap.note.sections.map((one) => {
    const told = one.statements.filter((said) => said.provenance !== "suggestion" || said.text.startsWith("Risk:"));
    return told.length ? [one.name, ...told.map((said) => said.text)].join("\n") : "";
  });
  return `${[recap.header, ...sections].filter(Boolean).join("\n\n")}\n`;
}
