// The note as plain text, for the clinician's own record. The transcript is never part of it.

import { N } from "./strings_note.js";

/**
 * Plain text of a note: what is not from the session, or not supported by it, says so in brackets. What the clinician
 * has still to enter stands at the end and not among the findings.
 */
export function noteText(note) {
  const title = N.note.formats[note.format] ?? String(note.format ?? "").toUpperCase();
  const blocks = [`${title}\n${N.note.unsigned}`];
  for (const section of note.sections ?? []) {
    const told = section.statements.filter((statement) => !isToEnter(statement));
    const lines = told.map((statement) => `- ${statement.text}${mark(statement)}`);
    blocks.push([section.name.toUpperCase(), ...(lines.length ? lines : [`- ${N.note.emptySection}`])].join("\n"));
  }
  const risk = Object.entries(note.risk ?? {});
  if (risk.length) blocks.push([N.risk.title.toUpperCase(), ...risk.map(([item, found]) => `- ${riskLine(item, found)}`)].join("\n"));
  const open = (note.sections ?? []).flatMap((section) =>
    section.statements.filter(isToEnter).map((statement) => `- ${statement.text} (${section.name})`));
  const billing = billingLine(note.billing);
  if (billing) blocks.push(`${N.billing.title.toUpperCase()}\n${billing}`);
  if (open.length) blocks.push([N.note.stillToEnter.toUpperCase(), ...open].join("\n"));
  return `${blocks.join("\n\n")}\n`;
}

function mark(statement) {
  const marks = [];
  if (statement.provenance !== "transcript") marks.push(sourceName(statement));
  if (statement.supported === false) marks.push(N.note.unsupported);
  return marks.length ? ` [${marks.join("; ")}]` : "";
}

/** Whether a statement asks the clinician to enter something, or says what of risk was not assessed. */
export function isToEnter(statement) {
  return statement.provenance === "suggestion" && /\b(?:to be entered|not assessed)\b|^risk\b/i.test(statement.text);
}

export function sourceName(statement) {
  if (isToEnter(statement)) return N.note.toEnter;
  return Object.hasOwn(N.note.sources, statement.provenance) ? N.note.sources[statement.provenance] : N.note.sourceUnknown;
}

export function riskName(item) {
  if (Object.hasOwn(N.risk.items, item)) return N.risk.items[item];
  const words = item.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function riskState(found) {
  if (found.entered) return N.risk.entered[found.entered.finding] ?? N.risk.stateUnknown;
  return Object.hasOwn(N.risk.states, found.state) ? N.risk.states[found.state] : N.risk.stateUnknown;
}

const riskLine = (item, found) => `${riskName(item)}: ${riskState(found)}`;

/** Minutes, code, and how far the next code is; empty where the note holds no times. */
export function billingLine(billing) {
  if (!billing || billing.minutes === null || billing.minutes === undefined) return "";
  const { minutes, cpt, margin_min: margin } = billing;
  const first = cpt ? N.billing.code(minutes, cpt) : N.billing.none(minutes);
  if (margin === null || margin === undefined) return `${first}.`;
  const next = LONGER.get(cpt ?? null);
  return `${first}, ${next ? N.billing.short(margin, next) : N.billing.past(margin)}.`;
}

// The code that more minutes would reach. Of the longest one the margin counts what is past its least time; the page
// says how far it is and never proposes to stretch a session.
const LONGER = new Map([[null, "90832"], ["90832", "90834"], ["90834", "90837"]]);
