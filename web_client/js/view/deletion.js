// Deleting a session that is over, with the question before it; and the receipt, in its place afterwards.

import { addressOf } from "../memory.js";
import { isWritten } from "../selectors.js";
import { isSigned } from "../signed.js";
import { S, localTime } from "../strings.js";
import { R } from "../strings_recording.js";
import { whose } from "../whose.js";
import { button, h, newId, setChildren, setHidden, setText } from "./dom.js";

const X = R.deletion;

/** The last part of a session's page: deletes it, after a question that names what goes. */
export class DeletionView {
  #why = h("select", { id: newId("why"), class: "select" }, Object.entries(X.reasons).map(([value, words]) => h("option", { value }, words)));
  #title = h("h2", { id: newId("deletion") });
  #body = h("div", { id: newId("deletion") });
  #heading = h("h2", {}, X.title);
  #lead = h("p", { class: "hint" }, X.lead);
  #hint = h("p", { class: "hint", id: newId("signed") }, X.signedHint);
  #missing = h("p", { class: "field-error", id: newId("signed"), role: "alert" });
  #signedToo = h("input", { type: "checkbox", "aria-describedby": `${this.#hint.id} ${this.#missing.id}`, on: { change: () => this.#draw() } });
  #signed = [h("label", { class: "tick" }, this.#signedToo, h("span", {}, X.signedToo)), this.#hint, this.#missing];
  #mayAll = false; // whoever is here may delete a signed note
  #confirm;
  #dialog;
  #state = null;

  /** `actions`: recording("remove", why, signed) deletes the session; with `signed` its signed note too. */
  constructor(actions) {
    this.#confirm = button("", () => this.#send(actions), { kind: "end" });
    this.#dialog = h("dialog", { class: "dialog", "aria-labelledby": this.#title.id, "aria-describedby": this.#body.id },
      this.#title, this.#body, h("div", { class: "dialog__buttons" },
        button(R.keep, () => this.#dialog.close(), { autofocus: true }), this.#confirm));
    this.element = h("section", { class: "section deletion", "aria-label": X.title }, this.#heading, this.#lead,
      h("p", {}, button(X.open, () => this.#ask(), { kind: "end", "aria-haspopup": "dialog" })), this.#dialog);
    whose().then((seat) => {
      this.#mayAll = seat?.role === "supervisor" || seat?.mode === "single";
      if (this.#state) this.render(this.#state);
    });
  }

  render(state) {
    this.#state = state;
    setText(this.#heading, isWritten(state) ? X.titleWritten : X.title);
    setHidden(this.#lead, isWritten(state));
    // Of a written note that is signed there is no talk to delete, and the note stays for all but a few.
    setHidden(this.element, isWritten(state) && isSigned(state.note) && !this.#mayAll);
  }

  #ask() {
    this.#signedToo.checked = false;
    this.#draw();
    this.#dialog.showModal();
  }

  /** The question, by what is to go. */
  #draw() {
    const { session, charts, note } = this.#state;
    const client = charts.find((one) => one.id === session.client)?.client ?? "";
    const signed = isSigned(note);
    const [ask, confirm, parts, stays] = this.#words(signed);
    setText(this.#title, ask);
    setText(this.#confirm.lastChild, confirm);
    setText(this.#missing, "");
    setChildren(this.#body, [h("p", {}, h("strong", { dir: "auto" }, X.which(client, localTime(session.started_at)))),
      h("p", {}, X.goes), h("ul", { class: "plain deletion__list" }, parts.map((words) => h("li", {}, words))), h("p", {}, stays), ...(signed && this.#mayAll ? this.#signed : []),
      h("p", { class: "field" }, h("label", { for: this.#why.id }, X.why), this.#why)]);
  }

  #words(signed) {
    if (isWritten(this.#state)) return signed
      ? [X.askWrittenSigned, X.confirmWrittenSigned, X.partsWritten, X.stays] : [X.askWritten, X.confirmWritten, X.partsWritten, X.stays];
    if (!signed) return [X.ask, R.revokeConfirm, X.parts, X.stays];
    return this.#signedToo.checked ? [X.askAll, X.confirmAll, [...X.parts, X.partSigned], X.stays]
      : [X.askSigned, X.confirmSigned, X.partsSigned, X.staysSigned];
  }

  #send(actions) {
    const all = this.#signedToo.checked;
    if (isWritten(this.#state) && isSigned(this.#state.note) && !all) {
      setText(this.#missing, X.signedMissing);
      this.#signedToo.focus();
      return;
    }
    this.#dialog.close();
    actions.recording("remove", this.#why.value, all);
  }
}

/** What is shown in the place of a session that was deleted. */
export function receiptPanel(receipt, another) {
  const kinds = Object.entries(receipt.removed).filter(([, count]) => count);
  const part = receipt.scope === "transcript";
  const at = localTime(receipt.at);
  return h("section", { class: "lost" }, h("h1", { tabindex: "-1" }, part ? X.receiptTitlePart : R.receiptTitle),
    h("p", { class: "lead" }, receipt.who ? R.receiptLead(receipt.who, at) : X.receiptLead(X.reasons[receipt.why] ?? "", at, receipt.by)),
    h("h2", {}, R.receiptKinds), h("ul", { class: "plain" }, kinds.map(([name, count]) => h("li", {}, R.kind(name, count)))),
    h("p", { class: "hint" }, `${X.receiptOf} `, h("code", {}, receipt.session)),
    h("p", {}, part ? X.receiptKeptPart : R.receiptKept),
    h("p", { class: "acts-row" }, part ? h("a", { class: "button", href: addressOf(receipt.session) }, X.openNote) : null,
      button(S.note.another, another, { icon: "plus", kind: "primary" })));
}
