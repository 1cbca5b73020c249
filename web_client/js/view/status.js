// The line that stays in sight while a session runs: what is happening, how long, how it is going, what to press.

import { callIsMissing, elapsed, health, isRecording, speakerName, speakers } from "../selectors.js";
import { isSigned } from "../signed.js";
import { recordingOf } from "../state.js";
import { S, clock } from "../strings.js";
import { canSwap, rolesWords } from "../who_is_who.js";
import { button, h, icon, newId, setAttribute, setChildren, setHidden, setText } from "./dom.js";
import { LevelView } from "./level.js";
import { renderDevices } from "./setup.js";

const TONES = { good: "check", busy: "info", bad: "stop" };

export class StatusView {
  #actions;
  #mark = h("span", { class: "state__mark", "aria-hidden": "true" });
  #state = h("span", { class: "state__words" });
  #time = h("span", { class: "state__time", role: "timer", "aria-label": S.live.elapsed, "aria-live": "off" });
  #healthIcon = h("span", { class: "health__icon" });
  #health = h("span", {});
  #line;
  #level = new LevelView();
  #record;
  #again;
  #device = h("select", { id: newId("device"), class: "select" });
  #deviceField;
  #swap;
  #call;
  #end;
  #tone = null;

  constructor(actions) {
    this.#actions = actions;
    this.#record = button(S.live.record, () => actions.recordHere(), { icon: "microphone" });
    this.#again = button(S.live.again, () => actions.retryNow());
    this.#call = button(S.setup.callChoose, () => actions.chooseCall(), { icon: "microphone" });
    this.#swap = button(S.live.swap, () => actions.swap(), { icon: "swap" });
    this.#end = button(S.live.end, () => actions.askEnd(), { icon: "end", kind: "end" });
    this.#device.addEventListener("change", () => actions.chooseDevice(this.#device.value));
    this.#deviceField = h("p", { class: "field" },
      h("label", { for: this.#device.id }, S.setup.microphoneChoice), this.#device);
    this.#line = h("div", { class: "health" }, this.#healthIcon, this.#health);
    this.element = h("section", { class: "status", "aria-label": S.live.connection },
      h("div", { class: "status__row" },
        h("p", { class: "state" }, this.#mark, this.#state, this.#time),
        this.#level.element),
      this.#line,
      h("div", { class: "status__mend" }, this.#deviceField, this.#again, this.#call, this.#record));
    this.controls = h("div", { class: "controls", role: "group", "aria-label": S.live.title }, this.#swap, this.#end);
  }

  focusEnd() {
    this.#end.focus();
  }

  render(state) {
    this.#level.render(state);
    setHidden(this.#level.element, !state.recorder || state.phase !== "live");
    this.#renderState(state);
    this.#renderMend(state);
    setText(this.#time, clock(elapsed(state) ?? 0));
    setHidden(this.#swap, !canSwap(state));
    setHidden(this.#end, state.phase !== "live");
    setHidden(this.controls, this.#swap.hidden && this.#end.hidden);
  }

  #renderState(state) {
    const { tone, text } = health(state);
    setText(this.#health, text);
    if (tone !== this.#tone) {
      this.#tone = tone;
      setAttribute(this.#line, "data-tone", tone);
      this.#healthIcon.replaceChildren(icon(TONES[tone]));
    }
    const off = state.phase === "live" && recordingOf(state) !== "on" ? recordingOf(state) : null;
    const mode = state.phase === "ending" ? "finishing" : off ?? (isRecording(state) ? "recording" : state.recorder ? "notRecording" : "watching");
    setAttribute(this.element, "data-mode", mode);
    setText(this.#state, S.live[mode]);
  }

  #renderMend(state) {
    const live = state.phase === "live";
    const { status } = state.media;
    setHidden(this.#call, !(live && callIsMissing(state)));
    setHidden(this.#record, !(live && !state.recorder));
    setHidden(this.#again, !(live && state.recorder && ["retrying", "unplugged", "stopped"].includes(status)));
    setHidden(this.#deviceField, !(live && state.recorder && status === "unplugged"));
    if (!this.#deviceField.hidden) renderDevices(this.#device, state.microphone);
  }
}

/** Who is who: one line of words, and a list to choose from where one tap would not do. */
export class RolesView {
  #words = h("p", { class: "roles__words" });
  #list = h("div", { class: "roles__list" });
  #choose = h("details", { class: "roles__choose" }, h("summary", {}, S.live.whoIsWho), this.#list);
  #key = "";

  constructor(actions) {
    this.actions = actions;
    this.element = h("div", { class: "roles" }, this.#words, this.#choose);
  }

  render(state) {
    setHidden(this.element, state.utterances.length === 0);
    setText(this.#words, rolesWords(state));
    const all = speakers(state);
    const many = all.length > 1 && !canSwap(state) && !isSigned(state.note);
    setHidden(this.#choose, !many);
    const key = many ? JSON.stringify([all, state.roles.by]) : "";
    if (key === this.#key) return;
    this.#key = key;
    setChildren(this.#list, many ? all.map((speaker) => this.#choice(state, speaker)) : []);
  }

  #choice(state, speaker) {
    const id = newId("role");
    const name = S.transcript.speaker(speaker);
    const known = state.roles.by[speaker];
    const choices = [...(known ? [] : [["", S.live.roleNone]]), ...Object.entries(S.transcript.roles)];
    const options = choices.map(([role, words]) => h("option", { value: role, selected: (known ?? "") === role }, words));
    return h("p", { class: "field field--row" },
      h("label", { for: id, "aria-label": S.live.roleOf(speakerName(state, speaker)) }, name),
      h("select", { id, class: "select", on: { change: (event) => this.actions.setRole(speaker, event.target.value) } }, options));
  }
}
