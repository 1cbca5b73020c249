// The server's HTTP side (docs/protocol.md).

import { signedOut } from "./signed_out.js";
import { S } from "./strings.js";

/** A request that failed: `code` as the server names it, or "unreachable" where no answer came. */
export class ApiError extends Error {
  constructor(code, { message = "", mend = "", status = 0 } = {}) {
    super(message || code);
    this.code = code;
    this.mend = mend;
    this.status = status;
  }
}

/** An error as the page shows it: {code, message, mend}. Our own words where there are any, else the server's. */
export function toProblem(error) {
  const code = error.code ?? "unknown";
  if (Object.hasOwn(S.problems, code)) {
    const [message, mend] = S.problems[code];
    return { code, message, mend };
  }
  if (error instanceof ApiError && error.message !== code) return { code, message: error.message, mend: error.mend };
  const [message, mend] = S.problems.unknown;
  return { code, message, mend: `${mend} (${code})` };
}

/** What is known of a session: what was left empty is left out. */
function filledIn({ client, context, visit }) {
  const given = Object.entries(context).filter(([, value]) => value !== null && value !== undefined);
  return { ...(client ? { client } : {}), ...(visit ? { visit } : {}), ...(given.length ? { context: Object.fromEntries(given) } : {}) };
}

export class Api {
  /**
   * `consent` are the participants who agreed, [{who, how}], `tracks` are as `tracksOf` has them, `format` is the note's, or null for
   * the server's own; `details` are {client, context, visit}. Raises ApiError.
   */
  async create(consent, tracks, format, details) {
    return this.#session(await request("/api/sessions", {
      method: "POST",
      body: JSON.stringify({ consent, script: S.setup.script.join("\n"), tracks, ...(format ? { format } : {}), ...filledIn(details) }),
    }));
  }

  async get(id) {
    return this.#session(await request(path(id)));
  }

  /** The practice's charts, by name. */
  async charts() {
    return (await (await request("/api/charts")).json()).charts;
  }

  /** A new client's chart, with its id. */
  async addChart(chart) {
    return (await request("/api/charts", { method: "POST", body: JSON.stringify(chart) })).json();
  }

  async setContext(id, body) {
    return this.#session(await request(path(id, "/context"), { method: "PATCH", body: JSON.stringify(body) }));
  }

  async swapRoles(id) {
    return this.#session(await request(path(id, "/roles"), { method: "POST", body: JSON.stringify({ swap: true }) }));
  }

  async setRoles(id, roles) {
    return this.#session(await request(path(id, "/roles"), { method: "POST", body: JSON.stringify({ roles }) }));
  }

  /** The session after the clinician's word for what was said. */
  async correct(id, utterance, text) {
    const url = path(id, `/utterances/${encodeURIComponent(utterance)}`);
    return this.#session(await request(url, { method: "PATCH", body: JSON.stringify({ text }) }));
  }

  /** Marks a moment of the session, or forgets it. */
  async mark(id, atS, on = true) {
    return this.#session(await request(path(id, "/marks"), { method: "POST", body: JSON.stringify({ at_s: atS, on }) }));
  }

  /** Changes what is recorded: off-record, on-record, participants, consent, strike. */
  async record(id, what, body) {
    return this.#session(await request(path(id, `/${what}`), { method: "POST", body: JSON.stringify(body), timeoutMs: 60_000 }));
  }

  /** Somebody takes their consent back: the receipt of the session's deletion. */
  async revoke(id, who) {
    return (await request(path(id, "/revoke"), { method: "POST", body: JSON.stringify({ who }), timeoutMs: 60_000 })).json();
  }

  /** Deletes a session that is over, for good: its receipt. `why` is asked or revoked; a signed note goes with `signed` alone. */
  async remove(id, why, signed) {
    return (await request(`${path(id)}?why=${why}${signed ? "&signed=true" : ""}`, { method: "DELETE", timeoutMs: 60_000 })).json();
  }

  async end(id) {
    return this.#session(await request(path(id, "/end"), { method: "POST" }));
  }

  /** The note as it stands, or as it reads in another format. */
  async note(id, format = null) {
    return (await request(`${path(id, "/note")}${format ? `?format=${encodeURIComponent(format)}` : ""}`)).json();
  }

  /** The note after changes: {version, changes} or {version, format}. */
  async change(id, body) {
    return (await request(path(id, "/note"), { method: "PATCH", body: JSON.stringify(body) })).json();
  }

  /** The note with one section, or all of it, drafted anew: {version, section}. The writer may take its time. */
  async redraft(id, body) {
    const asked = { method: "POST", body: JSON.stringify(body), timeoutMs: 120_000 };
    return (await request(path(id, "/note/redraft"), asked)).json();
  }

  async sign(id, body) {
    return (await request(path(id, "/note/sign"), { method: "POST", body: JSON.stringify(body) })).json();
  }

  async cosign(id, body) {
    return (await request(path(id, "/note/cosign"), { method: "POST", body: JSON.stringify(body) })).json();
  }

  async sendBack(id, body) {
    return (await request(path(id, "/note/return"), { method: "POST", body: JSON.stringify(body) })).json();
  }

  async addend(id, body) {
    return (await request(path(id, "/note/addenda"), { method: "POST", body: JSON.stringify(body) })).json();
  }

  /** The note as plain text, as its export has it. */
  async noteText(id) {
    return (await request(exportUrl(id, "txt"))).text();
  }

  /** {session, elapsedS}: the elapsed time by the server's clock alone, for the two clocks may differ. */
  async #session(response) {
    const session = await response.json();
    const date = Date.parse(response.headers.get("Date") ?? "");
    const now = Number.isNaN(date) ? Date.now() : date;
    return { session, elapsedS: Math.max(0, (now - Date.parse(session.started_at)) / 1000) };
  }
}

/** The tracks of a session: over a call one for each, so that who speaks is certain; in a room one microphone. */
export const tracksOf = ({ mode, people }) => (mode === "call"
  ? [{ id: "clinician", speakers: 1, role: "clinician" }, { id: "client", speakers: 1, role: "client" }] : [track(people)]);

/** One microphone. Who has it alone is the clinician; of several people nobody knows yet who is who. */
const track = (people) => (people === 1 ? { id: "mic", speakers: 1, role: "clinician" } : { id: "mic", speakers: people });

export const path = (id, rest = "") => `/api/sessions/${encodeURIComponent(id)}${rest}`;

/** The address of the note as a file. */
export const exportUrl = (id, format, transcript = false) =>
  `${path(id, "/note/export")}?format=${format}${transcript ? "&transcript=true" : ""}`;

/** The address of a session's events after number `after`, as a WebSocket address of this page's own server. */
export function eventsUrl(id, after) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}${path(id, "/events")}?after=${after}`;
}

/** The address of a track's audio frames. */
export function audioUrl(id, track) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}${path(id, "/audio")}?track=${encodeURIComponent(track)}`;
}

/** fetch that raises ApiError for every answer that is no success, and for none at all. */
export async function request(url, { headers = {}, timeoutMs = 15_000, ...options } = {}) {
  const typed = options.body === undefined || headers["Content-Type"] ? headers : { ...headers, "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(url, { ...options, headers: typed, cache: "no-store", signal: AbortSignal.timeout(timeoutMs) });
  } catch {
    throw new ApiError("unreachable");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  const { code = "unknown", message = "", mend = "" } = body?.error ?? {};
  if (code === "not_signed_in") signedOut();
  throw new ApiError(response.status >= 502 && code === "unknown" ? unavailable(response) : code, {
    message, mend, status: response.status,
  });
}

// A proxy in between answers 502 to 504 without our error's shape: 503 is a full server, else it is not there.
const unavailable = (response) => (response.status === 503 ? "overloaded" : "unreachable");
