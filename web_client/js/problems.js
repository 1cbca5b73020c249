// Where a page says what failed and what to do, for pages without a session.

import { toProblem } from "./api.js";
import { h, setChildren, setText } from "./view/dom.js";
import { notice } from "./view/notice.js";

export class Problems {
  element = h("div", { class: "problem", role: "alert" });
  said = h("p", { class: "hidden", role: "status" });

  say(text) {
    setText(this.said, this.said.textContent === text ? `${text}\u00a0` : text);
  }

  /** What the work gives, or null where it failed: the page then says why. */
  async guard(work) {
    try {
      const done = await work();
      setChildren(this.element, []);
      return done;
    } catch (error) {
      this.show(error);
      return null;
    }
  }

  show(error) {
    const { message, mend } = toProblem(error);
    setChildren(this.element, [notice("bad", message, mend)]);
    this.element.scrollIntoView({ block: "nearest" });
  }
}
