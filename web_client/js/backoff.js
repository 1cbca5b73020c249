/** Milliseconds to wait before attempt number `attempt` (from 0): 0.5 s doubling to 10 s, spread by `chance` in [0, 1). */
export function backoff(attempt, chance = Math.random()) {
  const full = Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
  // Spread so that all browsers of a practice do not come back at the same moment after a restart.
  return Math.round(full * (0.75 + 0.5 * chance));
}

const SOONER = ["online", "sameday:signed-in"];

/** Resolves after `ms`, or at once when `signal` aborts, the device comes online again or somebody has signed in. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      for (const name of SOONER) removeEventListener(name, done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    for (const name of SOONER) addEventListener(name, done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
