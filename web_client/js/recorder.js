// Microphone, level and WHIP connection of one session, kept going: a lost connection is made again.

import { backoff, pause } from "./backoff.js";
import { Meter } from "./meter.js";
import { Microphone } from "./microphone.js";
import { WhipSender } from "./whip.js";

// Sound takes a moment from the microphone through the encoder to the network: the last word is still in there.
const TAIL_MS = 400;
// To tell the server that a lost connection is done with, so that the next one is not kept waiting for long.
const LOST_MS = 2000;
const REPLACED = "replaced"; // the server's code where another connection has taken the track over
const OVER = new Set(["session_over", "unknown_session", "unknown_track", "no_consent"]);

export class Recorder {
  #microphone = new Microphone((change) => this.#deviceChanged(change));
  #meter;
  #sender = null;
  #stop = null;
  #running = null;
  #status = "idle";
  #id = null;
  // The server lets the newest connection have a track. Of two windows that both kept coming back each would take it
  // from the other for ever: the one that starts tells the others, and they leave off.
  #windows = new BroadcastChannel("sameday recorder");

  /** `onMedia(status, retryAt)`, `onLevel({value, verdict})`, `onFatal(error)` for what trying again cannot mend. */
  constructor({ onMedia, onLevel, onFatal }) {
    this.onMedia = onMedia;
    this.onFatal = onFatal;
    this.#windows.onmessage = ({ data }) => this.#otherRecords(data);
    this.#meter = new Meter(onLevel);
  }

  get isOpen() {
    return this.#microphone.stream !== null;
  }

  get deviceId() {
    return this.#microphone.track?.getSettings().deviceId ?? "";
  }

  /** Opens the microphone and shows its level; nothing is sent. Raises MicrophoneError. */
  async open(deviceId) {
    this.#meter.stop();
    const stream = await this.#microphone.start(deviceId);
    this.#meter.start(stream);
    return stream;
  }

  closeMicrophone() {
    this.#meter.stop();
    this.#microphone.stop();
  }

  /** Sends to the session until stopped. The microphone must be open. */
  start(id, { track, iceServers }) {
    this.#id = id;
    this.#windows.postMessage(id);
    this.#stop = new AbortController();
    this.#running = this.#run(id, { track, iceServers }, this.#stop.signal);
  }

  /** Stops sending, with the last word and all that is on its way taken in by the server. */
  async stop() {
    if (this.#sender && this.#status === "connected") await pause(TAIL_MS);
    this.#stop?.abort();
    await this.#sender?.stop();
    await this.#running;
    this.closeMicrophone();
    this.#tell("stopped", null);
  }

  /** Leaves at once, for a page that goes away. */
  abandon() {
    this.#stop?.abort();
    this.#sender?.abandon();
    this.closeMicrophone();
  }

  #tell(status, retryAt) {
    this.#status = status;
    this.onMedia(status, retryAt);
  }

  async #run(id, { track, iceServers }, signal) {
    let attempt = 0;
    while (!signal.aborted) {
      this.#tell(attempt === 0 ? "connecting" : "retrying", null);
      const { connected, error, replaced } = await this.#connection(id, { track, iceServers }, signal);
      if (signal.aborted) return;
      if (error && OVER.has(error.code)) {
        this.closeMicrophone();
        this.#tell("stopped", null);
        this.onFatal(error);
        return;
      }
      if (replaced) return this.#leaveOff();
      attempt = connected ? 1 : attempt + 1;
      const wait = backoff(attempt - 1);
      this.#tell("retrying", Date.now() + wait);
      await pause(wait, signal);
    }
  }

  /** One connection, until it is lost: {connected, error, replaced}. */
  async #connection(id, { track, iceServers }, signal) {
    let connected = false;
    let lost;
    const over = new Promise((resolve) => { lost = resolve; });
    const sender = new WhipSender(id, {
      track,
      iceServers,
      onState: (state) => {
        if (state === "lost") return lost();
        connected = true;
        this.#tell(this.#microphone.track?.muted ? "muted" : "connected", null);
      },
    });
    this.#sender = sender;
    signal.addEventListener("abort", lost, { once: true });
    try {
      await sender.start(this.#microphone.stream);
      await over;
      const refused = signal.aborted ? null : await sender.stop(LOST_MS);
      return { connected, error: null, replaced: refused?.code === REPLACED };
    } catch (error) {
      return { connected, error };
    } finally {
      signal.removeEventListener("abort", lost);
      if (!signal.aborted) await sender.stop(LOST_MS);
    }
  }

  #deviceChanged(change) {
    if (change === "muted" && this.#status === "connected") this.#tell("muted", null);
    if (change === "unmuted" && this.#status === "muted") this.#tell("connected", null);
    if (change === "ended") this.#unplugged();
  }

  #otherRecords(id) {
    if (id !== this.#id || !this.#stop || this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#sender?.stop();
    this.#leaveOff();
  }

  #leaveOff() {
    this.closeMicrophone();
    this.#tell("replaced", null);
  }

  async #unplugged() {
    this.#stop?.abort();
    await this.#sender?.stop();
    this.closeMicrophone();
    this.#tell("unplugged", null);
  }
}
