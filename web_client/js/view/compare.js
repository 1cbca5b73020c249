// Beside the note: the client's last one with what stands in both, and the moments that the clinician marked.

import { clock } from "../strings.js";
import { R } from "../strings_review.js";
import { button, focusOn, h, setAttribute, setChildren, setHidden, setText } from "./dom.js";

const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeZone: "UTC" });
const folded = (text) => text.toLocaleLowerCase().replace(/[^\p{L}\d]+/gu, " ").trim();
// Lines of chart and clock are the same by right: only what tells of a session must differ.
const OF_SESSION = new Set(["transcript", "clinician"]);

export class CompareView {
  button;
  element = h("section", { class: "section compare", hidden: true, "aria-label": R.compare.open });
  #actions;
  #open = false;
  #client;

  constructor(actions) {
    this.#actions = actions;
    this.button = button(R.compare.open, () => this.#toggle(), { "aria-expanded": "false" });
  }

  render(state, note) {
    this.note = note;
    this.client = state.session?.client ?? null;
    if (this.#client !== undefined && this.#client !== this.client) this.#close();
    this.#client = this.client;
  }

  async #toggle() {
    if (this.#open) return this.#close();
    const earlier = this.client ? await this.#actions.earlier() : null;
    if (earlier === undefined) return;
    this.#open = true;
    setHidden(this.element, false);
    setText(this.button.lastChild, R.compare.close);
    setAttribute(this.button, "aria-expanded", "true");
    const title = h("h2", { tabindex: "-1" }, earlier ? R.compare.title(DAY.format(new Date(`${earlier.date}T00:00:00Z`))) : R.compare.open);
    const words = this.client ? R.compare.none : R.compare.noClient;
    setChildren(this.element, [title, ...(earlier ? this.#sections(earlier.note) : [h("p", { class: "hint" }, words)])]);
    focusOn(title);
  }

  #sections(last) {
    const mine = new Set((this.note.sections ?? []).flatMap((section) => section.statements).map((one) => folded(one.text)));
    let count = 0;
    const parts = last.sections.filter((section) => section.statements.length).map((section) => h("div", {}, h("h3", {}, section.name),
      h("ul", { class: "lines" }, section.statements.map((one) => {
        const same = OF_SESSION.has(one.provenance) && mine.has(folded(one.text));
        count += same;
        return h("li", { "data-same": same }, h("span", { dir: "auto" }, one.text), same ? h("span", { class: "tag" }, R.compare.same) : null);
      }))));
    return [h("p", { class: "hint" }, R.compare.lead), h("p", { class: "notice__what" }, R.compare.sameCount(count)), ...parts];
  }

  #close() {
    if (!this.#open) return;
    this.#open = false;
    setHidden(this.element, true);
    setText(this.button.lastChild, R.compare.open);
    setAttribute(this.button, "aria-expanded", "false");
  }
}

/** The marked moments, each leading to what was said then; null where there is none. */
export function marks(state, actions) {
  const moments = state.marks;
  if (!moments.length) return null;
  const links = moments.map((at, index) => {
    const said = state.utterances.findLast((one) => one.start <= at) ?? state.utterances[0];
    const show = () => said && actions.showEvidence({ ids: [said.id], focus: said.id, origin: `mark.${index}` });
    return h("li", {}, h("button", { type: "button", class: "evidence", "aria-label": R.marks.goTo(clock(at)), on: { click: show } }, clock(at)));
  });
  return h("section", { class: "section", "aria-label": R.marks.title }, h("h2", {}, R.marks.title), h("p", { class: "hint" }, R.marks.lead),
    h("ul", { class: "take" }, links));
}
