// What is said into the microphone as text, by the recognizer that sessions have. The server keeps none of it.

import { ApiError } from "../api.js";
import { Capture } from "../capture.js";
import { Microphone } from "../microphone.js";

const LAST_WORDS_MS = 15_000;
const FULL = 256 * 1024; // bytes that wait in the browser: the line is too slow to go on

export class Dictation {
  #given;
  #microphone = new Microphone((status) => { if (status === "ended") this.stop(); });
  #capture;
  #socket = null;
  #opened = false;
  #over = null;
  #ended = false;
  #problem = null;

  /** `given`: onWords(text) final, onPartial(text) may change, onEnd(error, "lost" or null) once. */
  constructor(given) {
    this.#given = given;
    this.#capture = new Capture({ onBlock: (pcm) => this.#send(pcm), onHeld: () => {} });
  }

  /** Raises MicrophoneError. */
  async start() {
    const stream = await this.#microphone.start();
    this.#socket = new WebSocket(address());
    this.#over = new Promise((resolve) => {
      this.#socket.onclose = ({ code }) => { this.#end(code); resolve(); };
    });
    this.#socket.onopen = () => { this.#opened = true; };
    this.#socket.onmessage = ({ data }) => this.#told(JSON.parse(data));
    await this.#capture.start(stream);
  }

  /** Resolves once the last words are written. */
  async stop() {
    if (!this.#socket) return this.#end(1000);
    await this.#capture.stop();
    this.#microphone.stop();
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "end" }));
    else this.#socket.close();
    const late = setTimeout(() => this.#socket.close(), LAST_WORDS_MS);
    await this.#over;
    clearTimeout(late);
    return undefined;
  }

  #send(pcm) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > FULL) this.#socket.close();
    else this.#socket.send(pcm);
  }

  #told(message) {
    if (message.type === "words") {
      this.#given.onWords(message.text);
      this.#given.onPartial("");
    } else if (message.type === "partial") this.#given.onPartial(message.text);
    else if (message.type === "done") this.#problem = null;
    else if (message.error) this.#problem = new ApiError(message.error.code, message.error);
  }

  #end(code) {
    if (this.#ended) return;
    this.#ended = true;
    this.#capture.abandon();
    this.#microphone.stop();
    this.#given.onEnd(this.#problem ?? (code === 1000 ? null : this.#opened ? "lost" : { code: "unreachable" }));
  }
}

function address() {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/dictation`;
}
