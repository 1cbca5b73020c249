// What the clinician fills in for each session, kept in this browser: own name and places, nothing of a client.

const KEY = "sameday.defaults";
export const DEFAULTS = ["provider", "credentials", "place", "provider_location", "platform"];

export function defaults() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return Object.fromEntries(DEFAULTS.map((name) => [name, typeof kept[name] === "string" ? kept[name] : ""]));
  } catch {
    return Object.fromEntries(DEFAULTS.map((name) => [name, ""]));
  }
}

const KEYS = "sameday.keys";

/** Whether single keys do something during a session. */
export function keysOn() {
  try {
    return localStorage.getItem(KEYS) !== "off";
  } catch {
    return true;
  }
}

/** The single key that was pressed, where that means something: no field has the focus, and they are on. */
export function singleKey({ target, key, ctrlKey, metaKey, altKey }) {
  if (ctrlKey || metaKey || altKey || !keysOn()) return null;
  return target.closest?.("input, textarea, select, [contenteditable]") ? null : key.toLowerCase();
}

export function keepKeys(on) {
  try {
    localStorage.setItem(KEYS, on ? "on" : "off");
  } catch {
    // Where nothing is kept they stay on.
  }
}

export function keepDefaults(values) {
  try {
    localStorage.setItem(KEY, JSON.stringify(values));
  } catch {
    // A browser that keeps nothing asks each time.
  }
}
