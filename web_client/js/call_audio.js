// The sound of the other side of a call: a tab's or the system's, as the browser lets the clinician choose.

import { MicrophoneError } from "./microphone.js";

/** Stands in the place of a microphone: the same methods, another source. */
export class CallAudio {
  stream = null;

  constructor(onChange) {
    this.onChange = onChange;
  }

  get track() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  /** Asks which tab or screen to listen to. Raises MicrophoneError. */
  async start() {
    this.stop();
    if (!navigator.mediaDevices?.getDisplayMedia) throw new MicrophoneError("call_unsupported");
    try {
      this.stream = await navigator.mediaDevices.getDisplayMedia({
        // Browsers give sound only with a picture, which is sent nowhere: as small and slow as it may be.
        video: { width: 16, height: 16, frameRate: 1 },
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
        systemAudio: "include", selfBrowserSurface: "exclude",
      });
    } catch (error) {
      throw new MicrophoneError(error.name === "NotAllowedError" ? "call_refused" : "call_unsupported");
    }
    if (!this.track) {
      this.stop();
      throw new MicrophoneError("call_silent");
    }
    this.track.onended = () => this.onChange("ended");
    return this.stream;
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.stream = null;
  }
}
