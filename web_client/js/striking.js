// Which passages of the talk are chosen to be struck: from one to another, all that was said between. Pure.

// Times on the wire are rounded to the millisecond: a stretch that is asked for stays this much inside its passages,
// so that it touches no neighbour. The server takes each passage whole that it touches.
const INSIDE_S = 0.002;

export const NOTHING = Object.freeze({ from: null, to: null });

/** What is chosen after a press on a passage: it begins, widens, or gives up the end that was pressed. */
export function picked(state, id) {
  const at = indexes(state);
  const place = state.utterances.findIndex((said) => said.id === id);
  if (place < 0) return state.striking;
  if (!at) return { from: id, to: id };
  const [from, to] = at;
  const name = (index) => state.utterances[index].id;
  if (place < from) return { from: id, to: name(to) };
  if (place > to) return { from: name(from), to: id };
  if (from === to) return NOTHING;
  if (place === from) return { from: name(from + 1), to: name(to) };
  if (place === to) return { from: name(from), to: name(to - 1) };
  return { from: id, to: id };
}

/**
 * What goes: {start, end} in seconds, as it is asked of the server, `said` the passages that go with it, whole, and
 * {since, until} when they begin and end. null where nothing is chosen.
 */
export function chosen(state) {
  const at = indexes(state);
  if (!at) return null;
  const between = state.utterances.slice(at[0], at[1] + 1);
  const start = between[0].start + INSIDE_S;
  const end = Math.max(...between.map((one) => one.end)) - INSIDE_S;
  const said = state.utterances.filter((one) => between.includes(one) || (one.start < end && one.end > start));
  return { start, end, said, since: Math.min(...said.map((one) => one.start)), until: Math.max(...said.map((one) => one.end)) };
}

/** The places of the first and the last that is chosen; null where nothing is, or where one of them is gone. */
function indexes({ striking, utterances }) {
  if (!striking?.from) return null;
  const at = [striking.from, striking.to].map((id) => utterances.findIndex((said) => said.id === id));
  return at.includes(-1) ? null : at.sort((a, b) => a - b);
}
