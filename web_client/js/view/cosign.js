// A note that needs a supervisor's signature too: what it waits for, the supervisor's two ways, and why it came back.

import { request } from "../api.js";
import { localTime } from "../strings.js";
import { R } from "../strings_review.js";
import { button, h, setHidden } from "./dom.js";
import { Field } from "./fields.js";
import { notice } from "./notice.js";

export class CosignView {
  #remark = new Field(R.cosign.remark, { rows: 3, hint: R.cosign.remarkHint, maxlength: 4000 });
  #ways;
  #asked = false;

  constructor(actions) {
    this.#ways = h("div", { class: "form", hidden: true },
      h("p", {}, button(R.cosign.give, () => actions.cosign(), { icon: "check", kind: "primary" })),
      this.#remark.element,
      h("p", {}, button(R.cosign.back, async () => {
        if (this.#remark.needs(R.cosign.missing) && await actions.sendBack(this.#remark.value)) this.#remark.value = "";
      })));
    this.element = h("section", { class: "section", "aria-label": R.cosign.title }, h("h2", {}, R.cosign.title),
      notice("busy", R.cosign.awaited, R.cosign.awaitedMend), this.#ways);
  }

  /** Only a supervisor has the two ways: who is here is asked when it matters first. */
  async render() {
    if (this.#asked) return;
    this.#asked = true;
    const seat = await request("/api/seat").then((answer) => answer.json()).catch(() => null);
    setHidden(this.#ways, seat?.role !== "supervisor");
  }
}

/** Why a supervisor sent the note back, the newest last; nothing once it is signed again. */
export function remarks(note) {
  if (note.signed || !note.remarks?.length) return null;
  return h("section", { class: "section", "aria-label": R.cosign.remarks }, h("h2", {}, R.cosign.remarks),
    h("ol", { class: "addenda" }, note.remarks.map((one) => h("li", { class: "addendum" },
      h("p", { class: "addendum__head" }, R.cosign.remarkOf(one.who, localTime(one.at))),
      h("p", { class: "statement__text", dir: "auto" }, one.text)))));
}
