// The account of a session's sound once it is over: pure, of the page's state.

import { beganAt, isLeadIn, timeline } from "./selectors.js";

const TICKS_PER_S = 16000;

/** The account of the session's sound over all tracks, once it has ended; null before. */
export function completeness(state) {
  if (!state.ended) return null;
  const sum = (field) => state.ended.totals.reduce((total, track) => total + (track[field] ?? 0), 0);
  const [received, transcribed, gap] = [sum("received_ticks"), sum("transcribed_ticks"), sum("gap_ticks")];
  const leadIns = state.gaps.filter(isLeadIn);
  const lead = leadIns.reduce((total, one) => total + Math.round(one.end * TICKS_PER_S), 0);
  // Times on the wire are rounded: less than a millisecond is no gap.
  const missing = gap - lead < TICKS_PER_S / 1000 ? 0 : gap - lead;
  return {
    receivedS: received / TICKS_PER_S,
    transcribedS: transcribed / TICKS_PER_S,
    leadS: lead / TICKS_PER_S,
    began: leadIns.length ? beganAt(leadIns.reduce((a, b) => (a.end < b.end ? a : b))) : null,
    gapS: missing / TICKS_PER_S,
    speechS: sum("speech_ticks") / TICKS_PER_S,
    gaps: state.gaps.length - leadIns.length,
    adds: received === transcribed + gap,
  };
}

/** What is missing, by time and cause, in words: one line for each gap that the transcript shows. */
export const lostParts = (state) =>
  timeline(state).filter((entry) => entry.kind === "gap" && !entry.quiet).map((entry) => `${entry.text}: ${entry.why}`);
