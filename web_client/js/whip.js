// One WHIP connection (RFC 9725): an offer by POST, the answer in its 201, DELETE at the end. One track, one way, Opus.

import { path, request } from "./api.js";

const GATHERING_MS = 1000;
// A line that stutters is "disconnected" for a moment and comes back by itself; the server waits 3 s for sound.
const DISCONNECTED_MS = 2500;
const CONNECT_MS = 10_000;
// A browser takes 15 s and more to see that the other side is gone. The server's reports (RTCP, twice a second and at
// the least each 1.5 s) and its answers to connectivity checks say it sooner.
const DEAF_MS = 4000;
const LOOK_MS = 1000;

export class WhipSender {
  #peer = null;
  #resource = null;
  #timer = null;
  #watch = null;
  #closed = false;

  /** `onState(state)` is told "connected" and, once, "lost"; after "lost" it is of no more use. */
  constructor(id, { track, iceServers, onState }) {
    this.id = id;
    this.track = track;
    this.iceServers = iceServers;
    this.onState = onState;
  }

  /** Connects `stream`'s first audio track. Raises ApiError. */
  async start(stream) {
    const peer = new RTCPeerConnection({ iceServers: this.iceServers });
    this.#peer = peer;
    peer.onconnectionstatechange = () => this.#changed(peer.connectionState);
    const transceiver = peer.addTransceiver(stream.getAudioTracks()[0], { direction: "sendonly", streams: [stream] });
    preferOpus(transceiver);
    await peer.setLocalDescription(mono(await peer.createOffer()));
    await gathered(peer);
    const response = await request(`${path(this.id, "/whip")}?track=${encodeURIComponent(this.track)}`, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", Accept: "application/sdp" },
      body: peer.localDescription.sdp,
    });
    this.#resource = new URL(response.headers.get("Location"), response.url).href;
    const sdp = await response.text();
    if (this.#closed) return this.#delete();
    await peer.setRemoteDescription({ type: "answer", sdp });
    this.#arm(CONNECT_MS);
    this.#changed(peer.connectionState);
  }

  /** Closes the connection after the server has taken in what is on its way. Resolves to the error, if there was one. */
  async stop(timeoutMs = 4000) {
    this.#close();
    const error = await this.#delete(timeoutMs);
    this.#peer?.close();
    return error;
  }

  /** Closes at once, for a page that goes away; the server hears of it if it still can. */
  abandon() {
    this.#close();
    if (this.#resource) fetch(this.#resource, { method: "DELETE", keepalive: true }).catch(() => {});
    this.#resource = null;
    this.#peer?.close();
  }

  async #delete(timeoutMs = 4000) {
    const resource = this.#resource;
    this.#resource = null;
    if (!resource) return null;
    return request(resource, { method: "DELETE", timeoutMs }).then(() => null, (error) => error);
  }

  #changed(state) {
    if (this.#closed) return;
    if (state === "connected") {
      clearTimeout(this.#timer);
      this.#watchServer();
      this.onState("connected");
    } else if (state === "disconnected") {
      this.#arm(DISCONNECTED_MS);
    } else if (state === "failed" || state === "closed") {
      this.#lost();
    }
  }

  /** Loses the connection when nothing at all has come from the server for a while. */
  #watchServer() {
    clearInterval(this.#watch);
    let before = -1;
    let heardAt = Date.now();
    this.#watch = setInterval(async () => {
      const count = received(await this.#peer.getStats());
      if (count !== before) heardAt = Date.now();
      before = count;
      if (Date.now() - heardAt >= DEAF_MS) this.#lost();
    }, LOOK_MS);
  }

  #arm(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), ms);
  }

  #close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
  }

  #lost() {
    if (this.#closed) return;
    this.#close();
    this.onState("lost");
  }
}

/** What has come from the server, as a number that grows with each packet. */
function received(stats) {
  let count = 0;
  for (const entry of stats.values()) {
    if (entry.type === "transport") count += entry.bytesReceived ?? 0;
    if (entry.type === "candidate-pair") count += (entry.bytesReceived ?? 0) + (entry.responsesReceived ?? 0);
    if (entry.type === "remote-inbound-rtp") count += entry.packetsReceived ?? 0;
  }
  return count;
}

/** Only Opus: no second codec to fall back to, and no redundant coding that the server would not read. */
function preferOpus(transceiver) {
  const codecs = RTCRtpSender.getCapabilities?.("audio")?.codecs ?? [];
  const opus = codecs.filter((codec) => codec.mimeType.toLowerCase() === "audio/opus");
  if (opus.length) transceiver.setCodecPreferences?.(opus);
}

/** The offer with mono Opus and no pauses in sending, so that silence and a lost line stay apart. */
function mono({ type, sdp }) {
  const opus = /^a=rtpmap:(\d+) opus\/48000/im.exec(sdp)?.[1];
  if (!opus) return { type, sdp };
  const line = new RegExp(`^a=fmtp:${opus} (.*)$`, "m");
  return { type, sdp: sdp.replace(line, (whole, given) => `a=fmtp:${opus} ${given.trim()};stereo=0;sprop-stereo=0;usedtx=0`) };
}

/** Resolves when all candidates are in the description, or after a second: the server takes what is there. */
function gathered(peer) {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      peer.onicegatheringstatechange = null;
      resolve();
    };
    const timer = setTimeout(done, GATHERING_MS);
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState === "complete") done();
    };
  });
}
