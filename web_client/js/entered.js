// What the clinician entered or chose, made ready for the server.

import { chosenFormat } from "./memory.js";
import { S } from "./strings.js";

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
