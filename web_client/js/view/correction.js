// A field in the place of an utterance's words, to put them right.

import { L } from "../strings_live.js";
import { h, newId } from "./dom.js";

/** `save(text)` and `cancel()` are told once; the field takes the focus when it is in the page. */
export function correction(text, { save, cancel }) {
  const field = h("textarea", { class: "textarea", id: newId("said"), rows: 2, maxlength: 4000, dir: "auto" });
  field.value = text;
  const done = (event) => {
    event?.preventDefault();
    const now = field.value.replace(/\s+/g, " ").trim();
    if (now && now !== text) save(now);
    else cancel();
  };
  const key = (event) => {
    if (event.key === "Escape") { event.stopPropagation(); cancel(); }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) done(event);
  };
  const element = h("form", { class: "correction", on: { submit: done } },
    h("label", { class: "hidden", for: field.id }, L.correctLabel), field, h("p", { class: "hint" }, L.correctHint),
    h("p", { class: "acts-row" }, h("button", { type: "submit", class: "button button--small" }, L.save),
      h("button", { type: "button", class: "button button--small", on: { click: cancel } }, L.cancel)));
  field.addEventListener("keydown", key);
  return { element, focus: () => { field.focus(); field.setSelectionRange(0, 0); } };
}
