// Around the note while it is reviewed: what to look at first, the signature, addenda, and files to take along.

import { exportUrl } from "../api.js";
import { errorsOf, firstLooks, isLate } from "../review.js";
import { isWritten } from "../selectors.js";
import { isSigned } from "../signed.js";
import { S, localTime } from "../strings.js";
import { R } from "../strings_review.js";
import { whose } from "../whose.js";
import { h, icon, newId, setText } from "./dom.js";
import { notice } from "./notice.js";

const SHOWN_CHARACTERS = 110;

/** The statements that need a look, the least certain first; each leads to its place. */
export function firstLook(state, note, goTo) {
  const looks = firstLooks(state, note);
  return h("section", { class: "section", "aria-label": R.first.title },
    h("h2", {}, R.first.title), h("p", { class: "hint" }, looks.length ? R.first.lead : R.first.none),
    looks.length ? h("ul", { class: "looks" }, looks.map(({ kind, section, index, text }) => {
      const short = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
      return h("li", { class: "look", "data-kind": kind }, h("button", {
        type: "button", class: "look__link", on: { click: () => goTo(section, index) },
      }, h("span", { class: "look__kind" }, icon(kind === "unsupported" ? "warning" : "info"), h("span", {}, `${R.first.kinds[kind]} · ${section}`)),
      h("span", { class: "look__text", dir: "auto" }, short)));
    })) : null);
}

/** A field with its label; the error of a field that must not be empty stands under it. */
class Field {
  constructor(name, label, { hint = "", rows = 0, value = "", complaint = "", ...more } = {}) {
    const id = newId(name);
    this.name = name;
    this.complaint = complaint;
    this.input = rows
      ? h("textarea", { class: "textarea", id, rows, dir: "auto", "aria-describedby": `${id}-hint ${id}-error` })
      : h("input", { class: "input", id, type: "text", dir: "auto", "aria-describedby": `${id}-hint ${id}-error`, ...more });
    this.input.value = value;
    this.error = h("p", { class: "field-error", id: `${id}-error` });
    this.element = h("div", { class: "field field--wide" }, h("label", { for: id }, label), this.input,
      h("p", { class: "hint", id: `${id}-hint`, hidden: !hint }, hint), this.error);
  }

  get value() {
    return this.input.value.trim();
  }

  /** Whether it holds what it must; says so where it does not. */
  check() {
    const fine = Boolean(this.value) || !this.complaint || this.element.hidden;
    setText(this.error, fine ? "" : this.complaint);
    this.input.setAttribute("aria-invalid", String(!fine));
    return fine;
  }
}

/** The first field that is not filled in takes the focus; whether all are. */
function checked(fields) {
  const wrong = fields.filter((field) => !field.check());
  wrong[0]?.input.focus();
  return wrong.length === 0;
}

/** With accounts the signature is the account's, whatever is sent: there is nothing to fill in. `who` shows whose it is. */
async function signAsSeated(signer, credentials, who) {
  const seat = await whose();
  if (seat?.mode !== "account") return false;
  signer.input.value = seat.name;
  credentials.input.value = seat.credentials || seat.name; // none is ignored as well, and empty would be refused
  for (const field of [signer, credentials]) field.element.hidden = true;
  setText(who, R.sign.as([seat.name, seat.credentials].filter(Boolean).join(", ")));
  who.hidden = false;
  return true;
}

export class SignView {
  #signer = new Field("signer", R.sign.signer, { complaint: R.sign.missing.signer, autocomplete: "name" });
  #credentials = new Field("credentials", R.sign.credentials, { hint: R.sign.credentialsHint, complaint: R.sign.missing.credentials });
  #override = new Field("override", R.sign.override, { rows: 2, complaint: R.sign.missing.override });
  #late = new Field("late", R.sign.late, { rows: 2, hint: R.sign.lateHint, complaint: R.sign.missing.late_reason });
  #errors = h("div", {});
  #unsaved = h("p", { class: "field-error", role: "alert" });
  #editing = false;
  #filled = false;

  constructor(actions) {
    const submit = (event) => {
      event.preventDefault();
      setText(this.#unsaved, this.#editing ? R.sign.unsaved : "");
      if (this.#editing || !checked([this.#signer, this.#credentials, this.#override, this.#late])) return;
      actions.sign({ signer: this.#signer.value, credentials: this.#credentials.value, ...this.#reasons() });
    };
    const who = h("p", { hidden: true });
    this.element = h("section", { class: "section", "aria-label": R.sign.title }, h("h2", {}, R.sign.title),
      h("p", { class: "hint" }, R.sign.lead), this.#errors,
      h("form", { class: "form", novalidate: true, on: { submit } }, this.#signer.element, this.#credentials.element,
        who, this.#override.element, this.#late.element, this.#unsaved,
        h("p", {}, h("button", { type: "submit", class: "button button--primary" }, icon("check"), h("span", {}, R.sign.submit)))));
    signAsSeated(this.#signer, this.#credentials, who);
  }

  #reasons() {
    return {
      ...(this.#override.element.hidden ? {} : { override: this.#override.value }),
      ...(this.#late.element.hidden ? {} : { late_reason: this.#late.value }),
    };
  }

  /** Why the note is late, as it was said before; what stands there already stays. */
  late(reason) {
    this.#late.input.value ||= reason;
  }

  render(state, note) {
    this.#editing = state.editor !== null;
    if (!this.#editing) setText(this.#unsaved, "");
    const count = errorsOf(note).length;
    this.#override.element.hidden = count === 0;
    this.#late.element.hidden = !isLate(state.session?.context?.service_date ?? state.ended?.at, state.clock.nowMs);
    this.#errors.replaceChildren(...(count ? [notice("busy", R.sign.errors(count), "")] : []));
    const known = state.session?.context ?? {};
    if (!this.#filled && !this.#signer.element.hidden && known.provider) {
      this.#filled = true;
      this.#signer.input.value ||= known.provider;
      this.#credentials.input.value ||= known.credentials ?? "";
    }
  }
}

/** Who signed and when; what it was signed in spite of; whether it is still what was signed. */
export function signature(note) {
  const { signed } = note;
  if (!signed) return null;
  const who = [signed.signer, signed.credentials].filter(Boolean).join(", ");
  return h("section", { class: "section", "aria-label": R.sign.title }, h("h2", {}, R.sign.title),
    signed.intact === false ? notice("bad", R.sign.broken, "") : null,
    h("p", {}, R.sign.by(who, localTime(signed.signed_at))),
    signed.cosigned ? h("p", {}, R.cosign.by([signed.cosigned.by, signed.cosigned.credentials].filter(Boolean).join(", "), localTime(signed.cosigned.at))) : null,
    note.late_entry ? h("p", {}, note.late_entry) : null,
    signed.override ? h("p", {}, R.sign.override_was(signed.override)) : null,
    h("p", { class: "hint digest" }, `${R.sign.digest}: ${signed.digest}`));
}

export class AddendaView {
  #signer = new Field("added-by", R.sign.signer, { complaint: R.sign.missing.signer, autocomplete: "name" });
  #credentials = new Field("added-credentials", R.sign.credentials, {});
  #text = new Field("addendum", R.addenda.text, { rows: 3, complaint: R.addenda.missing });
  #list = h("ol", { class: "addenda" });
  #none = h("p", { class: "hint" }, R.addenda.none);
  #filled = false;

  constructor(actions) {
    const submit = async (event) => {
      event.preventDefault();
      if (!checked([this.#text, this.#signer])) return;
      const kept = await actions.addend({ text: this.#text.value, who: this.#signer.value, credentials: this.#credentials.value });
      if (!kept) return;
      this.#text.input.value = "";
      this.#text.input.focus();
    };
    const who = h("p", { hidden: true });
    this.element = h("section", { class: "section", "aria-label": R.addenda.title }, h("h2", {}, R.addenda.title),
      this.#none, this.#list, h("p", { class: "hint" }, R.addenda.lead),
      h("form", { class: "form", novalidate: true, on: { submit } }, this.#text.element, this.#signer.element, this.#credentials.element, who,
        h("p", {}, h("button", { type: "submit", class: "button" }, icon("plus"), h("span", {}, R.addenda.submit)))));
    signAsSeated(this.#signer, this.#credentials, who).then((seated) => { this.#filled ||= seated; });
  }

  render(note) {
    const added = note.addenda ?? [];
    this.#none.hidden = added.length > 0;
    this.#list.replaceChildren(...added.map((one, at) => h("li", { class: "addendum" },
      h("p", { class: "addendum__head" }, R.addenda.head(at + 1, [one.who, one.credentials].filter(Boolean).join(", "), localTime(one.at))),
      h("p", { class: "statement__text", dir: "auto" }, one.text))));
    if (this.#filled || !note.signed) return;
    this.#filled = true;
    this.#signer.input.value = note.signed.signer;
    this.#credentials.input.value = note.signed.credentials ?? "";
  }
}

export class TakeView {
  #links;
  #id = "";
  #draft = h("p", { class: "hint" }, R.take.draft);
  #with;
  #hint;

  constructor() {
    this.#links = Object.entries(R.take.formats).map(([format, name]) =>
      h("a", { class: "button", download: true, "data-format": format, "aria-label": R.take.download(name) }, icon("down"), h("span", {}, name)));
    const hint = newId("take");
    this.#with = h("input", { type: "checkbox", "aria-describedby": hint, on: { change: () => this.#address() } });
    this.element = h("section", { class: "section", "aria-label": R.take.title }, h("h2", {}, R.take.title), this.#draft,
      h("p", { class: "take" }, this.#links), h("label", { class: "tick" }, this.#with, h("span", {}, R.take.transcript)),
      this.#hint = h("p", { class: "hint", id: hint }, R.take.transcriptHint));
  }

  render(state, note) {
    this.#draft.hidden = isSigned(note);
    for (const one of [this.#with.closest("label"), this.#hint]) one.hidden = isWritten(state);
    this.#id = state.session?.id ?? "";
    this.#address();
  }

  #address() {
    for (const link of this.#links) link.href = exportUrl(this.#id, link.dataset.format, this.#with.checked);
  }
}
