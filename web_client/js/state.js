// The page's state as a pure function of messages: the server's events (docs/protocol.md) and the page's own,
// whose types begin with "page/". No clock, no DOM: what depends on the time carries `at`, in milliseconds.

export const MAX_PEOPLE = 4;
export const DOUBTFUL = 0.5; // a word heard with less than this probability may be another one

/** What becomes of the sound now: on, off_the_record or awaiting_consent. */
export const recordingOf = (state) => (state.offHere ? "off_the_record" : state.recording);

/** How a session is held: in one "room" with one microphone, or over a "call" with a track for each. */
export const modeOf = (state) => (state.session ? (state.session.tracks.length > 1 ? "call" : "room") : state.setup.mode);

/** The track that this device's microphone sends. */
export const ownTrack = (session) => (session.tracks.find((one) => one.role === "clinician") ?? session.tracks[0]).id;

/** The participants when `count` people share the microphone, by role; of two with the same role one has a number. */
export function participants(count, others = []) {
  const names = ["clinician", "client", others[2] || "person 3", others[3] || "person 4"].slice(0, count);
  return names.map((name, index) => (names.indexOf(name) < index ? `${name} ${index + 1}` : name));
}

export const INITIAL = Object.freeze({
  phase: "setup", // setup, starting, live, ending, ended; lost: the server does not know the session; deleted: consent was taken back
  session: null, // the session object, as last heard of
  sequence: 0, // of the newest event that counts
  replayUntil: 0, // events up to this one are a replay: shown, but not announced
  started: null,
  utterances: Object.freeze([]), // by start
  partials: Object.freeze({}), // by track
  gaps: Object.freeze([]), // by start
  roles: Object.freeze({ by: Object.freeze({}), source: null, confidence: null }),
  lag: null, // {tracks, at, movedAt}: movedAt is when the server last received more sound
  failures: Object.freeze([]),
  marks: Object.freeze([]), // seconds of the moments that the clinician marked, in order
  ended: null,
  note: null,
  format: null, // of the note that was chosen to be shown; null is the session's own
  otherNote: null, // the note in that format, as the server renders it
  appointment: null, // {id, name, start, client, modality, kind}: what this session was entered as
  charts: Object.freeze([]), // the practice's clients, to choose from
  earlier: Object.freeze([]), // {id, at}: sessions that this browser started before
  editor: null, // {kind: "section" | "sentence" | "add", section, index}: what is being written
  saving: false, // a change of the note is on its way
  noteStale: false, // the roles were changed after it was drafted
  setup: Object.freeze({ mode: "room", people: 2, consent: Object.freeze([]), missing: Object.freeze([]), how: Object.freeze({}), others: Object.freeze({}) }),
  microphone: Object.freeze({ status: "off", devices: Object.freeze([]), chosen: "" }), // off, opening, open
  call: "off", // the other side's sound, over a call: off, open, or as `media`
  level: Object.freeze({ value: 0, verdict: "off" }),
  media: Object.freeze({ status: "idle", retryAt: null }),
  kept: Object.freeze({ seconds: 0, lost: 0, disk: true, keyed: true }), // sound on this device that the server does not have yet
  feed: Object.freeze({ status: "idle", retryAt: null }),
  online: true,
  recorder: false, // this window is the one that records
  endBlocked: false, // the end was asked for, and the server cannot be reached
  problem: null, // {code, message, mend}
  interrupted: false, // the server stopped in the middle of the session
  confirmingEnd: false,
  recording: "on", // off_the_record, awaiting_consent: as the server has it
  offHere: false, // off the record was asked for here, and the server may not know it yet
  participants: Object.freeze([]), // {who, consent}: who is there, and how they agreed
  asking: null, // the question that is open: strike, revoke, people
  striking: null, // {from, to}: ids of the first and last passage chosen to be struck, null before one is; null: not choosing
  receipt: null, // of the session's deletion
  correcting: null, // id of the utterance that is being corrected
  quiet: false, // only the dot and the time are shown
  copied: null, // null, "done", "failed"
  evidence: null, // {statement, ids, focus}: the statement whose sources are shown
  clock: Object.freeze({ startedMs: null, nowMs: null }), // by this device's clock
});

// What an event of the server must have to be of use: a field's name and its type. What comes beside is not looked at.
const SHAPES = {
  partial: { track: "string", start: "number" },
  utterance: { id: "string", track: "string", start: "number", end: "number", speaker: "string", text: "string" },
  relabel: { id: "string", speaker: "string" },
  roles: { roles: "object" },
  gap: { track: "string", start: "number", end: "number", cause: "string" },
  lag: { tracks: "object" },
  failed: { stage: "string", code: "string" },
  ended: { totals: "object" },
  draft: { note: "object" },
  corrected: { id: "string", text: "string" },
  mark: { at: "number" },
  recording: { recording: "string" },
  struck: { removed: "object" },
};

/**
 * The state after `message`. What it does not know it ignores, and an event that it has seen it does not count again.
 * Throws TypeError for an event that lacks what it must have.
 */
export function reduce(state, message) {
  const shape = Object.hasOwn(SHAPES, message.type) ? SHAPES[message.type] : {};
  for (const [field, type] of Object.entries(shape)) {
    if (typeof message[field] !== type || message[field] === null) throw new TypeError(`${message.type} without ${field}`);
  }
  if (Number.isInteger(message.sequence)) {
    if (message.sequence <= state.sequence) return state;
    state = { ...state, sequence: message.sequence };
  }
  const handler = HANDLERS.get(message.type);
  return handler ? handler(state, message) : state;
}

const HANDLERS = new Map(Object.entries({
  started: (state, message) => ({
    ...state,
    started: { at: message.started_at, tracks: message.tracks, consent: message.consent, format: message.format },
  }),
  partial: (state, message) => ({ ...state, partials: { ...state.partials, [message.track]: message } }),
  utterance: onUtterance,
  relabel: (state, message) => ({
    ...state,
    utterances: state.utterances.map((said) => (said.id === message.id ? { ...said, speaker: message.speaker } : said)),
  }),
  corrected: (state, message) => ({
    ...state,
    utterances: state.utterances.map((said) => (said.id === message.id ? { ...said, text: message.text } : said)),
  }),
  mark: (state, message) => {
    const others = state.marks.filter((at) => at !== message.at);
    return { ...state, marks: message.on === false ? others : [...others, message.at].sort((a, b) => a - b) };
  },
  recording: (state, message) => ({ ...state, recording: message.recording }),
  struck: (state, message) => ({
    ...state, partials: {}, utterances: state.utterances.filter(({ id }) => !message.removed.includes(id)),
    // Passages that are heard anew may come again under a number that another one had.
    striking: state.striking && { from: null, to: null },
  }),
  roles: (state, message) => ({
    ...state,
    roles: { by: message.roles, source: message.source, confidence: message.confidence },
  }),
  gap: (state, message) => ({ ...state, gaps: inserted(state.gaps, { ...message, live: isLive(state) }) }),
  lag: onLag,
  failed: (state, message) => ({
    ...state, failures: [...state.failures, { stage: message.stage, code: message.code }],
  }),
  ended: (state, message) => ({
    ...state,
    phase: "ended",
    quiet: false,
    partials: {},
    endBlocked: false,
    interrupted: false,
    confirmingEnd: false,
    ended: { at: message.ended_at, reason: message.reason, totals: message.totals },
  }),
  draft: onNote,

  "page/people": (state, message) => ({
    ...state,
    setup: { ...state.setup, people: message.people, consent: state.setup.consent.slice(0, message.people), missing: [] },
  }),
  // Over a call each has a track of their own: two people, and the speakers are certain.
  "page/mode": (state, message) => ({
    ...state, setup: { ...state.setup, mode: message.mode, people: 2, consent: state.setup.consent.slice(0, 2), missing: [] },
  }),
  "page/call": (state, message) => ({ ...state, call: message.status }),
  "page/consent": (state, message) => {
    const consent = participants(state.setup.people).map((_, index) =>
      index === message.index ? message.given : Boolean(state.setup.consent[index]));
    return { ...state, setup: { ...state.setup, consent, missing: state.setup.missing.filter((i) => !consent[i]) } };
  },
  "page/how": (state, message) => ({ ...state, setup: { ...state.setup, how: { ...state.setup.how, [message.index]: message.how } } }),
  "page/other": (state, message) => ({ ...state, setup: { ...state.setup, others: { ...state.setup.others, [message.index]: message.who } } }),
  "page/missing": (state, message) => ({ ...state, setup: { ...state.setup, missing: message.missing } }),
  "page/starting": (state) => ({ ...state, phase: "starting", problem: null }),
  "page/not-started": (state) => ({ ...state, phase: "setup" }),
  "page/session": onSession,
  "page/note": onNote,
  "page/format": (state, message) => ({ ...state, format: message.format, otherNote: null, evidence: null, copied: null }),
  // An answer for a format that is no longer wanted comes too late to count.
  "page/other-note": (state, message) => (message.note.format === state.format
    ? { ...state, otherNote: message.note, evidence: null, copied: null } : state),
  "page/editor": (state, message) => ({ ...state, editor: message.editor }),
  "page/saving": (state, message) => ({ ...state, saving: message.saving }),
  "page/appointment": (state, message) => ({ ...state, appointment: message.appointment }),
  "page/charts": (state, message) => ({ ...state, charts: message.charts }),
  "page/earlier": (state, message) => ({ ...state, earlier: message.earlier }),
  "page/note-stale": (state) => ({ ...state, noteStale: state.note !== null }),
  "page/unknown-session": (state) => ({ ...state, phase: "lost", problem: null }),
  "page/ending": (state) => ({ ...state, phase: "ending", quiet: false, confirmingEnd: false }),
  "page/end-blocked": (state, message) => ({ ...state, endBlocked: message.blocked }),
  "page/confirm-end": (state, message) => ({ ...state, confirmingEnd: message.open && state.phase === "live" }),
  "page/recorder": (state, message) => ({ ...state, recorder: message.recorder }),
  "page/microphone": (state, message) => ({ ...state, microphone: { ...state.microphone, ...message.microphone } }),
  "page/level": (state, message) => ({ ...state, level: { value: message.value, verdict: message.verdict } }),
  "page/media": (state, message) => ({ ...state, media: { status: message.status, retryAt: message.retryAt ?? null } }),
  "page/kept": onKept,
  "page/feed": (state, message) => ({
    ...state,
    feed: { status: message.status, retryAt: message.retryAt ?? null },
    // Without the feed a partial is out of date, and what it said may have changed.
    partials: message.status === "open" ? state.partials : {},
  }),
  "page/online": (state, message) => ({ ...state, online: message.online }),
  "page/tick": (state, message) => ({ ...state, clock: { ...state.clock, nowMs: message.at } }),
  "page/problem": (state, message) => ({ ...state, problem: message.problem }),
  "page/correcting": (state, message) => ({ ...state, correcting: message.id }),
  "page/off-here": (state, message) => ({ ...state, offHere: message.off }),
  "page/asking": (state, message) => ({ ...state, asking: state.phase === "live" || !message.what ? message.what : null }),
  "page/receipt": (state, message) => ({ ...INITIAL, charts: state.charts, phase: "deleted", receipt: message.receipt }),
  "page/striking": (state, message) => ({ ...state, striking: message.striking, correcting: null }),
  "page/quiet": (state, message) => ({ ...state, quiet: message.quiet && state.phase === "live" }),
  "page/copied": (state, message) => ({ ...state, copied: message.result }),
  // Nothing follows in the log: without an end the session broke off, without a note there will be none.
  "page/log-over": (state) => ({
    ...state,
    phase: "ended",
    interrupted: state.ended === null,
    failures: state.ended && !state.note ? [...state.failures, { stage: "draft", code: "no_draft" }] : state.failures,
  }),
  "page/evidence": (state, message) => ({ ...state, evidence: message.evidence }),
  "page/reset": (state, message) => ({ ...INITIAL, online: state.online, charts: state.charts, clock: { startedMs: null, nowMs: message.at } }),
}));

function onUtterance(state, message) {
  const { type, sequence, ...said } = message;
  said.words = (said.words ?? []).filter((word) => word.confidence < DOUBTFUL); // of the others nothing is asked later
  const utterances = inserted(state.utterances.filter((other) => other.id !== said.id), { ...said, live: isLive(state) });
  const partial = state.partials[said.track];
  // A partial from before this utterance repeats its words: the server sends the rest again.
  if (!partial || partial.start >= said.end) return { ...state, utterances };
  const partials = { ...state.partials };
  delete partials[said.track];
  return { ...state, utterances, partials };
}

function onNote(state, message) {
  return { ...state, note: message.note, otherNote: null, noteStale: false, evidence: null, copied: null };
}

function onLag(state, message) {
  const received = (tracks) => tracks.reduce((sum, track) => sum + track.received_s, 0);
  const moved = !state.lag || received(message.tracks) > received(state.lag.tracks);
  return { ...state, lag: { tracks: message.tracks, at: message.at, movedAt: moved ? message.at : state.lag.movedAt } };
}

function onKept(state, message) {
  const kept = { seconds: Math.round(message.seconds), lost: message.lost, disk: message.disk, keyed: message.keyed };
  const same = Object.keys(kept).every((name) => kept[name] === state.kept[name]);
  return same ? state : { ...state, kept };
}

function onSession(state, message) {
  const { session, elapsedS, at } = message;
  const interrupted = session.state === "interrupted";
  const known = session.roles && Object.keys(session.roles).length > 0;
  return {
    ...state,
    phase: phaseOf(state, session),
    interrupted,
    session,
    recording: session.recording ?? "on",
    participants: session.participants ?? [],
    replayUntil: message.replay ? session.last_event ?? 0 : state.replayUntil,
    roles: known
      ? { by: session.roles, source: session.roles_source ?? null, confidence: session.roles_confidence ?? null }
      : state.roles,
    clock: elapsedS === undefined ? state.clock : { startedMs: at - elapsedS * 1000, nowMs: at },
  };
}

function phaseOf(state, session) {
  if (state.phase === "ended" || session.state === "interrupted") return "ended";
  // The events say when an ended session is at its end: until they are replayed, it shows as finishing. And an end
  // that was asked for here stands, also while the server does not know of it yet.
  return session.state === "live" && state.phase !== "ending" ? "live" : "ending";
}

const isLive = (state) => state.sequence > state.replayUntil;

/** `list` with `item` at its place by start; equal starts keep their order of arrival. */
function inserted(list, item) {
  let place = list.length;
  while (place > 0 && list[place - 1].start > item.start) place -= 1;
  return [...list.slice(0, place), item, ...list.slice(place)];
}
