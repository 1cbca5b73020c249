// Past sessions from a file.

import { h, newId, setChildren, setText } from "../view/dom.js";
import { field } from "./plan_box.js";
import { W } from "./words.js";

const SHOWN = 12;

export class ImportBox {
  #take;
  #file = h("input", { class: "select", id: newId("file"), type: "file", accept: ".csv,.tsv,.txt,.ics,text/csv,text/calendar" });
  #dates = h("select", { class: "select", id: newId("dates") });
  #said = h("p", { class: "hint", role: "status" });
  #remarks = h("div");

  constructor(take, words = W.importTitle, lead = W.importLead) {
    this.#take = take;
    const choices = [["", W.datesAuto], ["month_first", W.datesMonth], ["day_first", W.datesDay]];
    this.#dates.append(...choices.map(([value, words]) => h("option", { value }, words)));
    const title = newId("import");
    this.element = h("section", { class: "part", "aria-labelledby": title }, h("h2", { id: title }, words),
      h("p", { class: "hint" }, lead),
      h("form", { class: "import", on: { submit: (event) => { event.preventDefault(); this.#run(); } } },
        field(W.file, this.#file), field(W.dates, this.#dates), h("button", { class: "button", type: "submit" }, W.take)),
      this.#said, this.#remarks);
  }

  async #run() {
    const file = this.#file.files[0];
    if (!file) {
      setText(this.#said, W.noFile);
      return this.#file.focus();
    }
    const taken = await this.#take(file, this.#dates.value);
    setText(this.#said, taken ? W.taken(taken) : "");
    setChildren(this.#remarks, taken ? [lines(W.faults, taken.faults), lines(W.leftOut, taken.left_out)].filter(Boolean) : []);
  }
}

function lines(title, remarks) {
  if (!remarks.length) return null;
  const shown = remarks.slice(0, SHOWN).map((one) => h("li", {}, W.remark(one.line, one.message)));
  if (remarks.length > SHOWN) shown.push(h("li", {}, W.more(remarks.length - SHOWN)));
  return h("div", {}, h("h3", {}, title), h("ul", { class: "lines" }, shown));
}
