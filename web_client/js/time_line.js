// Where on a session's time line a sample lies. The line is counted in samples; a clock is asked only where it begins,
// and where the device has not captured for a while without saying so (a computer that slept).

export const RATE = 16_000;
const APART_S = 5;
const START_S = 2;

/**
 * The tick at which capturing begins when the session has gone on for `elapsedS` seconds by the server's clock.
 * `known` {tick, wall} is how far an earlier page came, and when by this device's clock (ms, as `now`). That is the
 * finer measure, unless the clock was set meanwhile.
 */
export function beginning(known, elapsedS, now) {
  const byServer = elapsedS < START_S ? 0 : Math.round(elapsedS * RATE);
  if (!known) return byServer;
  const byDevice = known.tick + Math.round(((now - known.wall) * RATE) / 1000);
  const agree = Math.abs(byDevice - byServer) <= APART_S * RATE;
  return Math.max(known.tick, agree ? byDevice : byServer);
}

/**
 * The tick of the first of `length` samples that came at `now` (ms), where capturing was asked for at `wall` and the
 * line stood at `tick` then: a busy device takes seconds to begin, and a browser may wait for the page to be touched.
 * A session that has just begun begins with its first sample.
 */
export function firstSample({ tick, wall }, now, length) {
  return tick === 0 ? 0 : tick + Math.max(0, Math.round(((now - wall) * RATE) / 1000) - length);
}

/** The next sample's tick `at`, moved on where the server is ahead: with what it has, or by more of its clock than delays explain. */
export function skipped(at, { tick, clock }) {
  const slept = clock !== null && clock - at > APART_S * RATE;
  return Math.max(at, tick, slept ? clock : 0);
}
