// Keeps the screen on while recording: a tablet that goes to sleep takes the microphone away.

export class WakeLock {
  #lock = null;
  #wanted = false;

  start() {
    this.#wanted = true;
    document.addEventListener("visibilitychange", this.#take);
    this.#take();
  }

  stop() {
    this.#wanted = false;
    document.removeEventListener("visibilitychange", this.#take);
    this.#lock?.release().catch(() => {});
    this.#lock = null;
  }

  // The browser lets go of the lock whenever the page is hidden, so it is taken again when it is back.
  #take = async () => {
    if (!this.#wanted || document.visibilityState !== "visible") return;
    try {
      this.#lock = await navigator.wakeLock?.request("screen");
    } catch {
      // Refused on low battery, for one: the recording goes on without it.
    }
  };
}
