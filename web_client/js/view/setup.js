// Before the session: who is there, consent, microphone, start.

import { MAX_PEOPLE, participants } from "../state.js";
import { addressOf } from "../memory.js";
import { S, localTime } from "../strings.js";
import { D } from "../strings_details.js";
import { button, focusOn, h, newId, setAttribute, setChildren, setHidden, setText } from "./dom.js";
import { DetailsFields } from "./details.js";
import { LevelView } from "./level.js";

export class SetupView {
  #actions;
  #title = h("h1", { tabindex: "-1" }, S.setup.title);
  #consent = h("ul", { class: "ticks" });
  #missing = h("p", { class: "field-error", id: newId("missing") });
  #level = new LevelView();
  #device = h("select", { id: newId("device"), class: "select" });
  #deviceField;
  #check;
  #checking;
  #start;
  #details = new DetailsFields();
  #known = h("span", { class: "details__known" });
  #with = h("p", { class: "lead", hidden: true });
  #appointment;
  #modes = [];
  #mode = null;
  #peopleField;
  #callBox;
  #callState = h("p", { class: "hint call-state", role: "status" });
  #why = h("p", { class: "hint" });
  #earlierList = h("ul", { class: "earlier" });
  #earlierCard;
  #earlier = null;
  #people = null;
  #setup = null;
  #microphone = null;

  constructor(actions) {
    this.#actions = actions;
    this.#check = button(S.setup.check, () => actions.check(), { icon: "microphone" });
    this.#start = button(S.setup.start, () => this.#begin(), { kind: "primary", "aria-describedby": this.#missing.id });
    this.#device.addEventListener("change", () => actions.chooseDevice(this.#device.value));
    this.#deviceField = h("p", { class: "field" },
      h("label", { for: this.#device.id }, S.setup.microphoneChoice), this.#device);
    this.#checking = h("div", { class: "checking" },
      this.#deviceField, h("p", { class: "hint" }, S.setup.tryIt), this.#level.element);
    this.element = h("div", { class: "setup" },
      h("header", { class: "setup__head" }, this.#title, this.#with, h("p", { class: "lead" }, S.setup.lead)),
      this.#peopleCard(), this.#consentCard(), this.#microphoneCard(), this.#detailsCard(),
      h("div", { class: "setup__start" }, this.#missing, this.#start),
      this.#earlierSessions());
  }

  focus() {
    focusOn(this.#title);
  }

  #peopleCard() {
    const name = newId("people");
    const choices = Array.from({ length: MAX_PEOPLE }, (_, index) => index + 1).map((count) =>
      h("label", { class: "choice" },
        h("input", { type: "radio", name, value: count, checked: count === 2, on: { change: () => this.#actions.people(count) } }),
        h("span", {}, S.setup.people(count))));
    return h("section", { class: "card", "aria-label": S.setup.peopleTitle },
      h("h2", {}, S.setup.peopleTitle),
      this.#modeChoice(),
      this.#peopleField = h("fieldset", { class: "choices" }, h("legend", {}, S.setup.peopleLegend), h("div", { class: "choices__row" }, choices)));
  }

  #modeChoice() {
    const name = newId("mode");
    this.#modes = Object.entries(S.setup.modes).map(([mode, words]) => h("input", { type: "radio", name, value: mode, checked: mode === "room",
      "aria-label": words, on: { change: () => this.#actions.mode(mode) } }));
    return h("fieldset", { class: "choices" }, h("legend", {}, S.setup.modeLegend), h("div", { class: "choices__row" },
      this.#modes.map((input) => h("label", { class: "choice" }, input, h("span", {}, S.setup.modes[input.value])))));
  }

  #callPart() {
    return h("div", { class: "checking" }, h("h3", {}, S.setup.callTitle), h("p", {}, S.setup.callLead),
      h("p", { class: "card__action" }, button(S.setup.callChoose, () => this.#actions.chooseCall())), this.#callState);
  }

  #renderMode(state) {
    const { mode } = state.setup;
    const call = mode === "call";
    for (const input of this.#modes) input.checked = input.value === mode;
    setHidden(this.#peopleField, call);
    setHidden(this.#callBox, !call);
    setText(this.#why, S.setup.processing[mode]);
    setText(this.#callState, state.call === "off" || state.call === "unplugged" ? S.setup.callOff : S.setup.callOn);
    setAttribute(this.#callState, "data-on", !["off", "unplugged"].includes(state.call));
    if (mode !== this.#mode && this.#mode !== null) this.#details.meets(call);
    this.#mode = mode;
  }

  #consentCard() {
    return h("section", { class: "card", "aria-label": S.setup.consentTitle },
      h("h2", {}, S.setup.consentTitle),
      h("p", {}, S.setup.consentLead),
      h("blockquote", { class: "script" }, S.setup.script.map((paragraph) => h("p", {}, paragraph))),
      this.#consent,
      h("p", { class: "hint" }, S.setup.refused));
  }

  #microphoneCard() {
    return h("section", { class: "card", "aria-label": S.setup.microphoneTitle },
      h("h2", {}, S.setup.microphoneTitle),
      h("p", {}, S.setup.microphoneLead),
      h("p", { class: "card__action" }, this.#check),
      this.#checking, this.#why, this.#callBox = this.#callPart());
  }

  #detailsCard() {
    return h("details", { class: "card details" },
      h("summary", { class: "details__summary" }, h("h2", {}, D.title), this.#known),
      h("p", { class: "hint" }, D.leadBefore), this.#details.element);
  }

  #begin() {
    const given = this.#details.given();
    if (given) this.#actions.begin(given);
  }

  #earlierSessions() {
    this.#earlierCard = h("section", { class: "card", "aria-label": S.setup.earlierTitle },
      h("h2", {}, S.setup.earlierTitle), this.#earlierList, h("p", { class: "hint" }, S.setup.earlierLead),
      h("p", {}, button(S.setup.forget, () => this.#actions.forget())));
    return this.#earlierCard;
  }

  render(state) {
    if (state.earlier !== this.#earlier) this.#renderEarlier(state.earlier);
    this.#details.list(state.charts);
    this.#renderAppointment(state.appointment);
    setText(this.#known, this.#details.words);
    this.#level.render(state);
    this.#renderMode(state);
    if (state.setup !== this.#setup) this.#renderConsent(state.setup);
    if (state.microphone !== this.#microphone) this.#renderMicrophone(state.microphone);
    const starting = state.phase === "starting";
    setText(this.#start.lastChild, starting ? S.setup.starting : S.setup.start);
    // aria-disabled, not disabled: the button keeps the focus while the session starts.
    setAttribute(this.#start, "aria-disabled", starting ? "true" : null);
  }

  #renderAppointment(appointment) {
    if (appointment === this.#appointment) return;
    this.#appointment = appointment;
    this.#details.suggest(appointment);
    if (appointment?.modality.startsWith("telehealth")) this.#actions.mode("call");
    setHidden(this.#with, !appointment);
    if (appointment) setText(this.#with, S.setup.with(appointment.name, appointment.start));
  }

  #renderEarlier(earlier) {
    this.#earlier = earlier;
    setHidden(this.#earlierCard, earlier.length === 0);
    setChildren(this.#earlierList, earlier.map(({ id, at }) =>
      h("li", {}, h("a", { class: "earlier__link", href: addressOf(id) }, S.setup.earlierLink(localTime(at))))));
  }

  #renderConsent(setup) {
    this.#setup = setup;
    if (setup.people !== this.#people) {
      this.#people = setup.people;
      this.#consent.replaceChildren(...participants(setup.people).map((_, index) => this.#tick(index)));
    }
    [...this.#consent.querySelectorAll("input")].forEach((input, index) => {
      input.checked = Boolean(setup.consent[index]);
      setAttribute(input, "aria-invalid", setup.missing.includes(index) ? "true" : null);
    });
    setText(this.#missing, setup.missing.length ? S.setup.missingConsent(setup.missing.map(S.setup.personName)) : "");
  }

  #tick(index) {
    const input = h("input", { type: "checkbox", "aria-describedby": this.#missing.id,
      on: { change: (event) => this.#actions.consent(index, event.target.checked) } });
    const person = S.setup.personName(index);
    const how = choice(S.setup.howOf(person), Object.entries(S.setup.how), (value) => this.#actions.how(index, value));
    const unnamed = [["", person], ...S.setup.others.map((one) => [one, one])];
    const other = index < 2 ? null : choice(S.setup.otherOf(person), unnamed, (value) => this.#actions.other(index, value));
    return h("li", { class: "consenting" }, h("label", { class: "tick" }, input, h("span", {}, S.setup.consentOf(index))), other, how);
  }

  focusMissing(index) {
    this.#consent.querySelectorAll("input")[index]?.focus();
  }

  #renderMicrophone(microphone) {
    this.#microphone = microphone;
    const open = microphone.status === "open";
    setText(this.#check.lastChild, open ? S.setup.stopCheck : S.setup.check);
    setAttribute(this.#check, "aria-disabled", microphone.status === "opening" ? "true" : null);
    setHidden(this.#checking, !open);
    renderDevices(this.#device, microphone);
  }
}

function choice(label, options, onChange) {
  return h("select", { class: "select", "aria-label": label, on: { change: (event) => onChange(event.target.value) } },
    options.map(([value, words]) => h("option", { value }, words)));
}

/** Fills a list of microphones; one without a name is numbered. */
export function renderDevices(select, microphone) {
  const devices = microphone.devices.length ? microphone.devices : [{ id: "", label: S.setup.microphoneDefault }];
  setChildren(select, devices.map((device, index) =>
    h("option", { value: device.id, selected: device.id === microphone.chosen }, device.label || S.setup.microphoneUnnamed(index + 1))));
}
