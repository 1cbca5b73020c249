// Whether this device will last through a session: its battery, its room, its screen.

const LOW_BATTERY = 0.2;
const LOW_ROOM_BYTES = 200e6;
const LOOK_MS = 60_000;

export class DeviceWatch {
  #timer = null;
  #onWords;
  #words;

  /** `onWords(list)` is told what to warn of, in `words` of the catalogue: battery(percent), storage, wake. */
  constructor(words, onWords) {
    this.#words = words;
    this.#onWords = onWords;
  }

  start() {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#onWords([]);
  }

  async #look() {
    const [battery, room] = await Promise.all([
      navigator.getBattery?.().catch(() => null), navigator.storage?.estimate?.().catch(() => null)]);
    if (this.#timer === null) return;
    const found = [];
    if (battery && !battery.charging && battery.level < LOW_BATTERY) found.push(this.#words.battery(Math.round(battery.level * 100)));
    if (room?.quota && room.quota - (room.usage ?? 0) < LOW_ROOM_BYTES) found.push(this.#words.storage);
    if (!navigator.wakeLock) found.push(this.#words.wake);
    this.#onWords(found);
  }
}
