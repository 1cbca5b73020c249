// What the page makes of a running session beside its words: the code its minutes make, whether risk was spoken of. Pure.

import { billingLine } from "./note_text.js";

const BANDS = [[53, "90837"], [38, "90834"], [16, "90832"]];
const NEXT = [16, 38, 53];

/** Minutes so far and the code they make, as the note will say it; empty in the first minute. */
export function bandWords(seconds) {
  const minutes = Math.floor((seconds ?? 0) / 60);
  if (minutes < 1) return "";
  const [least, cpt] = BANDS.find(([from]) => minutes >= from) ?? [0, null];
  const next = NEXT.find((from) => from > minutes);
  return billingLine({ minutes, cpt, margin_min: next === undefined ? minutes - least : next - minutes });
}

const RISK = /\b(?:suicid\w*|kill(?:ing)? (?:your|my|him|her|them)sel(?:f|ves)|(?:hurt|harm|cut)(?:t?ing)? (?:your|my)self|self[- ](?:harm|injur\w*)|end(?:ing)? (?:your|my|it all|your own) life|better off dead|wish(?:ed)? (?:you|I) (?:were|was) dead|not (?:wanting|want) to (?:live|be alive|be here)|hurt(?:ing)? (?:someone|anyone|somebody|others))\b/i;

export const riskSpokenOf = (utterances) => utterances.some((said) => RISK.test(said.text));

const REMIND_AT_MIN = 38;
const BEFORE_END_MIN = 12;

/** Whether to remind of risk: near the end of the time planned, while nothing of it was heard. */
export function remindsOfRisk(state, seconds) {
  if (state.phase !== "live" || seconds === null) return false;
  const planned = state.appointment?.minutes;
  const from = planned ? Math.max(10, planned - BEFORE_END_MIN) : REMIND_AT_MIN;
  return seconds >= from * 60 && !riskSpokenOf(state.utterances);
}
