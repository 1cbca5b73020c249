// What the pages ask of the practice's records: visits, charts, the backlog.

import { request } from "./api.js";

const json = async (url, method, body, headers = {}) =>
  (await request(url, { method, headers, body: JSON.stringify(body) })).json();
const got = async (url) => (await request(url)).json();
const of = (kind, id) => `/api/${kind}/${encodeURIComponent(id)}`;

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** This device's calendar day, `days` from today, as an ISO date. */
export function isoDay(days = 0, now = new Date()) {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  const two = (value) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** A day and a time of this device's clock as an instant with its zone. */
export function instant(day, time) {
  const at = new Date(`${day}T${time}`);
  const offset = -at.getTimezoneOffset();
  const two = (value) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return `${day}T${time.slice(0, 5)}:00${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

/** Who is here, or null where that cannot be found out. */
export const seat = () => got("/api/seat").catch(() => null);

export const practice = {
  /** Visits by time; `asked` may hold since, until (ISO days) and client (a chart's id). */
  visits: async (asked) => (await got(`/api/visits?${new URLSearchParams({ ...asked, zone: zone() })}`)).visits,
  visit: (id) => got(of("visits", id)),
  addVisit: (body) => json("/api/visits", "POST", body),
  removeVisit: (id) => request(of("visits", id), { method: "DELETE" }),
  /** Brings in a calendar or CSV file; `asked` may hold dates and ahead. */
  take: async (file, asked) => {
    const type = /\.ics$/i.test(file.name) ? "text/calendar" : "text/csv";
    const query = new URLSearchParams({ ...asked, zone: zone() });
    return (await request(`/api/visits/import?${query}`, { method: "POST", body: file, headers: { "Content-Type": type } })).json();
  },
  backlog: () => got(`/api/backlog?${new URLSearchParams({ zone: zone() })}`),
  charts: async () => (await got("/api/charts")).charts,
  chart: (id) => got(of("charts", id)),
  addChart: (chart) => json("/api/charts", "POST", chart),
  putChart: (id, chart, version) => json(of("charts", id), "PUT", chart, { "If-Match": `"${version}"`, "Content-Type": "application/json" }),
  removeChart: (id, version) => request(of("charts", id), { method: "DELETE", headers: { "If-Match": `"${version}"` } }),
  /** What the note of a session says for each link from diagnosis to plan, and for each goal. */
  thread: (session) => got(`${of("sessions", session)}/note/thread`),
  phrases: () => got("/api/phrases"),
  putPhrases: (body) => json("/api/phrases", "PUT", body),
  formats: () => got("/api/formats"),
  packs: () => got("/api/packs"),
};
