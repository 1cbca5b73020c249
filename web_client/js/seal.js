// Seals a track's blocks of sound for this device's disk: AES-256-GCM under the session's key, which the server gives to
// those who may send its sound and which is in memory alone. A block is bound to its place on the track's time line.

const NONCE = 12;

export class Seal {
  #key;
  #place;

  constructor(key, place) {
    this.#key = key;
    this.#place = place;
  }

  /** Of the server's key, base64, for a track, [session, track]. Raises where the browser has no cipher for this page. */
  static async from(text, place) {
    const raw = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    return new Seal(await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]), place);
  }

  /** The block as the disk has it: nonce, cipher text, tag. */
  async seal(tick, pcm) {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE));
    const sealed = new Uint8Array(await crypto.subtle.encrypt(this.#way(iv, tick, pcm.length), this.#key, pcm));
    const block = new Uint8Array(NONCE + sealed.length);
    block.set(iv);
    block.set(sealed, NONCE);
    return block;
  }

  /** The samples of what was sealed for this place; null where it was changed, moved, or sealed under another key. */
  async open({ tick, length }, block) {
    try {
      const way = this.#way(block.subarray(0, NONCE), tick, length);
      return new Int16Array(await crypto.subtle.decrypt(way, this.#key, block.subarray(NONCE)));
    } catch {
      return null;
    }
  }

  #way(iv, tick, length) {
    return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(JSON.stringify([...this.#place, tick, length])) };
  }
}
