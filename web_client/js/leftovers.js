// Sound that was kept for sessions which take no more: it must not lie on this device for ever.

import { KeptAudio } from "./kept_audio.js";

/** Deletes it, but that of session `current`; resolves to whether there was any of a session that ended without it. */
export async function clearLeftovers(api, current) {
  const kept = new KeptAudio();
  let missed = false;
  for (const key of await kept.sessions()) {
    const [id] = key.split(" "); // a second track's is kept under the session's id and its own
    if (id === current) continue;
    const over = await api.get(id).then(({ session }) => session.state !== "live", (error) => ["unknown_session", "session_purged"].includes(error.code) && error.code);
    if (!over) continue;
    await kept.drop(key);
    missed = missed || over !== "session_purged"; // of what was deleted for good nothing is missed
  }
  return missed;
}
