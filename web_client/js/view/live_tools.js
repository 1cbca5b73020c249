// The tools during a session: observations, marks, the quiet view, and what to mind before the end.

import { DeviceWatch } from "../device_watch.js";
import { bandWords, remindsOfRisk } from "../observing.js";
import { elapsed } from "../selectors.js";
import { L } from "../strings_live.js";
import { button, h, newId, setAttribute, setChildren, setHidden, setText } from "./dom.js";
import { notice } from "./notice.js";
import { pairing } from "./pairing.js";
import { RecordingTools } from "./recording.js";

export class LiveTools {
  #actions;
  #state = null;
  #band = h("p", { class: "band-line", "aria-live": "off" });
  #notices = h("div", { class: "live-notices" });
  #warnings = [];
  #seen = false; // the reminder was seen
  #shown = "";
  #chips = new Map();
  #own = h("input", { class: "input", id: newId("own"), type: "text", maxlength: 500, dir: "auto", autocomplete: "off" });
  #panel;
  #open;
  #mark;
  #quiet;
  #tablet;
  #recording;
  #code = h("div", { class: "card", id: newId("code"), hidden: true });
  #watch = new DeviceWatch(L, (words) => { this.#warnings = words; if (this.#state) this.#renderNotices(this.#state); });

  /** `actions`: observe(list), mark(), quiet(on). */
  constructor(actions) {
    this.#actions = actions;
    this.#open = button(L.observe, () => this.#toggle(), { icon: "eye", kind: "small", "aria-expanded": "false" });
    this.#mark = button(L.mark, () => actions.mark(), { icon: "mark", kind: "small" });
    this.#quiet = button(L.quiet, () => actions.quiet(!this.#state?.quiet), { icon: "quiet", kind: "small" });
    this.#tablet = button(L.tablet, () => this.#pair(), { kind: "small", "aria-expanded": "false", "aria-controls": this.#code.id });
    this.#recording = new RecordingTools(actions);
    this.#panel = this.#observations();
    this.#open.setAttribute("aria-controls", this.#panel.id);
    this.element = h("section", { class: "live-tools", "aria-label": L.tools }, this.#band, this.#notices,
      h("div", { class: "live-tools__row" }, this.#open, this.#mark, this.#quiet, this.#tablet),
      h("div", { class: "live-tools__row" }, this.#recording.buttons), this.#panel, this.#code, this.#recording.element);
  }

  #observations() {
    const groups = Object.entries(L.groups).map(([name, sentences]) => h("fieldset", { class: "chips" }, h("legend", {}, name),
      sentences.map((text) => this.#chip(text))));
    const add = (event) => {
      event.preventDefault();
      const text = this.#own.value.trim();
      if (!text) return this.#own.focus();
      this.#own.value = "";
      this.#send([...this.#given(), /[.!?]$/.test(text) ? text : `${text}.`]);
    };
    this.ownList = h("ul", { class: "chips" });
    return h("div", { class: "card observe", id: newId("observe"), hidden: true, on: { keydown: (event) => { if (event.key === "Escape") this.#toggle(false); } } },
      h("h2", {}, L.observeTitle), h("p", { class: "hint" }, L.observeLead), groups,
      h("form", { class: "observe__own", autocomplete: "off", on: { submit: add } }, h("label", { for: this.#own.id }, L.own), this.#own,
        h("button", { type: "submit", class: "button button--small" }, L.add)), this.ownList,
      h("p", {}, button(L.close, () => this.#toggle(false), { kind: "small" })));
  }

  #chip(text) {
    const chip = h("button", { type: "button", class: "chip", "aria-pressed": "false", on: { click: () => this.#flip(text) } }, text.replace(/\.$/, ""));
    this.#chips.set(text, chip);
    return chip;
  }

  #given() {
    return this.#state?.session?.context?.observations ?? [];
  }

  #flip(text) {
    const now = this.#given();
    this.#send(now.includes(text) ? now.filter((one) => one !== text) : [...now, text]);
  }

  #send(list) {
    this.#actions.observe(list);
  }

  #toggle(show = this.#panel.hidden) {
    setHidden(this.#panel, !show);
    setAttribute(this.#open, "aria-expanded", String(show));
    if (show) this.#panel.querySelector("button")?.focus();
    else this.#open.focus();
  }

  /** The address of this session for another device, which can then record in the place of this one. */
  #pair() {
    const show = this.#code.hidden;
    setChildren(this.#code, show ? pairing(location.href) : []);
    setHidden(this.#code, !show);
    setAttribute(this.#tablet, "aria-expanded", String(show));
  }

  /** A key of the page, where no field has the focus. */
  key(name) {
    if (this.#recording.isAsking) return;
    if (name === "o") this.#toggle();
    else if (name === "m") this.#actions.mark();
    else if (name === "q") this.#actions.quiet(!this.#state?.quiet);
    else this.#recording.key(name);
  }

  render(state) {
    this.#state = state;
    const live = state.phase === "live";
    this.#recording.render(state);
    setHidden(this.element, !live);
    if (!live) return this.#watch.stop();
    this.#watch.start();
    setText(this.#band, bandWords(elapsed(state)));
    setText(this.#quiet.lastChild, state.quiet ? L.loud : L.quiet);
    setAttribute(this.#quiet, "aria-pressed", String(state.quiet));
    this.#renderObserved();
    this.#renderNotices(state);
  }

  #renderObserved() {
    const given = this.#given();
    setText(this.#open.lastChild, L.observed(given.length));
    for (const [text, chip] of this.#chips) setAttribute(chip, "aria-pressed", String(given.includes(text)));
    const own = given.filter((text) => !this.#chips.has(text));
    const key = JSON.stringify(own);
    if (this.ownList.dataset.key === key) return;
    this.ownList.dataset.key = key;
    setChildren(this.ownList, own.map((text) => h("li", {}, h("button", {
      type: "button", class: "chip", "aria-pressed": "true", on: { click: () => this.#flip(text) },
    }, text))));
  }

  #renderNotices(state) {
    const remind = !this.#seen && remindsOfRisk(state, elapsed(state));
    const key = JSON.stringify([remind, this.#warnings]);
    if (key === this.#shown) return;
    this.#shown = key;
    const seen = () => { this.#seen = true; this.#renderNotices(this.#state); this.#open.focus(); };
    setChildren(this.#notices, [
      ...(remind ? [notice("info", L.risk, L.riskMend, h("p", {}, button(L.dismiss, seen, { kind: "small" })))] : []),
      ...this.#warnings.map((words) => notice("busy", words, ""))]);
  }
}
