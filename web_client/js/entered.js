// What the clinician entered or chose, made ready for the server.

import { chosenFormat } from "./memory.js";
import { practice } from "./practice.js";
import { S } from "./strings.js";

/** An appointment as the set-up takes it, of a visit or for a client: {kind, id}. Raises ApiError. */
export async function appointmentOf({ kind, id }) {
  if (kind === "client") {
    const chart = await practice.chart(id);
    return { id: null, name: chart.client, start: null, client: chart.id, modality: "", kind: "progress", minutes: null };
  }
  const visit = await practice.visit(id);
  const { label: name, start, client_id: client, modality, kind: note, minutes } = visit;
  return { id, name, start, client, modality, kind: note, minutes };
}

/** The format that was chosen in this browser, where it is one of ours. */
export function knownFormat() {
  const format = chosenFormat();
  return Object.hasOwn(S.note.formatNames, format ?? "") ? format : null;
}

/** {id, ...context} of what was entered: a new client gets a chart first. Raises ApiError. */
export async function withChart(store, api, { client, chart, context }) {
  const made = chart ? await api.addChart(chart) : null;
  if (made) store.dispatch({ type: "page/charts", charts: [...store.state.charts, made] });
  return { id: made?.id ?? client, ...context };
}
