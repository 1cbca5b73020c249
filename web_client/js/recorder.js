// Microphone, level, and the way of the sound to one session's server. What is captured is counted in samples on the
// session's time line, kept until the server has acknowledged it, and sent from where the server stands: a lost
// connection, another network, a server that starts anew or a reload of the page lose nothing of it.

import { recall, remember } from "./memory.js";
import { Meter } from "./meter.js";
import { Microphone } from "./microphone.js";
import { RATE, beginning, firstSample, skipped } from "./time_line.js";

const LOOK_MS = 500;
const MARGIN = Math.round(0.3 * RATE); // blocks that come after a press may hold sound from before it

export class Recorder {
  #microphone;
  #apart;
  #capture = null;
  #kept = null;
  #parts = null; // what sends: not needed before a session, and so not waited for by the page's first paint
  #meter;
  #link = null;
  #outbox = null;
  #timer = null;
  #status = "idle";
  #id = null;
  #at = 0; // the tick of the next sample
  #begun = null; // {tick, wall}: where the line stood when capturing was asked for, until the first sample comes
  #isHeld = false;
  #isOff = false; // off the record, or without somebody's consent
  #goesOn = 0; // the tick from which sound is kept again
  // The server lets the newest connection have a track. Of two windows that both kept coming back each would take it
  // from the other for ever: the one that starts tells the others, and they leave off.
  #windows = new BroadcastChannel("sameday recorder");

  /**
   * `onMedia(status, retryAt)`, `onLevel({value, verdict})`, `onKept({seconds, lost, disk, keyed})` what is not acknowledged;
   * `onFatal({code, undelivered})` for what trying again cannot mend, with the seconds that did not arrive.
   * `source` is what is listened to; a second recorder of one session keeps its sound `apart` from the first one's.
   */
  constructor({ onMedia, onLevel, onKept, onFatal, source = Microphone, apart = false }) {
    this.#microphone = new source((change) => this.#deviceChanged(change));
    this.#apart = apart;
    this.onMedia = onMedia;
    this.onKept = onKept;
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

  /** From this moment on nothing is kept or sent, or again. */
  hold(off) {
    if (this.#isOff && !off) this.#goesOn = this.#at + MARGIN;
    this.#isOff = off;
  }

  /** The tick of this moment on the track's time line, and the one from which sound would be kept again. */
  get moment() {
    return { now: this.#at, again: this.#at + MARGIN };
  }

  /** Opens the microphone and shows its level; nothing is sent. Raises MicrophoneError. */
  async open(deviceId, mode) {
    this.#meter.stop();
    const stream = await this.#microphone.start(deviceId, mode);
    this.#meter.start(stream);
    return stream;
  }

  closeMicrophone() {
    this.#meter.stop();
    this.#microphone.stop();
  }

  /** Records into the session until stopped; it has gone on for `elapsedS` seconds. The microphone must be open. */
  async start(id, { track, elapsedS }) {
    const key = this.#key(id, track);
    this.#windows.postMessage(key);
    await this.connect(id, { track });
    if (!this.isOpen) return; // the end came first
    const known = recall()[this.#noted];
    const wall = Date.now();
    const tick = beginning(known?.id === key ? known : null, elapsedS, wall);
    this.#at = Math.max(this.#outbox.end, tick);
    this.#begun = { tick, wall };
    await this.#capture.start(this.#microphone.stream);
    this.#note();
  }

  /** Sends what is kept of the session, without recording more; with `onlyKept` only where there is any. */
  async connect(id, { track, onlyKept = false }) {
    const { AudioLink, Outbox } = await this.prepare();
    const key = this.#key(id, track);
    if (this.#link && this.#id === key) return;
    await this.#link?.stop();
    this.#id = key;
    this.#outbox = new Outbox(key, this.#kept);
    await this.#outbox.recall();
    if (onlyKept && this.#outbox.isEmpty) return;
    this.#link = new AudioLink(id, {
      track,
      outbox: this.#outbox,
      onStatus: (status, retryAt) => this.#onStatus(status, retryAt),
      onReady: (standing) => { this.#at = skipped(this.#at, standing); },
      onFatal: (code) => this.#refused(code),
    });
    this.#link.start();
    this.#timer = setInterval(() => this.#tellKept(), LOOK_MS);
  }

  /** Stops recording; resolves once the server has acknowledged all that was recorded, or takes no more. */
  async stop() {
    await this.#capture?.stop();
    this.closeMicrophone();
    const link = this.#link;
    if (link) {
      link.wake();
      await link.drained();
      await this.#letGo(link);
    }
    this.#tell("stopped", null);
  }

  /** Stops, and lets go of all that the server does not have: the session was deleted. */
  async discard() {
    this.#capture?.abandon();
    this.closeMicrophone();
    await this.#outbox?.discard();
    if (this.#link) await this.#letGo(this.#link);
  }

  /** Leaves at once, for a page that goes away: what is not acknowledged comes to the disk. */
  abandon() {
    this.#capture?.abandon();
    this.#outbox?.save();
    this.#link?.stop();
    this.#link = null;
    this.closeMicrophone();
  }

  #take(pcm) {
    if (this.#begun) this.#at = Math.max(this.#at, firstSample(this.#begun, Date.now(), pcm.length));
    this.#begun = null;
    const tick = this.#at;
    this.#at += pcm.length;
    if (Math.floor(tick / RATE) !== Math.floor(this.#at / RATE)) this.#note();
    if (this.#isOff || tick < this.#goesOn) return; // its time is named by the server
    // A muted device gives silence, which nobody spoke: left out, its time becomes a gap that is named.
    if (!this.#microphone.track || this.#microphone.track.muted) return;
    this.#outbox.add(tick, pcm);
    this.#link?.wake();
  }

  /** Fetches what sends. Fails where the server cannot be reached. */
  prepare() {
    this.#parts ??= import("./sending.js").then((parts) => {
      this.#kept = new parts.KeptAudio();
      this.#capture = new parts.Capture({ onBlock: (pcm) => this.#take(pcm), onHeld: (held) => this.#held(held) });
      return parts;
    }, (error) => {
      this.#parts = null;
      throw error;
    });
    return this.#parts;
  }

  /** Under what its sound is kept: the session's id comes first. */
  #key(id, track) {
    return this.#apart ? `${id} ${track}` : id;
  }

  get #noted() {
    return this.#apart ? "capturedCall" : "captured";
  }

  /** For a reload: where the time line stands. */
  #note() {
    remember({ [this.#noted]: { id: this.#id, tick: this.#at, wall: Date.now() } });
  }

  #tell(status, retryAt) {
    this.#status = status;
    this.onMedia(status, retryAt);
  }

  #tellKept() {
    if (!this.#outbox) return;
    this.onKept({ seconds: this.#outbox.seconds, lost: this.#outbox.lostSeconds, disk: this.#kept.works, keyed: this.#outbox.isKeyed });
  }

  #onStatus(status, retryAt) {
    if (status === "replaced") {
      this.#outbox.discard(); // the time line goes on at the other device
      this.#leaveOff();
    } else if (this.#status !== "unplugged" || this.isOpen) {
      this.#tell(status === "connected" ? this.#whenConnected() : status, retryAt);
    }
  }

  #whenConnected() {
    if (this.isOpen && this.#microphone.track?.muted) return "muted";
    return this.#isHeld ? "held" : "connected";
  }

  #held(held) {
    this.#isHeld = held;
    if (this.#status === "connected" || this.#status === "held") this.#tell(this.#whenConnected(), null);
  }

  #deviceChanged(change) {
    if (change === "ended") this.#unplugged();
    else if (this.#status === "connected" || this.#status === "muted") this.#tell(this.#whenConnected(), null);
  }

  #otherRecords(id) {
    if (id !== this.#id || !this.#link) return;
    this.#outbox.save(); // the other window takes it up from the disk
    this.#leaveOff();
  }

  #leaveOff() {
    this.#capture?.abandon();
    this.#letGo(this.#link);
    this.closeMicrophone();
    this.#tell("replaced", null);
  }

  async #unplugged() {
    await this.#capture?.stop();
    this.closeMicrophone();
    this.#tell("unplugged", null);
  }

  #refused(code) {
    const undelivered = this.#outbox.seconds;
    this.#outbox.discard();
    this.#capture?.abandon();
    this.#letGo(this.#link);
    this.closeMicrophone();
    this.#tell("stopped", null);
    this.onFatal({ code, undelivered });
  }

  async #letGo(link) {
    clearInterval(this.#timer);
    if (this.#link === link) this.#link = null;
    this.#tellKept();
    await link?.stop();
  }
}
