// The details of a session with its note.

import { D } from "../strings_details.js";
import { DetailsFields } from "./details.js";
import { h, icon, setText } from "./dom.js";

/** The details with the note, folded away when they are filled in. */
export class DetailsView {
  #fields = new DetailsFields();
  #title = h("span", { class: "details__known" });
  #save = h("span", {}, D.save);
  #busy = false;
  #settled = false;

  constructor(actions) {
    const submit = async (event) => {
      event.preventDefault();
      const given = this.#busy ? null : this.#fields.given();
      if (!given) return;
      this.#wait(true);
      await actions.details(given);
      this.#wait(false);
    };
    this.element = h("details", { class: "details section" },
      h("summary", { class: "details__summary" }, h("h2", {}, D.title), this.#title),
      h("p", { class: "hint" }, D.lead),
      h("form", { class: "form", novalidate: true, autocomplete: "off", on: { submit } }, this.#fields.element,
        h("p", {}, h("button", { type: "submit", class: "button" }, icon("check"), this.#save))));
  }

  #wait(busy) {
    this.#busy = busy;
    setText(this.#save, busy ? D.saving : D.save);
  }

  render(state) {
    const { client = null, context = {} } = state.session ?? {};
    this.#fields.list(state.charts);
    this.#fields.show(client, context);
    const chart = state.charts.find((one) => one.id === client);
    setText(this.#title, D.summary(chart?.client ?? "", D.modalities[context.modality ?? ""] && context.modality ? D.modalities[context.modality] : ""));
    if (this.#settled) return;
    this.#settled = true;
    this.element.open = !client || !context.modality;
  }
}
