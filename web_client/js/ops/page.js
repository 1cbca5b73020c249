// How the server is doing: its readiness and its metrics, read each five seconds while the page is looked at.

import { request } from "../api.js";
import { Frame } from "../frame.js";
import { F } from "../strings_frame.js";
import { P } from "../strings_pages.js";
import { h, setChildren, setText } from "../view/dom.js";
import { notice } from "../view/notice.js";
import { samples } from "./metrics_text.js";

const O = P.ops;
const PERIOD_MS = 5000;

export class OpsPage {
  #state = h("div", { role: "status" });
  #at = h("p", { class: "hint" });
  #tiles = h("dl", { class: "figures" });
  #rows = h("tbody");
  #shown = null;

  start() {
    new Frame("/ops", F.onServer);
    document.getElementById("main").append(
      h("header", { class: "head" }, h("h1", { tabindex: "-1" }, O.title), h("p", { class: "lead" }, O.lead)),
      h("div", { class: "side" }, this.#state, this.#at, this.#tiles,
        h("details", {}, h("summary", {}, O.all),
          h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": O.all }, h("table", { class: "metrics" },
            h("thead", {}, h("tr", {}, h("th", { scope: "col" }, O.metric), h("th", { scope: "col" }, O.value))), this.#rows)))));
    this.#look();
    setInterval(() => { if (document.visibilityState === "visible") this.#look(); }, PERIOD_MS);
  }

  async #look() {
    try {
      const [text, ready] = await Promise.all([
        request("/metrics").then((answer) => answer.text()), request("/readyz").then(() => true, () => false)]);
      this.#say(ready ? "good" : "busy", ready ? O.ready : O.notReady);
      this.#render(samples(text));
    } catch {
      this.#say("bad", O.away);
    }
  }

  #say(tone, words) {
    if (this.#shown === words) return;
    this.#shown = words;
    setChildren(this.#state, [notice(tone, words, "")]);
  }

  #render(found) {
    setText(this.#at, O.at(new Date().toLocaleTimeString(document.documentElement.lang)));
    setChildren(this.#tiles, found.filter((one) => one.name.startsWith("sameday_") && !one.bucket && !one.labels)
      .map((one) => h("div", {}, h("dt", {}, one.help || one.name), h("dd", {}, one.shown))));
    setChildren(this.#rows, found.map((one) => h("tr", {}, h("th", { scope: "row" }, `${one.name}${one.labels}`), h("td", {}, one.shown))));
  }
}
