// What takes the sound of a running session to the server, fetched together.

export { AudioLink } from "./audio_link.js";
export { Capture } from "./capture.js";
export { KeptAudio } from "./kept_audio.js";
export { Outbox } from "./outbox.js";
