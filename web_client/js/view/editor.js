// A field for a sentence or a section, with Save and Cancel. Ctrl+Enter saves, Escape leaves things as they were.

import { R } from "../strings_review.js";
import { button, h, newId, setAttribute, setHidden, setText } from "./dom.js";

export class Editor {
  #place;
  #given;
  #field;
  #error;
  #save;
  #fresh = true;
  #opened = false;

  constructor(place, given, cancel) {
    this.#place = place;
    this.#given = given;
    const [label, hint, error] = [newId("edit"), newId("edit"), newId("edit")];
    this.#field = h("textarea", { class: "textarea", rows: given.rows, id: newId("edit"), "aria-labelledby": label,
      "aria-describedby": `${hint} ${error}`, dir: "auto" });
    this.#field.value = given.text;
    this.#error = h("p", { class: "field-error", id: error, role: "alert" });
    this.#save = button(R.edit.save, () => this.#submit(), { kind: "primary" });
    this.element = h("div", { class: "editor", on: { keydown: (event) => this.#key(event, cancel) } },
      h("label", { class: "editor__label", id: label, for: this.#field.id }, given.label), this.#field,
      h("p", { class: "hint", id: hint }, [given.hint, R.edit.keys].filter(Boolean).join(" ")), this.#error,
      h("div", { class: "editor__buttons" }, this.#save, button(R.edit.cancel, cancel)));
  }

  is(place) {
    return JSON.stringify(place) === JSON.stringify(this.#place);
  }

  /** New ways to save after a new rendering; what was typed stays. */
  use(given) {
    this.#given = given;
    this.#fresh = this.#fresh || this.element.contains(document.activeElement);
  }

  settle(saving) {
    setAttribute(this.#save, "aria-disabled", saving ? "true" : null);
    setText(this.#save.querySelector("span"), saving ? R.edit.saving : R.edit.save);
    if (!this.#fresh || !this.element.isConnected) return;
    this.#fresh = false;
    this.#field.focus();
    if (this.#opened) return;
    this.#opened = true;
    const at = this.#given.rows > 2 ? 0 : this.#field.value.length;
    this.#field.setSelectionRange(at, at);
  }

  #submit() {
    if (this.#save.getAttribute("aria-disabled")) return;
    const text = this.#field.value;
    setText(this.#error, text.trim() ? "" : R.edit.empty);
    setHidden(this.#error, Boolean(text.trim()));
    if (text.trim()) this.#given.save(text);
    else this.#field.focus();
  }

  #key(event, cancel) {
    if (event.key === "Escape") {
      event.stopPropagation();
      cancel();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#submit();
    }
  }
}
