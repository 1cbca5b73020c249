// What the page knows of a note under review, worked out of the state: pure.

import { isToEnter } from "./note_text.js";
import { DOUBTFUL } from "./state.js";

// Where a misheard word changes the meaning: negations, amounts and times, harm.
const TELLING = /^(?:no|not|never|none|nothing|nobody|neither|without|\w+n['’]t|cannot|\d[\d.,:]*|half|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|hundred|milligrams?|mg|daily|weekly|kill|die|died|dying|suicid\w*|hurt|harm|cut|overdose|pills?|gun|hit)$/i;

/** Whether the server holds the note under review: then it can be changed and signed. */
export const isReviewed = (note) => Number.isInteger(note?.version) && typeof note.state === "string";

export const errorsOf = (note) => (note?.checks ?? []).filter((check) => check.severity === "error");

/** Telling words of a statement's sources that were heard with doubt, as they were written down. */
export function doubtfulWords(state, statement) {
  if (Array.isArray(statement.uncertain)) return statement.uncertain;
  if (statement.provenance !== "transcript") return [];
  const sources = new Set(statement.evidence ?? []);
  const text = ` ${statement.text.toLowerCase()} `;
  const words = state.utterances.filter((said) => sources.has(said.id)).flatMap((said) => said.words ?? []);
  const found = words
    .filter((word) => word.confidence < DOUBTFUL)
    .map((word) => word.text.replace(/^[^\p{L}\d]+|[^\p{L}\d]+$/gu, ""))
    .filter((word) => TELLING.test(word) && new RegExp(`[^\\p{L}\\d]${word.toLowerCase()}[^\\p{L}\\d]`, "u").test(text));
  return [...new Set(found)];
}

// What could do harm if it were wrong: harm to the client or another, then doses, amounts and negations.
const RISK = /^risk\b|\b(?:suicid\w*|SI|HI|self[- ](?:harm|injur)\w*|kill\w*|overdos\w*|hurt(?:ing)? (?:my|him|her|them)sel\w+|better off dead|homicid\w*|abus\w+|weapons?|guns?|safety plan)\b/i;
const DOSE = /\b(?:\d+\s?(?:mg|milligrams?|ml)|medications?|milligrams?|den(?:y|ies|ied)|not|never|no longer|stopped taking)\b/i;

/** How much harm a wrong statement could do: 0 the most, 2 the least. */
export const harm = (text) => (RISK.test(text) ? 0 : DOSE.test(text) ? 1 : 2);

/** What kind of look a statement needs: unsupported, uncertain, enter, suggested, risk; null for none. */
export function attention(state, statement) {
  if (statement.supported === false) return "unsupported";
  if (isToEnter(statement)) return "enter";
  if (statement.provenance === "suggestion") return "suggested";
  if (doubtfulWords(state, statement).length) return "uncertain";
  return statement.provenance === "transcript" && harm(statement.text) === 0 ? "risk" : null;
}

const ORDER = ["unsupported", "uncertain", "risk", "enter", "suggested"];

/** What to look at first, by the harm that it could do and then the least certain before the rest: {kind, section, index, text}. */
export function firstLooks(state, note) {
  const found = (note.sections ?? []).flatMap((section) => (section.statements ?? []).map((statement, index) =>
    ({ kind: attention(state, statement), section: section.name, index, text: statement.text })));
  const rank = ({ kind, text }) => harm(text) * ORDER.length + ORDER.indexOf(kind);
  return found.filter((one) => one.kind).sort((a, b) => rank(a) - rank(b));
}

/** Whether signing now is signing after the day of the session, by the session's own clock. */
export function isLate(endedAt, nowMs) {
  if (/^\d{4}-\d{2}-\d{2}$/.test(endedAt ?? "")) return nowMs > 0 && new Date(nowMs).toLocaleDateString("sv-SE") > endedAt;
  const parts = /^(\d{4}-\d{2}-\d{2})T.*?(Z|[+-]\d{2}:\d{2})$/.exec(endedAt ?? "");
  if (!parts || !nowMs) return false;
  const [, day, zone] = parts;
  const sign = zone.startsWith("-") ? -1 : 1;
  const minutes = zone === "Z" ? 0 : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  return new Date(nowMs + minutes * 60_000).toISOString().slice(0, 10) > day;
}

/** The sentences of a section as lines of text; what asks for something to be entered is not the note's text. */
export const asLines = (section) =>
  (section.statements ?? []).filter((statement) => !isPrompt(statement)).map((statement) => statement.text).join("\n");

export const promptsOf = (section) => (section.statements ?? []).filter(isPrompt).map((statement) => statement.text);

export const fromLines = (text) => text.split(/\r?\n/).map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean);

const isPrompt = (statement) => statement.provenance === "suggestion" && /\bto be entered\b/i.test(statement.text);
