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

/** The session's id in the address, or null. */
export function sessionInAddress() {
  const found = /^#session=(.+)$/.exec(location.hash);
  try {
    return found ? decodeURIComponent(found[1]) : null;
  } catch {
    return null;
  }
}

export function addressOf(id) {
  return id ? `#session=${encodeURIComponent(id)}` : location.pathname;
}
