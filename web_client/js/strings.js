// All words that the page shows, in one place. A catalogue for another language has the same keys.

const PEOPLE = ["The clinician", "The client", "The third person", "The fourth person"];

/** Seconds as a clock reading, `m:ss` or `h:mm:ss`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Seconds as a length in words, never rounded down to nothing. */
export function duration(seconds) {
  if (seconds > 0 && seconds < 0.95) return `${Math.max(0.01, seconds).toFixed(seconds < 0.095 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const parts = [[Math.floor(whole / 3600), "h"], [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"]];
  return parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** A moment in the reader's own time zone; empty where it is none. */
export function localTime(iso) {
  const date = new Date(iso ?? NaN);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
}

export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

export const S = {
  footer: "A draft is a proposal. Read it, mend it, and sign it in your own record.",
  titles: {
    setup: "New session · sameday",
    live: "Recording · sameday",
    notRecording: "Not recording · sameday",
    ending: "Finishing · sameday",
    ended: "Draft note · sameday",
    lost: "Session not found · sameday",
    deleted: "Session deleted · sameday",
  },

  setup: {
    title: "New session",
    with: (name, start) => [name, start ? new Date(start).toLocaleTimeString(document.documentElement.lang, { hour: "numeric", minute: "2-digit" }) : ""].filter(Boolean).join(", "),
    lead: "What is said becomes text while you talk, and a draft note when you end. Nothing is sent or stored before you press Start.",
    modeLegend: "Where do you meet?",
    modes: { room: "In one room", call: "Over a call" },
    processing: {
      room: "The browser changes nothing of the sound: in one room there is no echo to take away, and its noise suppression and volume control cost words and blur who speaks.",
      call: "The browser takes the echo away, or your microphone would hear the client through the loudspeaker. Headphones are better still. Noise suppression and volume control are off: they cost words.",
    },
    callTitle: "The other side’s sound",
    callLead: "Choose the tab or window of the call and tick “share audio”. The client then has a track of their own, so that who speaks is certain. No picture is sent.",
    callChoose: "Choose the call’s sound",
    callOff: "Not chosen yet.",
    callOn: "The call’s sound is chosen.",
    peopleTitle: "Who is there",
    peopleLegend: "How many people share this microphone?",
    people: (count) => (count === 1 ? "1, only me" : String(count)),
    consentTitle: "Consent",
    consentLead: "Read this aloud, then tick for each person who said yes.",
    script: [
      "“I would like to record the sound of our session today. A computer program writes down what we say and prepares a draft of my note. I read and correct that draft before it counts.",
      "The sound is deleted once the text is complete, unless our practice keeps it. The text stays on the server that our practice uses.",
      "You can say no, ask me to leave something out, or take your consent back at any time: then what was recorded and written down today is deleted. It changes nothing about your care. Do you agree?”",
    ],
    consentOf: (index) =>
      index === 0 ? "I, the clinician, agree to be recorded" : `${PEOPLE[index]} heard this and agrees to be recorded`,
    howOf: (person) => `How ${person} agreed`,
    how: { spoken: "said so", written: "signed it" },
    otherOf: (person) => `Who ${person} is`,
    others: ["partner", "parent", "child", "family member", "interpreter", "colleague"],
    refused: "If someone says no, do not start. You can write the note by hand afterwards.",
    microphoneTitle: "Microphone",
    microphoneLead: "Check it before you start. While you check, the sound stays in this browser.",
    check: "Check the microphone",
    stopCheck: "Stop the check",
    microphoneChoice: "Use this microphone",
    microphoneDefault: "The browser’s default microphone",
    microphoneUnnamed: (number) => `Microphone ${number}`,
    tryIt: "Say a sentence the way you will speak in the session.",
    start: "Start the session",
    starting: "Starting…",
    missingConsent: (names) => `Not started: no consent ticked for ${names.join(" and ")}.`,
    personName: (index) => PEOPLE[index].toLowerCase(),
    earlierTitle: "Earlier sessions in this browser",
    earlierLead: "Only the times and addresses of the last sessions are kept here. To forget them deletes nothing on the server.",
    earlierLink: (time) => `Session of ${time}`,
    forget: "Forget",
    forgotten: "The list of earlier sessions is forgotten.",
  },

  level: {
    label: "Microphone level",
    off: "Not checked yet",
    starting: "Listening…",
    paused: "Tap the page to see the level again",
    good: "The level is good",
    quiet: "Nobody is speaking",
    too_quiet: "Too quiet: move the microphone closer",
    clipping: "Too loud: move the microphone away",
    dead: "No sound: is the microphone muted or unplugged?",
  },

  live: {
    title: "Session",
    recording: "Recording",
    notRecording: "Not recording",
    watching: "Watching",
    off_the_record: "Off the record",
    awaiting_consent: "Waiting for consent",
    finishing: "Finishing",
    elapsed: "Elapsed time",
    connection: "Connection",
    swap: "Swap roles",
    swapped: "Roles swapped.",
    end: "End session",
    record: "Record with this device",
    again: "Try again now",
    whoIsWho: "Say who is who",
    roleOf: (speaker) => `Role of ${speaker}`,
    roleNone: "Not known",
    roleSources: {
      track: "Each person has a microphone of their own, so the roles are certain.",
      enrolled: "Roles are known from your enrolled voice.",
      clinician: "You set the roles.",
    },
    rolesGuess: (confidence) =>
      confidence >= 0.8
        ? "Roles are a guess from the talk. Swap them if they are wrong."
        : "Roles are an uncertain guess from the talk. Please check them, and swap if they are wrong.",
    rolesNone: "Not known yet who is the clinician. That shows as you talk.",
  },

  // The state of the line, one sentence each: what is so, and what to do if there is something to do.
  health: {
    good: "Connected.",
    keepsUp: "The text keeps up.",
    behind: (seconds) => `The text is ${duration(seconds)} behind. Nothing is lost.`,
    lagUnknown: "How far the text is behind is not known yet.",
    opening: "Waiting for the microphone. If the browser asks, allow it.",
    connecting: "Connecting the microphone to the server…",
    retrying: "The connection to the server is lost. What is said now is kept on this device and sent later.",
    retryingIn: (seconds) => `Next try in ${seconds} s.`,
    offline: "This device has no network. What is said now is kept on this device and sent when the network is back.",
    kept: (seconds) => `Kept so far: ${duration(seconds)}.`,
    keptUnsealed: "Until the server answers it is in this page alone, since only the server has the key to store it: do not close or reload this page.",
    keptInMemory: "The device’s disk takes nothing: do not close or reload this page.",
    givenUp: (seconds) => `${duration(seconds)} of sound is lost: this device had no room for it, or could not read it back.`,
    someGivenUp: "Some sound is lost.",
    sending: (seconds) => `Connected again. ${duration(seconds)} of kept sound is still being sent.`,
    sendingNow: "Connected again. Kept sound is being sent.",
    held: "The browser holds the microphone back after the reload. Tap the page to go on recording.",
    silentServer: "The server receives no sound. What is said now may not be recorded.",
    off_the_record: "Nothing of what is said now is recorded, written down or kept. The time goes on.",
    awaiting_consent: "Nothing is recorded until everybody who is there has agreed.",
    muted: "This device has muted the microphone. What is said now is not recorded. Unmute it to go on.",
    unplugged: "The microphone is gone. What is said now is not recorded. Plug it in again, or choose another one, then press “Try again now”.",
    stopped: "This device is not recording.",
    callMissing: "The other side of the call is not recorded. Choose the call’s sound.",
    replaced: "Another device or window records this session now. This one shows the text.",
    watching: "This window shows a session that another one records.",
    feedLost: "No new text for now: the text connection is being made again. The recording goes on.",
    ending: "The recording has stopped. The last words are being written down.",
    endingSending: (seconds) => `The recording has stopped. ${duration(seconds)} of kept sound is still being sent.`,
    endingOffline: "The recording has stopped, but the server cannot be reached to end the session. Keep this page open; it goes on by itself.",
    drafting: "All that was heard is written down. The note is being drafted.",
    ready: "The draft note is ready.",
    ended: "The session has ended.",
  },

  transcript: {
    title: "Transcript",
    empty: "The first words appear here a moment after someone speaks.",
    none: "No words were recognized in this session.",
    written: "This note was written from a recap. Nothing was recorded for it.",
    tentative: "Not final yet",
    someone: "Someone",
    speaker: (label) => (/^S\d+$/.test(label) ? `Speaker ${label.slice(1)}` : label),
    roles: { clinician: "Clinician", client: "Client", other: "Other" },
    says: (name, text) => `${name}: ${text}`,
    newest: "Go to the newest",
    back: "Back to the note",
    correct: "Correct",
    correctOf: (name, time) => `Correct what ${name} said at ${time}`,
    corrected: "Corrected.",
    marked: (time) => `Marked at ${time}. Only you see it; it is in no note.`,
    observed: "The observations are saved.",
    gap: (span, length) => `${length} missing (${span})`,
    gapOf: (span, track, length) => `${length} missing on ${track} (${span})`,
    causes: {
      packet_loss: "The network lost some of the sound.",
      no_audio: "No sound arrived.",
      decoder_error: "The sound could not be decoded.",
      recognizer_error: "This stretch could not be turned into text.",
      disconnected: "The connection was lost.",
      dropped_by_sender: "The sending device left it out.",
      off_the_record: "This was off the record.",
      awaiting_consent: "Somebody had not agreed yet.",
      struck: "What was said here was struck.",
    },
    causeUnknown: "It was not heard.",
    began: (time) => `Recording began at ${time}`,
    beganOf: (time, track) => `Recording on ${track} began at ${time}`,
    announceGap: (text) => `Gap: ${text}`,
    find: {
      title: "Find in the talk", before: "Previous", after: "Next", none: "Not found.", count: (at, all) => `${at} of ${all}`,
    },
  },

  end: {
    title: "End the session?",
    body: "The recording stops, the last words are written down, and the note is drafted. The text stays on the server.",
    warning: "A session that has ended takes no more sound. The recording goes on while this question is open.",
    keep: "Keep recording",
    confirm: "End the session",
    reasons: {
      requested: "You ended the session.",
      idle: "The server ended the session because no sound came for a long time.",
      failed: "The server ended the session because a part of it failed. What was heard until then is kept.",
    },
  },

  note: {
    formatNames: {
      soap: "SOAP: Subjective, Objective, Assessment, Plan", dap: "DAP: Data, Assessment, Plan",
      birp: "BIRP: Behavior, Intervention, Response, Plan", girp: "GIRP: Goal, Intervention, Response, Plan",
      pirp: "PIRP: Problem, Intervention, Response, Plan", progress: "Progress note", intake: "Intake",
      plan: "Treatment plan",
    },
    another: "New session",
  },

  failures: {
    recognize: "Speech recognition failed for a part of the session. That part is shown as a gap.",
    diarize: "Telling the voices apart has failed. The speakers may be wrong: please check them.",
    draft: "The note could not be drafted. The transcript is complete and kept.",
    store: "The server could not write to its disk. What was confirmed is kept; new sound may be missing.",
    other: "A part of the session failed.",
    code: (code) => `(code ${code})`,
  },

  // What went wrong with a request, by the error's code: what happened, and what to do.
  problems: {
    not_signed_in: ["Your sign-in is over.", "Sign in again; this page waits for it."],
    insecure: ["This address is not secure, so the browser gives this page no microphone.", "Open the page with https://, or on the server itself as http://localhost."],
    no_capture: ["This browser cannot send sound to the server.", "Use a current Chrome, Edge, Firefox or Safari."],
    microphone_refused: ["The browser was not allowed to use the microphone.", "Allow it in the address bar or in the browser’s site settings, then try again."],
    microphone_missing: ["No microphone was found.", "Plug one in, or choose another one, then try again."],
    call_missing: ["The other side’s sound is not chosen yet.", "Choose the tab or window of the call, then start."],
    call_refused: ["The browser was not allowed to listen to the call.", "Choose the call’s sound again and allow it."],
    call_silent: ["What you chose brings no sound.", "Choose it again and tick “share audio”. Some browsers give the sound of tabs only."],
    call_unsupported: ["This browser cannot listen to another tab or window.", "Use Chrome or Edge on a computer, or let the client join from a room with one microphone."],
    microphone_busy: ["The microphone cannot be opened. Another program may be using it.", "Close the other program, then try again."],
    unreachable: ["The server cannot be reached.", "Check this device’s network. The page keeps trying."],
    unreachable_start: ["The server cannot be reached. Nothing was started.", "Check this device’s network, then try again."],
    unknown_session: ["This server does not know the session.", "It may be on another server, or the address may be incomplete. Start a new one."],
    session_purged: ["This session was deleted for good.", "Its receipt says when and why. Start a new session to record."],
    unknown_utterance: ["Some of these words are gone already.", "They may have been struck."],
    no_consent: ["The server did not start: consent is missing.", "Ask everyone who can be heard, tick the boxes, and start again."],
    overloaded: ["The server is full and cannot take another session now.", "Try again in a few minutes. Until then, take short notes by hand."],
    undelivered: ["A session ended before all the sound that this device kept for it had been sent.", "What is missing is not in its transcript. Add it to the note by hand."],
    session_over: ["This session has already ended.", "Its note is below. Start a new session to record more."],
    unknown_track: ["The server expects another microphone for this session.", "Start a new session."],
    bad_offer: ["The server could not understand how this browser sends sound.", "Try another browser, and tell whoever runs the server."],
    engine_missing: ["The server is not ready: a part of it is not installed.", "Whoever runs the server can find out more with “sameday doctor”."],
    store_failed: ["The server cannot write to its disk.", "Whoever runs the server must make room. Until then, take short notes by hand."],
    conflict: ["The note was changed in another window, and your change is not kept yet.", "The note stands here as it is now. Look at it, then save again."],
    overtaken: ["Somebody changed this session at the same moment.", "Look at it again, then do it once more."],
    note_signed: ["The note is signed and stays as it is.", "Add to it with an addendum."],
    not_signable: ["The note is not signed: something needed is missing.", "Mend what stands under “Before you sign”, or give the reason that is asked for."],
    not_drafted: ["There is no note yet.", "It is drafted when the session ends."],
    bad_message: ["A message of the server could not be read.", "Reload the page. The session goes on, and all that was recorded is kept."],
    no_network: ["The server has no network address that this browser could reach.", "Whoever runs the server must connect it to the network."],
    unknown: ["The server answered with an error.", "Try again. If it happens again, tell whoever runs the server."],
  },
  dismiss: "Close this message",
};
