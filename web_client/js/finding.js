// A session found again by its id, however long it takes to reach the server.

import { backoff, pause } from "./backoff.js";

/** {session, elapsedS}; "unknown" where the server has none; null where it refuses. `onProblem(error)`, null for none. */
export async function findSession(api, id, onProblem) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const found = await api.get(id);
      onProblem(null);
      return found;
    } catch (error) {
      if (error.code === "unknown_session" || error.code === "session_purged") return "unknown";
      onProblem(error);
      if (error.code !== "unreachable" && error.code !== "overloaded") return null;
      await pause(backoff(attempt));
    }
  }
}
