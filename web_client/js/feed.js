// The session's events over a WebSocket, replayed from where the page stands after each loss.

import { eventsUrl } from "./api.js";
import { backoff, pause } from "./backoff.js";
import { signedOut } from "./signed_out.js";

const GONE = [4404, 4410]; // not known, deleted for good
const SIGNED_OUT = 4401;
const NORMAL = 1000;
// The server says how far it is each second; after this long without a word the line is dead, whatever TCP thinks.
const SILENCE_MS = 12_000;

export class EventFeed {
  #stop = new AbortController();
  #socket = null;
  #done = null;

  /**
   * `after()` gives the newest sequence number known, `complete()` whether nothing more is to come, `expectsLag()`
   * whether the server speaks each second now; `onMessage` gets each event, `onStatus` connecting, open, retrying,
   * done or unknown. `onSilence()` is awaited when the server has no more to say and yet the session is not complete.
   */
  constructor(id, { after, complete, expectsLag, onMessage, onStatus, onSilence }) {
    this.id = id;
    Object.assign(this, { after, complete, expectsLag, onMessage, onStatus, onSilence });
  }

  start() {
    this.#done ??= this.#run();
  }

  async stop() {
    this.#stop.abort();
    this.#socket?.close();
    await this.#done;
  }

  async #run() {
    let attempt = 0;
    while (!this.#stop.signal.aborted) {
      this.onStatus(attempt === 0 ? "connecting" : "retrying", null);
      const { code, opened } = await this.#connection();
      if (this.#stop.signal.aborted) return;
      if (code === SIGNED_OUT) signedOut();
      if (GONE.includes(code)) return this.onStatus("unknown", null);
      if (code === NORMAL && !this.complete()) await this.onSilence();
      if (code === NORMAL && this.complete()) return this.onStatus("done", null);
      attempt = opened ? 1 : attempt + 1;
      const wait = backoff(attempt - 1);
      this.onStatus("retrying", Date.now() + wait);
      await pause(wait, this.#stop.signal);
    }
  }

  /** One connection, to its end: {code, opened}. */
  #connection() {
    return new Promise((resolve) => {
      const socket = new WebSocket(eventsUrl(this.id, this.after()));
      this.#socket = socket;
      let opened = false;
      let heardAt = Date.now();
      const watch = setInterval(() => {
        if (this.expectsLag() && Date.now() - heardAt > SILENCE_MS) finish(0);
      }, 1000);
      const finish = (code) => {
        clearInterval(watch);
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        resolve({ code, opened });
      };
      socket.onopen = () => {
        opened = true;
        heardAt = Date.now();
        this.onStatus("open", null);
      };
      socket.onmessage = (event) => {
        heardAt = Date.now();
        this.onMessage(event.data);
      };
      socket.onclose = (event) => finish(event.code);
    });
  }
}
