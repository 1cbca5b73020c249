// The buttons and questions of what is recorded.

import { recordingOf } from "../state.js";
import { S } from "../strings.js";
import { R } from "../strings_recording.js";
import { button, h, newId, setAttribute, setChildren, setText } from "./dom.js";

export class RecordingTools {
  #actions;
  #state = null;
  #off;
  #who = h("select", { id: newId("who"), class: "select" });
  #joins = h("select", { id: newId("joins"), class: "select" }, S.setup.others.map((one) => h("option", { value: one }, one)));
  #people = h("ul", { class: "people" });
  #dialogs;
  #key = "";

  /** `actions`: recording(name, ...given) does something; ask(what) opens a question, or closes it. */
  constructor(actions) {
    this.#actions = actions;
    this.#off = button(R.off, () => this.#do("toggle"), { icon: "pause", kind: "small" });
    this.#dialogs = {
      strike: this.#question(R.strikeTitle, [h("p", {}, R.strikeBody)], button(R.strikeConfirm, () => this.#do("strike"), { kind: "end" })),
      revoke: this.#question(R.revokeTitle, [h("p", {}, R.revokeBody),
        h("p", { class: "field" }, h("label", { for: this.#who.id }, R.revokeWho), this.#who)],
      button(R.revokeConfirm, () => this.#do("revoke", this.#who.value), { kind: "end" })),
      people: this.#question(R.peopleTitle, [h("p", {}, R.peopleLead), this.#people,
        h("p", { class: "field" }, h("label", { for: this.#joins.id }, R.joins), this.#joins,
          button(R.join, () => this.#do("join", this.#joins.value), { kind: "small" })),
        h("blockquote", { class: "script" }, S.setup.script.map((one) => h("p", {}, one)))], null),
    };
    this.buttons = [
      this.#off,
      button(R.strike, () => actions.ask("strike"), { kind: "small", "aria-haspopup": "dialog" }),
      button(R.people, () => actions.ask("people"), { kind: "small", "aria-haspopup": "dialog" }),
      button(R.revoke, () => actions.ask("revoke"), { kind: "small", "aria-haspopup": "dialog" }),
    ];
    this.element = h("div", {}, Object.values(this.#dialogs));
  }

  #do(name, ...given) {
    this.#actions.recording(name, ...given);
  }

  #question(words, body, confirm) {
    const title = newId("question");
    const text = newId("question");
    const leave = () => this.#actions.ask(null);
    return h("dialog", { class: "dialog", "aria-labelledby": title, "aria-describedby": text,
      on: { cancel: (event) => { event.preventDefault(); leave(); } } },
      h("h2", { id: title }, words), h("div", { id: text }, body),
      h("div", { class: "dialog__buttons" }, button(confirm ? R.keep : R.close, leave, { autofocus: true }), confirm));
  }

  /** A key of the page. */
  key(name) {
    if (name === "p") this.#do("toggle");
    else if (name === "x") this.#actions.ask("strike");
  }

  get isAsking() {
    return Boolean(this.#state?.asking);
  }

  render(state) {
    this.#state = state;
    const off = recordingOf(state) === "off_the_record";
    setText(this.#off.lastChild, off ? R.on : R.off);
    setAttribute(this.#off, "aria-pressed", String(off));
    this.#renderPeople(state.participants);
    for (const [name, dialog] of Object.entries(this.#dialogs)) {
      if (state.asking === name && !dialog.open) dialog.showModal();
      if (state.asking !== name && dialog.open) dialog.close();
    }
  }

  #renderPeople(people) {
    const key = JSON.stringify(people);
    if (key === this.#key) return;
    this.#key = key;
    setChildren(this.#who, people.filter(({ consent }) => consent).map(({ who }) => h("option", { value: who }, who)));
    setChildren(this.#people, people.map(({ who, consent }) => h("li", {},
      h("p", {}, h("strong", {}, who), ` ${consent ? R.agreed[consent.how] : R.notAgreed}`),
      consent ? null : h("p", { class: "acts-row" }, button(R.saysYes, () => this.#do("agree", who, "spoken"), { kind: "small" }),
        button(R.signed, () => this.#do("agree", who, "written"), { kind: "small" }),
        button(R.leaves, () => this.#do("leave", who), { kind: "small" })))));
  }
}
