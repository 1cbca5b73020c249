// The microphone's way to the server: numbered frames over a WebSocket (docs/protocol.md), made again whenever it
// breaks. Sends what the outbox holds from the tick that the server wants, and lets go of what it acknowledges.

import { audioUrl } from "./api.js";
import { frame } from "./audio_frame.js";
import { backoff, pause } from "./backoff.js";
import { signedOut } from "./signed_out.js";

const CONNECT_MS = 8000;
const DEAF_MS = 6000; // frames are under way and nothing comes back: the line is dead, whatever TCP thinks
const LOOK_MS = 500;
const FULL = 256 * 1024; // bytes in the browser's own buffer
const AT_ONCE = 16;
const REPLACED = 4000;
const SIGNED_OUT = 4401; // what is said stays in the outbox until there is a sign-in again
const FATAL = new Map([[4404, "unknown_session"], [4410, "session_purged"], [4409, "session_over"], [4400, "unknown_track"], [4403, "foreign_origin"]]);

export class AudioLink {
  #stop = new AbortController();
  #done = null;
  #socket = null;
  #sending = false;
  #ready = false;
  #sequence = 0;
  #cursor = 0; // the tick behind the last frame that was sent
  #acknowledged = 0;
  #heardAt = 0;
  #fatal = null;

  /**
   * `onStatus(status, retryAt)` is told connecting, connected, retrying, replaced; `onReady({tick, clock})` what the
   * server has and how far the session is by its clock; `onFatal(code)` what trying again cannot mend.
   */
  constructor(id, { track, outbox, onStatus, onReady, onFatal }) {
    this.id = id;
    Object.assign(this, { track, outbox, onStatus, onReady, onFatal });
  }

  start() {
    this.#done ??= this.#run();
  }

  /** Closes at once. */
  async stop() {
    this.#stop.abort();
    this.#socket?.close(1000);
    await this.#done;
  }

  /** Resolves once all that is in the outbox is acknowledged, or the link has come to its end without that. */
  async drained() {
    while (!this.outbox.isEmpty && !this.#stop.signal.aborted) await pause(50, this.#stop.signal);
  }

  /** There is more to send. */
  async wake() {
    if (this.#sending || !this.#ready) return;
    this.#sending = true;
    const socket = this.#socket;
    try {
      while (socket === this.#socket && this.#ready && (await this.#some(socket)));
    } finally {
      this.#sending = false;
    }
    if (socket !== this.#socket) this.wake();
  }

  async #some(socket) {
    if (socket.bufferedAmount > FULL) {
      await pause(LOOK_MS / 10, this.#stop.signal);
      return true;
    }
    const blocks = await this.outbox.from(this.#cursor, AT_ONCE);
    if (socket !== this.#socket || !this.#ready) return false;
    if (this.#cursor <= this.#acknowledged) this.#heardAt = Date.now(); // until now it had nothing to answer
    for (const { tick, pcm } of blocks) {
      socket.send(frame(this.#sequence, tick, pcm));
      this.#sequence += 1;
      this.#cursor = tick + pcm.length;
    }
    return blocks.length > 0;
  }

  async #run() {
    let attempt = 0;
    while (!this.#stop.signal.aborted) {
      this.onStatus(attempt === 0 ? "connecting" : "retrying", null);
      const { code, ready } = await this.#connection();
      if (this.#stop.signal.aborted) return;
      if (code === SIGNED_OUT) signedOut();
      if (code === REPLACED) return this.#end("replaced");
      if (FATAL.has(code)) return this.#end(null, this.#fatal ?? FATAL.get(code));
      attempt = ready ? 1 : attempt + 1;
      const wait = backoff(attempt - 1);
      this.onStatus("retrying", Date.now() + wait);
      await pause(wait, this.#stop.signal);
    }
  }

  #end(status, code) {
    this.#stop.abort();
    if (status) this.onStatus(status, null);
    else this.onFatal(code);
  }

  /** One connection, to its end: {code, ready}. */
  #connection() {
    return new Promise((resolve) => {
      const socket = new WebSocket(audioUrl(this.id, this.track));
      const began = Date.now();
      let ready = false;
      this.#socket = socket;
      const finish = (code) => {
        clearInterval(watch);
        socket.onmessage = socket.onclose = null;
        socket.close();
        this.#ready = false;
        this.#socket = null;
        resolve({ code, ready });
      };
      const watch = setInterval(() => {
        const waits = this.#cursor > this.#acknowledged && Date.now() - this.#heardAt > DEAF_MS;
        if (ready ? waits : Date.now() - began > CONNECT_MS) finish(0);
        else this.wake(); // what the disk could not give at once is asked for again
      }, LOOK_MS);
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        this.#heardAt = Date.now();
        if (message.type === "ready") {
          ready = this.#ready = true;
          this.#begin(message);
        } else if (message.type === "ack") {
          this.#acknowledged = message.tick;
          this.outbox.acknowledge(message.tick);
        } else if (message.error) {
          this.#fatal = message.error.code;
          if (message.error.code === "out_of_order") finish(0); // sent again from where the server stands
        }
      };
      socket.onclose = ({ code }) => finish(code);
    });
  }

  #begin({ sequence, tick, clock, device_key: key }) {
    this.#sequence = sequence;
    this.#cursor = this.#acknowledged = tick;
    this.outbox.acknowledge(tick);
    this.outbox.unlock(key, [this.id, this.track]);
    this.onStatus("connected", null);
    this.onReady({ tick, clock: clock ?? null });
    this.wake();
  }
}
