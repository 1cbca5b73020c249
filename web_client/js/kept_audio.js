// Sound that the server has not acknowledged, on this device's disk (IndexedDB), sealed (seal.js): it outlives a reload
// and a crash of the browser. A block's key is [session, tick, length], so that what there is is known without reading it.

const NAME = "sameday audio";
const BLOCKS = "blocks";

export class KeptAudio {
  #database = null;
  #broken = false;

  /** Whether the disk took the last block that it was given. */
  get works() {
    return !this.#broken;
  }

  /** [{tick, length}] of a session, in order. What cannot be read is not there. */
  async list(session) {
    const ask = () => this.#ask("readonly", (blocks) => blocks.getAllKeys(of(session)));
    const keys = (await ask()) ?? (await ask()); // the second time with the database opened anew
    return (keys ?? []).map(([, tick, length]) => ({ tick, length }));
  }

  /** Ids of the sessions of which there is any. */
  async sessions() {
    const keys = await this.#ask("readonly", (blocks) => blocks.getAllKeys());
    return [...new Set((keys ?? []).map(([session]) => session))];
  }

  /** Keeps `blocks` [{tick, length, sealed}]; resolves to whether all of them are on the disk. */
  async put(session, blocks) {
    const done = await this.#ask("readwrite", (store) => {
      for (const { tick, length, sealed } of blocks) store.put(sealed, [session, tick, length]);
      return null;
    });
    this.#broken = done === undefined;
    return !this.#broken;
  }

  /** Blocks [{tick, length}] as they were sealed, in their order, null for one that is gone; null if the disk fails. */
  async read(session, blocks) {
    const requests = [];
    const done = await this.#ask("readonly", (store) => {
      for (const { tick, length } of blocks) requests.push(store.get([session, tick, length]));
      return null;
    });
    return done === undefined ? null : requests.map((request) => request.result ?? null);
  }

  /** Lets go of all blocks that begin before `tick`. */
  async drop(session, tick = Infinity) {
    await this.#ask("readwrite", (blocks) => {
      blocks.delete(IDBKeyRange.bound([session], [session, tick], false, true));
      return null;
    });
  }

  /** Resolves when `work`'s transaction is complete, to the result of the request it returned; undefined if it fails. */
  async #ask(mode, work) {
    try {
      this.#database ??= opened();
      const transaction = (await this.#database).transaction(BLOCKS, mode, { durability: "relaxed" });
      const complete = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      const request = work(transaction.objectStore(BLOCKS));
      await complete;
      return request?.result ?? null;
    } catch {
      this.#database = null;
      return undefined;
    }
  }
}

const of = (session) => IDBKeyRange.bound([session], [session, []]);

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(BLOCKS);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}
