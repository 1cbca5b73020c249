// A sign-in that is over in the middle of work. The page stays as it is, since it may hold what is nowhere else; the new
// sign-in is in a tab of its own, and what has waited goes on by itself once it is there.

import { F } from "./strings_frame.js";
import { h } from "./view/dom.js";
import { notice } from "./view/notice.js";
import { isSeated } from "./whose.js";

const LOOK_MS = 1500;
const NAME = "sameday:signed-out";

/** To be called by whoever is refused for having no sign-in. */
export function signedOut() {
  dispatchEvent(new Event(NAME));
}

/** Says so on the page until somebody is signed in again. */
export function watchSignIn() {
  let shown = null;
  addEventListener(NAME, () => {
    if (shown) return;
    const again = h("button", { type: "button", class: "button", on: { click: () => window.open("/sign-in?here") } }, F.seat.again);
    shown = h("div", { class: "signed-out", role: "alert" }, notice("bad", F.seat.over, F.seat.overMend, h("p", {}, again)));
    document.getElementById("main").before(shown);
    const look = setInterval(async () => {
      if (!(await isSeated())) return;
      clearInterval(look);
      shown.remove();
      shown = null;
      dispatchEvent(new Event("sameday:signed-in"));
    }, LOOK_MS);
  });
}
