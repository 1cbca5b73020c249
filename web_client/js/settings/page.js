// Settings: the clinician's own, the phrase library, what notes are made and checked by, this device.

import { DEFAULTS, defaults, keepDefaults, keepKeys, keysOn } from "../defaults.js";
import { Frame, part } from "../frame.js";
import { chosenFormat, rememberFormat } from "../memory.js";
import { practice } from "../practice.js";
import { Problems } from "../problems.js";
import { F } from "../strings_frame.js";
import { P } from "../strings_pages.js";
import { h, setChildren, setHidden, setText } from "../view/dom.js";
import { Field, form } from "../view/fields.js";
import { pairing } from "../view/pairing.js";
import { whose } from "../whose.js";
import { PhrasesBox } from "./phrases.js";

const T = P.settings;

export class SettingsPage {
  #problems = new Problems();
  #field = {};
  #format = new Field(T.format, { options: [] });
  #templates = h("div", { class: "folds" });
  #rules = h("ul", { class: "plain" });
  #device = h("ul", { class: "plain" });
  #keys = h("input", { type: "checkbox", checked: keysOn() });
  #self = h("p", { hidden: true });
  #phrases = new PhrasesBox(this.#problems);

  start() {
    new Frame("/settings", F.onServer);
    const known = defaults();
    for (const name of DEFAULTS) {
      const [words, hint] = T.fields[name];
      this.#field[name] = new Field(words, { hint, value: known[name], maxlength: 200, ...(name === "provider" ? { autocomplete: "name" } : {}) });
    }
    const mine = form(T.save, () => this.#save(), h("div", { class: "grid" }, DEFAULTS.map((name) => this.#field[name].element), this.#format.element),
      h("label", { class: "tick" }, this.#keys, h("span", {}, T.keys)));
    document.getElementById("main").append(this.#problems.element, h("header", { class: "head" }, h("h1", { tabindex: "-1" }, T.title)),
      h("div", { class: "columns" },
        h("div", { class: "side" }, part(T.you, this.#self, h("p", { class: "hint" }, T.youLead), mine), this.#phrases.element),
        h("div", { class: "side" }, part(T.device, this.#device), part(F.tablet.title, ...pairing(`${location.origin}/today`)),
          part(T.templates, h("p", { class: "hint" }, T.templatesLead), this.#templates),
          part(T.rules, h("p", { class: "hint" }, T.rulesLead), this.#rules),
          h("p", {}, h("a", { class: "way", href: "/ops" }, T.ops)), h("p", {}, h("a", { class: "way", href: "/audit" }, T.audit)))), this.#problems.said);
    this.#phrases.load();
    this.#problems.guard(() => this.#load());
    this.#showDevice();
    this.#showSelf();
  }

  /** With accounts name and license are the account's, and nobody is asked for them. */
  async #showSelf() {
    const seat = await whose();
    if (seat?.mode !== "account") return;
    setText(this.#self, T.self([seat.name, seat.credentials].filter(Boolean).join(", ")));
    setHidden(this.#self, false);
    for (const name of ["provider", "credentials"]) setHidden(this.#field[name].element, true);
  }

  async #load() {
    const [formats, packs] = await Promise.all([practice.formats(), practice.packs()]);
    setChildren(this.#format.input, formats.formats.map((one) => h("option", { value: one.key }, one.title)));
    this.#format.input.value = chosenFormat() ?? formats.default;
    setChildren(this.#templates, formats.formats.map((one) => h("details", {}, h("summary", {}, one.title),
      h("ol", { class: "lines" }, one.sections.map((section) => h("li", {}, typeof section === "string" ? section : section.name))))));
    setChildren(this.#rules, packs.packs.map((one) => h("li", {}, h("span", {}, one.title), " ",
      h("span", { class: "hint" }, [one.source, T.dated(one.dated)].filter(Boolean).join(", ")))));
  }

  #save() {
    keepDefaults(Object.fromEntries(DEFAULTS.map((name) => [name, this.#field[name].value])));
    keepKeys(this.#keys.checked);
    if (this.#format.value) rememberFormat(this.#format.value);
    this.#problems.say(T.saved);
  }

  async #showDevice() {
    const lines = [matchMedia("(display-mode: standalone)").matches ? T.installed : T.notInstalled];
    const kept = await Promise.race([navigator.serviceWorker?.ready, new Promise((resolve) => { setTimeout(resolve, 2000); })]);
    lines.push(kept ? T.shellKept : T.shellNotKept);
    const { usage, quota } = (await navigator.storage?.estimate?.()) ?? {};
    if (quota) lines.push(T.storage(size(usage ?? 0), size(quota)));
    setChildren(this.#device, lines.map((words) => h("li", {}, words)));
  }
}

/** Bytes for people. */
function size(bytes) {
  const [unit, name] = bytes >= 1e9 ? [1e9, "GB"] : [1e6, "MB"];
  return `${(bytes / unit).toFixed(1)} ${name}`;
}
