// The note: sections, each statement with its source, risk, checks, time and code, and whether all of it is there.

import { completeness, lostParts } from "../account.js";
import { billingLine, noteText, riskName, riskState } from "../note_text.js";
import { isReviewed } from "../review.js";
import { draftFailed, isWritten, shownNote } from "../selectors.js";
import { isSigned } from "../signed.js";
import { S, duration, localTime } from "../strings.js";
import { N } from "../strings_note.js";
import { R } from "../strings_review.js";
import { button, focusOn, h, icon, newId, setChildren, setHidden, setText } from "./dom.js";
import { DetailsView } from "./details_note.js";
import { CompareView, marks } from "./compare.js";
import { CosignView, remarks } from "./cosign.js";
import { DeletionView } from "./deletion.js";
import { AddendaView, SignView, TakeView, firstLook, signature } from "./review.js";
import { SectionsView } from "./sections.js";
import { notice } from "./notice.js";

export class NoteView {
  #actions;
  #title = h("h1", { tabindex: "-1" }, N.note.title);
  #lead = h("p", { class: "lead" }, N.note.lead);
  #body = h("div", { class: "note__body" });
  #tools;
  #copied = h("p", { class: "note__copied" });
  #fallback = h("textarea", { class: "note__text", readonly: true, rows: "12", "aria-label": N.note.copyLabel });
  #copy;
  #format = h("select", { id: newId("format"), class: "select" });
  #formatField;
  #jump;
  #shown = [];
  #sections;
  #sign;
  #addenda;
  #cosign;
  #details;
  #take = new TakeView();
  #compare;
  #deletion;

  constructor(actions) {
    this.#actions = actions;
    this.#sections = new SectionsView(actions);
    this.#sign = new SignView(actions);
    this.#addenda = new AddendaView(actions);
    this.#cosign = new CosignView(actions);
    this.#details = new DetailsView(actions);
    this.#compare = new CompareView(actions);
    this.#deletion = new DeletionView(actions);
    this.#copy = button(N.note.copy, () => actions.copy(), { icon: "copy", kind: "primary" });
    this.#format.append(...Object.entries(S.note.formatNames).map(([value, name]) => h("option", { value }, name)));
    this.#format.addEventListener("change", () => actions.chooseFormat(this.#format.value));
    this.#formatField = h("p", { class: "field" }, h("label", { for: this.#format.id }, N.note.format), this.#format);
    // The address keeps the session's id: the link may not put its own fragment there.
    this.#jump = h("a", { class: "note__jump", href: "#sign", on: { click: (event) => {
      event.preventDefault();
      const title = this.#body.querySelector("[data-sign]");
      if (title) focusOn(title);
    } } });
    this.#tools = h("div", { class: "note__tools" }, this.#copy,
      this.#compare.button, button(S.note.another, () => actions.newSession(), { icon: "plus" }));
    this.element = h("article", { class: "note", "aria-label": N.note.title },
      h("header", { class: "note__head" }, this.#title, this.#lead, this.#formatField, this.#tools, this.#jump, this.#copied, this.#fallback), this.#compare.element, this.#body);
  }

  focus() {
    focusOn(this.#title, { scroll: true });
  }

  focusOrigin(evidence) {
    if (!this.#sections.focus(evidence?.origin)) this.focus();
  }

  focusSection(name) {
    this.#sections.focusSection(name);
  }

  render(state) {
    this.#renderCopied(state);
    const note = shownNote(state);
    const reviewed = isReviewed(note);
    setHidden(this.#formatField, !note || isSigned(note) || isWritten(state));
    const format = reviewed ? note.format : state.format ?? note?.format ?? "";
    if (this.#format.value !== format) this.#format.value = format;
    if (!state.editor) this.#sections.closed();
    if (reviewed) this.#renderReview(state, note);
    this.#deletion.render(state);
    this.#renderBody(state, note);
    this.#sections.settle(state);
  }

  #renderReview(state, note) {
    if (!isSigned(note)) this.#details.render(state);
    if (note.state === "awaiting") this.#cosign.render();
    else if (isSigned(note)) this.#addenda.render(note);
    else this.#sign.render(state, note);
    this.#take.render(state, note);
    this.#compare.render(state, note);
  }

  #renderBody(state, note) {
    const parts = [note, state.utterances, state.roles, state.failures, state.ended, state.gaps, state.session, state.noteStale, state.editor, state.marks];
    if (parts.every((part, index) => part === this.#shown[index])) return;
    const focused = this.#sections.focused();
    this.#shown = parts;
    const title = isSigned(note) ? R.titleSigned : N.note.title;
    setText(this.#title, note && N.note.formats[note.format] ? `${title} · ${N.note.formats[note.format]}` : title);
    setText(this.#lead, note?.state === "awaiting" ? R.leadAwaiting : isSigned(note) ? R.leadSigned : isWritten(state) ? R.leadWritten : isReviewed(note) ? R.lead : N.note.lead);
    setHidden(this.#lead, !note);
    setHidden(this.#copy, !note);
    setHidden(this.#compare.button, !isReviewed(note));
    setHidden(this.#jump, !note?.checks || isSigned(note));
    setText(this.#jump, N.checks.jump(note?.checks?.length ?? 0));
    setChildren(this.#body, [...(note ? this.#note(state, note) : this.#withoutNote(state)), complete(state), this.#deletion.element].filter(Boolean));
    if (focused) this.#sections.focus(focused);
  }

  #renderCopied(state) {
    setText(this.#copied, state.copied === "done" ? N.note.copied : state.copied === "failed" ? N.note.copyFailed : "");
    const show = state.copied === "failed" && Boolean(state.note);
    if (show && this.#fallback.hidden) {
      this.#fallback.value = noteText(shownNote(state));
      setHidden(this.#fallback, false);
      this.#fallback.select();
    } else if (!show) setHidden(this.#fallback, true);
  }

  #withoutNote(state) {
    if (draftFailed(state)) {
      return [notice("bad", N.note.failed, "", h("p", {}, button(N.note.retry, () => this.#actions.draftAgain())))];
    }
    return [state.interrupted ? notice("busy", N.note.interrupted, "") : notice("info", N.note.pending, "")];
  }

  #note(state, note) {
    const sections = this.#sections.render(state, note);
    const empty = state.utterances.length === 0 && !isWritten(state) ? notice("info", N.note.empty, "") : null;
    const stale = state.noteStale ? notice("busy", N.note.stale, "") : null;
    const rest = [this.#risk(state, note.risk, isSigned(note)), isSigned(note) ? null : checks(note.checks, isReviewed(note)),
      isWritten(state) && !note.billing?.minutes ? null : billing(note.billing)];
    if (!isReviewed(note)) return [stale, empty, ...sections, ...rest].filter(Boolean);
    const look = isSigned(note) ? null : firstLook(state, note, (section, index) => this.#sections.focusStatement(section, index));
    const [risk, open, code] = rest;
    const end = isSigned(note)
      ? [signature(note), note.state === "awaiting" ? this.#cosign.element : this.#addenda.element] : [remarks(note), this.#sign.element];
    return [isSigned(note) ? null : this.#details.element, stale, empty, look, open, ...sections, risk, code, marks(state, this.#actions), ...end, this.#take.element].filter(Boolean);
  }

  #risk(state, risk, signed) {
    const items = Object.entries(risk ?? {});
    if (!items.length) return null;
    const rows = items.map(([item, found]) =>
      h("tr", { role: "row", "data-state": found.entered?.finding === "endorsed" ? "endorsed" : found.state },
        h("th", { role: "rowheader", scope: "row" }, riskName(item)),
        h("td", { role: "cell" }, h("span", { class: "finding" }, found.state === "not_asked" && !found.entered ? null : icon([found.state, found.entered?.finding].some((one) => ["asked_denied", "denied"].includes(one)) ? "check" : "warning"),
          h("span", {}, riskState(found)))),
        h("td", { role: "cell" }, this.#sections.evidence(state, found.evidence ?? [], `risk.${item}`))));
    const open = items.some(([, found]) => found.state === "not_asked" && !found.entered);
    return h("section", { class: "section", "aria-label": N.risk.title },
      h("h2", {}, N.risk.title), h("p", { class: "hint" }, N.risk.lead),
      // The roles are said, since a narrow window lays the rows out as no table is and some readers then forget it is one.
      h("table", { class: "risk", role: "table" },
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, COLUMNS.map((words) =>
          h("th", { role: "columnheader", scope: "col" }, words)))),
        h("tbody", { role: "rowgroup" }, rows)),
      open && !signed ? h("p", { class: "hint" }, N.risk.reminder) : null);
  }
}

const COLUMNS = [N.risk.item, N.risk.finding, N.risk.evidence];
const SEVERITIES = ["error", "warning", "info"];

function checks(list, reviewed) {
  if (!list) return null;
  const rank = (check) => (SEVERITIES.includes(check.severity) ? SEVERITIES.indexOf(check.severity) : 1);
  const sorted = [...list].sort((a, b) => rank(a) - rank(b));
  return h("section", { class: "section", "aria-label": N.checks.title },
    h("h2", { tabindex: "-1", "data-sign": "" }, N.checks.title),
    sorted.length && !reviewed ? h("p", { class: "hint" }, N.checks.lead) : null,
    sorted.length
      ? h("ul", { class: "checks" }, sorted.map((check) =>
        h("li", { class: "check", "data-severity": check.severity },
          h("p", { class: "check__severity" }, icon("info"),
            h("span", {}, N.checks.severities[check.severity] ?? N.checks.severities.warning),
            check.section ? h("span", { class: "check__where" }, N.checks.in(check.section)) : null),
          h("p", {}, check.message), check.mend ? h("p", { class: "hint" }, check.mend) : null)))
      : h("p", { class: "hint" }, N.checks.none));
}

function billing(value) {
  const line = billingLine(value);
  return line ? h("section", { class: "section", "aria-label": N.billing.title }, h("h2", {}, N.billing.title), h("p", {}, line)) : null;
}

/** The account of the session's sound: the figures, and whether they add up. */
function complete(state) {
  const sum = completeness(state);
  if (!sum || isWritten(state)) return null;
  const began = sum.began ? N.complete.began(sum.began) : "";
  const verdict = !sum.adds
    ? notice("bad", N.complete.unexplained, "")
    : sum.gapS > 0
      ? notice("busy", N.complete.missing(duration(sum.gapS), Math.max(1, sum.gaps)), began)
      : notice("good", N.complete.all, began);
  const consent = state.started?.consent ?? [];
  const rows = [
    [N.complete.received, duration(sum.receivedS)],
    [N.complete.transcribed, duration(sum.transcribedS)],
    [N.complete.speech, duration(sum.speechS)],
    [N.complete.gaps, sum.gapS > 0 ? N.complete.gapCount(duration(sum.gapS), Math.max(1, sum.gaps)) : N.complete.noGaps],
    [N.complete.before, sum.leadS > 0 ? duration(sum.leadS) : ""],
    [N.complete.started, localTime(state.started?.at ?? state.session?.started_at)],
    [N.complete.ended, localTime(state.ended.at)],
    [N.complete.consent, consent.join(", ")],
    [N.complete.session, state.session?.id ?? ""],
  ].filter(([, value]) => value);
  return h("section", { class: "section complete", "aria-label": N.complete.title },
    h("h2", {}, N.complete.title),
    h("p", { class: "hint" }, S.end.reasons[state.ended.reason] ?? ""),
    verdict,
    sum.gapS > 0 ? h("ul", {}, lostParts(state).map((part) => h("li", {}, part))) : null,
    h("dl", { class: "figures" }, rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))));
}
