// What this window remembers over a reload. Per window, so that a second one that opens the same address only watches.

const KEY = "sameday";

/** {id, recording, ending, device}, or an empty object where the browser keeps nothing. */
export function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

export function remember(values) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...recall(), ...values }));
  } catch {
    // Without it a reload asks once more before it records.
  }
}

// What this browser keeps beyond a window: never anything of what was said.

const FORMAT = "sameday.format";
const EARLIER = "sameday.sessions";
const EARLIER_KEPT = 5;

/** The note's format that was chosen last, or null. */
export function chosenFormat() {
  try {
    return localStorage.getItem(FORMAT);
  } catch {
    return null;
  }
}

export function rememberFormat(format) {
  keep(FORMAT, format);
}

/** [{id, at}] of the last sessions that were started here, newest first. */
export function earlierSessions() {
  try {
    const list = JSON.parse(localStorage.getItem(EARLIER) ?? "[]");
    return Array.isArray(list) ? list.filter((one) => typeof one?.id === "string" && typeof one?.at === "string") : [];
  } catch {
    return [];
  }
}

export function rememberSession(id, at) {
  const others = earlierSessions().filter((one) => one.id !== id);
  keep(EARLIER, JSON.stringify([{ id, at }, ...others].slice(0, EARLIER_KEPT)));
}

export function forgetSession(id) {
  keep(EARLIER, JSON.stringify(earlierSessions().filter((one) => one.id !== id)));
}

export function forgetSessions() {
  try {
    localStorage.removeItem(EARLIER);
  } catch {
    // What cannot be kept need not be removed.
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing works without it.
  }
}

/** The session's id in the address, or null. */
export function sessionInAddress() {
  const found = /^#session=(.+)$/.exec(location.hash);
  try {
    return found ? decodeURIComponent(found[1]) : null;
  } catch {
    return null;
  }
}

/** What the address asks the set-up to be filled in with: {kind: "visit" | "client", id}, or null. */
export function wishInAddress() {
  const found = /^#(visit|client)=([A-Za-z0-9._-]{1,64})$/.exec(location.hash);
  return found ? { kind: found[1], id: found[2] } : null;
}

export function addressOf(id) {
  return id ? `#session=${encodeURIComponent(id)}` : location.pathname;
}
