// What all pages have around them: the ways between them, the skip link, the state of the network, the shell kept offline.

import { F } from "./strings_frame.js";
import { focusOn, h, setAttribute, setHidden, setText } from "./view/dom.js";

const WAYS = [["/today", F.ways.today], ["/", F.ways.session], ["/backlog", F.ways.backlog], ["/clients", F.ways.clients],
  ["/settings", F.ways.settings]];

/** Draws the frame of the page at `here`, with `foot` as its last line. */
export class Frame {
  #links;
  #network = h("p", { class: "network", role: "status", hidden: true }, F.offline);
  #install = h("button", { type: "button", class: "button button--small", hidden: true }, F.install);

  constructor(here, foot) {
    const skip = document.getElementById("skip");
    setText(skip, F.skip);
    skip.addEventListener("click", (event) => {
      // The address keeps what stands after its hash: the link may not put its own there.
      event.preventDefault();
      focusOn(document.getElementById("main"));
    });
    this.#links = WAYS.map(([href, words]) =>
      h("a", { class: "way", href, "aria-current": href === here ? "page" : null }, words));
    // Both stand in the page's own HTML, so that something is seen before the scripts are there.
    document.getElementById("loading")?.remove();
    document.querySelector(".wordmark").setAttribute("aria-label", F.home);
    document.getElementById("masthead").append(
      h("nav", { class: "ways", "aria-label": F.navigation }, this.#links), this.#network);
    document.getElementById("footer").append(h("p", {}, foot), h("p", {}, this.#install));
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#online());
    this.#online();
    this.#offerInstall();
    keepShell();
  }

  /** While a session runs the ways open beside it: to leave its page would stop the recording. */
  busy(busy) {
    for (const link of this.#links) {
      setAttribute(link, "target", busy ? "_blank" : null);
      setAttribute(link, "rel", busy ? "noopener" : null);
    }
  }

  #online() {
    setHidden(this.#network, navigator.onLine);
  }

  #offerInstall() {
    let offer = null;
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      offer = event;
      setHidden(this.#install, false);
    });
    this.#install.addEventListener("click", () => {
      offer?.prompt();
      setHidden(this.#install, true);
    });
  }
}

/** The worker keeps pages, styles and scripts, never anything of a session. Without it all works but an offline start. */
function keepShell() {
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {});
}

/** A part of a page under its heading. */
export function part(title, ...children) {
  const heading = h("h2", {}, title);
  return h("section", { class: "part", "aria-label": title }, heading, ...children);
}
