// What the page shows, worked out of the state: pure, so that it can be tested without a page.

import { isSigned } from "./signed.js";
import { modeOf, recordingOf } from "./state.js";
import { S, clock, duration } from "./strings.js";

const MERGE_GAPS_S = 2;
const SILENT_SERVER_MS = 4000;
const LAG_STALE_MS = 5000;
const NOTABLE_LAG_S = 2;
const PARAGRAPH_S = 20;
const LEAD_IN_S = 30;
const NOTABLE_KEPT_S = 2;

/** How a speaker is called: by role where it is known, with the speaker's number where two share a role. */
export function speakerName(state, speaker, role = null) {
  const known = state.roles.by[speaker] ?? role;
  if (!known) return speaker ? S.transcript.speaker(speaker) : S.transcript.someone;
  const name = S.transcript.roles[known] ?? known;
  const sharing = Object.keys(state.roles.by).filter((other) => state.roles.by[other] === known);
  return sharing.length > 1 ? `${name} (${S.transcript.speaker(speaker)})` : name;
}

/** The role that decides a speaker's mark: clinician, client, other or unknown. */
export function speakerRole(state, speaker, role = null) {
  const known = state.roles.by[speaker] ?? role;
  return known in S.transcript.roles ? known : "unknown";
}

/** All speakers heard of so far, in order of their names. */
export function speakers(state) {
  const heard = new Set(Object.keys(state.roles.by));
  for (const said of state.utterances) heard.add(said.speaker);
  return [...heard].sort();
}

/**
 * Utterances and gaps in order of time. Gaps of one cause that lie close together with nothing said between are one
 * entry, so that a bad line does not bury the talk; their lengths add up and none is left out.
 */
export function timeline(state) {
  const entries = [];
  const many = tracksOf(state).length > 1;
  let u = 0;
  let g = 0;
  while (u < state.utterances.length || g < state.gaps.length) {
    const said = state.utterances[u];
    const gap = state.gaps[g];
    if (said && (!gap || said.start <= gap.start)) {
      entries.push(utteranceEntry(state, said, entries.at(-1)));
      u += 1;
    } else {
      addGap(entries, gap, many);
      g += 1;
    }
  }
  return entries;
}

function utteranceEntry(state, said, before) {
  const name = speakerName(state, said.speaker, said.role);
  const goesOn = before?.kind === "utterance" && before.name === name && said.start - before.paragraph < PARAGRAPH_S;
  return {
    kind: "utterance", key: said.id, id: said.id, name, role: speakerRole(state, said.speaker, said.role),
    time: clock(said.start), text: said.text, start: said.start, live: said.live, goesOn,
    paragraph: goesOn ? before.paragraph : said.start,
  };
}

/**
 * Whether a gap is the wait at the start while the connection was made: nothing was recorded yet, so nothing was lost.
 * A wait that is longer than making a connection takes stays a gap.
 */
export const isLeadIn = (gap) => gap.cause === "no_audio" && gap.start === 0 && gap.end <= LEAD_IN_S;

export const beganAt = (gap) => clock(Math.max(1, Math.round(gap.end)));

function leadInEntry(gap, many) {
  const time = beganAt(gap);
  const text = many ? S.transcript.beganOf(time, gap.track) : S.transcript.began(time);
  return { kind: "gap", quiet: true, key: `gap ${gap.track} ${gap.start}`, start: gap.start, live: gap.live, text, why: "" };
}

function addGap(entries, gap, many) {
  if (isLeadIn(gap)) {
    entries.push(leadInEntry(gap, many));
    return;
  }
  const last = entries.at(-1);
  const length = gap.end - gap.start;
  const merges = last?.kind === "gap" && last.cause === gap.cause && last.track === gap.track
    && gap.start - last.end <= MERGE_GAPS_S;
  const entry = merges
    ? { ...last, end: Math.max(last.end, gap.end), length: last.length + length, count: last.count + 1, live: gap.live }
    : { kind: "gap", key: `gap ${gap.track} ${gap.start}`, track: gap.track, cause: gap.cause, start: gap.start,
        end: gap.end, length, count: 1, live: gap.live };
  const span = clock(entry.start) === clock(entry.end) ? clock(entry.start) : `${clock(entry.start)} – ${clock(entry.end)}`;
  entry.text = many ? S.transcript.gapOf(span, gap.track, duration(entry.length)) : S.transcript.gap(span, duration(entry.length));
  entry.why = S.transcript.causes[gap.cause] ?? S.transcript.causeUnknown;
  if (merges) entries[entries.length - 1] = entry;
  else entries.push(entry);
}

/** The unfinished text of each track that has any. */
export function tentative(state) {
  return Object.values(state.partials)
    .map((partial) => ({
      track: partial.track,
      name: speakerName(state, partial.speaker, partial.role),
      role: speakerRole(state, partial.speaker, partial.role),
      time: clock(partial.start),
      committed: (partial.committed ?? "").trim(),
      tentative: (partial.tentative ?? "").trim(),
    }))
    .filter((partial) => partial.committed || partial.tentative);
}

/** Seconds since the session's start, by this device's clock; null before the start. */
export function elapsed(state) {
  const { startedMs, nowMs } = state.clock;
  if (startedMs === null) return null;
  return Math.max(0, (nowMs - startedMs) / 1000);
}

/** Whether sound of this device is recorded now, at the server or kept here until it is there, as far as the page can know. */
export function isRecording(state) {
  const running = state.media.status === "connected" || state.media.status === "retrying";
  return state.phase === "live" && state.recorder && running && recordingOf(state) === "on" && !serverIsDeaf(state);
}

/**
 * How things stand, in words: `tone` is good, busy or bad; `text` is what is so and what to do; `say` is the same
 * without what changes by the second, for announcing.
 */
export function health(state) {
  const line = healthLine(state);
  const said = { say: line.text, ...line };
  if (!state.kept.lost) return said;
  return { tone: "bad", text: `${S.health.givenUp(state.kept.lost)} ${said.text}`, say: `${S.health.someGivenUp} ${said.say}` };
}

function healthLine(state) {
  if (state.phase === "ending") return endingHealth(state);
  if (state.phase === "ended") {
    if (!isComplete(state)) return { tone: "busy", text: S.health.drafting };
    return { tone: "good", text: state.note && !isSigned(state.note) ? S.health.ready : S.health.ended };
  }
  return offHealth(state) ?? mediaHealth(state) ?? feedHealth(state) ?? keptHealth(state) ?? {
    tone: "good", text: `${S.health.good} ${lagWords(state)}`, say: S.health.good,
  };
}

function offHealth(state) {
  const recording = recordingOf(state);
  return recording === "on" ? null : { tone: "busy", text: S.health[recording] };
}

function endingHealth(state) {
  if (state.endBlocked) return { tone: "bad", text: S.health.endingOffline };
  if (state.kept.seconds >= NOTABLE_KEPT_S) return { tone: "busy", text: S.health.endingSending(state.kept.seconds), say: S.health.ending };
  return { tone: "busy", text: S.health.ending };
}

function mediaHealth(state) {
  const { status, retryAt } = state.media;
  if (!state.recorder) return { tone: "busy", text: status === "replaced" ? S.health.replaced : S.health.watching };
  if (status === "opening") return { tone: "busy", text: S.health.opening };
  if (status === "connecting" || status === "idle") return { tone: "busy", text: S.health.connecting };
  if (status === "retrying") return retryingHealth(state, retryAt);
  if (status === "held") return { tone: "bad", text: S.health.held };
  if (status === "muted") return { tone: "bad", text: S.health.muted };
  if (status === "unplugged") return { tone: "bad", text: S.health.unplugged };
  if (status === "stopped") return { tone: "bad", text: S.health.stopped };
  if (serverIsDeaf(state)) return { tone: "bad", text: S.health.silentServer };
  if (callIsMissing(state)) return { tone: "bad", text: S.health.callMissing };
  return null;
}

function retryingHealth(state, retryAt) {
  const say = state.online ? S.health.retrying : S.health.offline;
  const wait = retryAt === null ? 0 : Math.ceil((retryAt - (state.clock.nowMs ?? retryAt)) / 1000);
  const parts = [say, keptWords(state), state.online && wait > 1 ? S.health.retryingIn(wait) : ""];
  return { tone: "bad", text: parts.filter(Boolean).join(" "), say };
}

/** How much is kept, and whether it is safe here. */
function keptWords({ kept }) {
  if (kept.seconds < NOTABLE_KEPT_S) return "";
  const inMemory = kept.keyed ? !kept.disk && S.health.keptInMemory : S.health.keptUnsealed;
  return [S.health.kept(kept.seconds), inMemory].filter(Boolean).join(" ");
}

/** Connected, with more than what is on its way still to be sent. */
function keptHealth(state) {
  if (!state.recorder || state.kept.seconds < NOTABLE_KEPT_S) return null;
  return { tone: "busy", text: S.health.sending(state.kept.seconds), say: S.health.sendingNow };
}

/** Over a call: this device records, and the other side's sound does not reach the server. */
export const callIsMissing = (state) => modeOf(state) === "call" && state.recorder && !["connected", "connecting", "muted"].includes(state.call);

/** Connected, and yet the server has received nothing more for some seconds. */
export function serverIsDeaf(state) {
  if (!state.lag || recordingOf(state) !== "on" || state.feed.status !== "open" || state.media.status !== "connected") return false;
  return state.lag.at - state.lag.movedAt > SILENT_SERVER_MS;
}

function feedHealth(state) {
  if (state.feed.status === "open" || state.feed.status === "done") return null;
  if (state.feed.status === "idle" || state.feed.status === "connecting") return null;
  return { tone: "busy", text: S.health.feedLost };
}

/** How far the text is behind, in words. */
export function lagWords(state) {
  if (!state.lag || (state.clock.nowMs ?? 0) - state.lag.at > LAG_STALE_MS) return S.health.lagUnknown;
  const worst = Math.max(0, ...state.lag.tracks.map((track) => track.lag_s));
  return worst < NOTABLE_LAG_S ? S.health.keepsUp : S.health.behind(worst);
}

/** Whether an ended session has no more to say. */
export const isComplete = (state) =>
  state.phase === "ended" && (state.note !== null || draftFailed(state) || state.interrupted);

/** The note that is shown: in the format that was chosen once it is there, else the session's own. */
export const shownNote = (state) => (state.note && state.otherNote) || state.note;

export const draftFailed = (state) => state.failures.some((failure) => failure.stage === "draft");

/** Whether the note was written from a recap: nothing was recorded then, and there is no talk beside it. */
export const isWritten = (state) => state.session?.tracks.length === 0;

export function tracksOf(state) {
  return state.session?.tracks ?? state.started?.tracks ?? [];
}
