// The microphone: which there are, and the sound of one.

const IN_ROOM = {
  channelCount: 1,
  // In one room no loudspeaker plays the other person, so there is no echo to cancel, and the browser's processing
  // changes the waveform a lot (correlation with the original 0.73, against 0.96 without): it costs words, and it
  // takes from the voices what tells two people at different distances apart.
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
};
// Over a call a loudspeaker does: what comes out of it would be taken for the clinician's own words. Noise and gain stay
// as they are, for they cost words here too.
const CONSTRAINTS = { room: IN_ROOM, call: { ...IN_ROOM, echoCancellation: true } };

/** Why this browser cannot record here at all, as a problem's code; null if it can. */
export function obstacle(scope = window) {
  if (!scope.isSecureContext || !scope.navigator.mediaDevices?.getUserMedia) return "insecure";
  return scope.AudioWorkletNode ? null : "no_capture";
}

export class MicrophoneError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export class Microphone {
  stream = null;

  /** `onChange(status)` is told of muted, unmuted and ended, which come from the device or its system. */
  constructor(onChange) {
    this.onChange = onChange;
  }

  get track() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  /** Opens the device, or the default one where it is gone. Raises MicrophoneError. */
  async start(deviceId = "", mode = "room") {
    this.stop();
    const blocked = obstacle();
    if (blocked) throw new MicrophoneError(blocked);
    const wanted = CONSTRAINTS[mode];
    const audio = deviceId ? { ...wanted, deviceId: { ideal: deviceId } } : wanted;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new MicrophoneError(CODES[error.name] ?? "microphone_busy");
    }
    const { track } = this;
    track.onmute = () => this.onChange("muted");
    track.onunmute = () => this.onChange("unmuted");
    track.onended = () => this.onChange("ended");
    return this.stream;
  }

  stop() {
    if (!this.stream) return;
    for (const track of this.stream.getTracks()) {
      track.onmute = track.onunmute = track.onended = null;
      track.stop();
    }
    this.stream = null;
  }

  /** {id, label} of the microphones; labels are empty before the browser has been allowed to use one. */
  static async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.kind === "audioinput" && device.deviceId)
      .map((device) => ({ id: device.deviceId, label: device.label }));
  }
}

const CODES = {
  NotAllowedError: "microphone_refused",
  SecurityError: "microphone_refused",
  NotFoundError: "microphone_missing",
  OverconstrainedError: "microphone_missing",
  NotReadableError: "microphone_busy",
  AbortError: "microphone_busy",
};
