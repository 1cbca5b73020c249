// Fields of a form under their names.

import { h, newId, setText } from "./dom.js";

/** A control under its label, with a hint and a place for what is wrong. */
export class Field {
  constructor(label, { hint = "", rows = 0, options = null, value = "", type = "text", ...more } = {}) {
    const id = newId("field");
    const told = `${id}-hint ${id}-error`;
    if (options) this.input = h("select", { class: "select", id, "aria-describedby": told, ...more }, options.map(([key, words]) => h("option", { value: key }, words)));
    else if (rows) this.input = h("textarea", { class: "textarea", id, rows, dir: "auto", "aria-describedby": told, ...more });
    else this.input = h("input", { class: "input", id, type, dir: type === "text" ? "auto" : null, autocomplete: "off", "aria-describedby": told, ...more });
    if (value || !options) this.input.value = value;
    this.error = h("p", { class: "field-error", id: `${id}-error` });
    this.element = h("div", { class: "field field--wide" }, h("label", { for: id }, label), this.input,
      h("p", { class: "hint", id: `${id}-hint`, hidden: !hint }, hint), this.error);
  }

  get value() {
    return this.input.value.trim();
  }

  set value(text) {
    this.input.value = text ?? "";
  }

  /** Whether it holds something; says what is missing, and takes the focus, where it does not. */
  needs(complaint) {
    const fine = Boolean(this.value);
    setText(this.error, fine ? "" : complaint);
    this.input.setAttribute("aria-invalid", String(!fine));
    if (!fine) this.input.focus();
    return fine;
  }
}

/** A form that is sent by its button or Enter; while the work runs its button waits. */
export function form(words, work, ...children) {
  const send = h("button", { type: "submit", class: "button button--primary" }, words);
  const submit = async (event) => {
    event.preventDefault();
    if (send.getAttribute("aria-disabled")) return;
    send.setAttribute("aria-disabled", "true");
    await work();
    send.removeAttribute("aria-disabled");
  };
  return h("form", { class: "form", novalidate: true, autocomplete: "off", on: { submit } }, ...children, h("p", {}, send));
}
