// Sound of one session that the server has not acknowledged: the newest in memory, all of it soon on the disk as well.
// On the disk it is sealed, each block as soon as it is there, for a page that goes away has no time for it: until the
// server has given the key all is in memory alone.

import { Seal } from "./seal.js";

const RATE = 16_000;
const SAVE_MS = 250; // a block that is acknowledged sooner never sees the disk
const IN_MEMORY = 600; // blocks (a minute): what is on the disk and older is read from there when its time comes
const MOST = 36_000; // blocks (an hour) in memory where the disk takes nothing, or nothing can be sealed

export class Outbox {
  #kept;
  #session;
  #blocks = []; // {tick, length, pcm, sealed, at, saved}, in order
  #seal = null; // a promise of what seals, or of null
  #ticks = 0;
  #lost = 0;
  #timer = null;
  #saving = null;

  constructor(session, kept) {
    this.#session = session;
    this.#kept = kept;
  }

  /** Takes up what an earlier page left. */
  async recall() {
    const found = await this.#kept.list(this.#session);
    const first = this.#blocks[0]?.tick ?? Infinity;
    const earlier = found.filter(({ tick }) => tick < first);
    this.#blocks.unshift(...earlier.map((block) => ({ ...block, pcm: null, sealed: null, at: 0, saved: true })));
    this.#ticks += earlier.reduce((sum, { length }) => sum + length, 0);
  }

  /** Seconds that are not acknowledged. */
  get seconds() {
    return this.#ticks / RATE;
  }

  /** Seconds that had to be given up, because neither disk nor memory had room. */
  get lostSeconds() {
    return this.#lost / RATE;
  }

  get isEmpty() {
    return this.#blocks.length === 0;
  }

  /** The tick behind the last block; 0 where there is none. */
  get end() {
    const last = this.#blocks.at(-1);
    return last ? last.tick + last.length : 0;
  }

  /** Whether the server has given the key for what comes to the disk. */
  get isKeyed() {
    return this.#seal !== null;
  }

  /** Takes the session's key, base64, for this track, [session, track]; it stays the same as long as there is a page. */
  unlock(key, place) {
    if (this.#seal || !key) return;
    this.#seal = Seal.from(key, place).catch(() => {
      this.#seal = null;
      return null;
    });
    for (const block of this.#blocks) if (!block.saved) this.#close(block);
  }

  add(tick, pcm) {
    const block = { tick, length: pcm.length, pcm, sealed: null, at: Date.now(), saved: false };
    this.#blocks.push(block);
    this.#close(block);
    this.#ticks += pcm.length;
    if (this.#blocks.length > MOST && !this.#blocks[0].saved) {
      this.#lost += this.#blocks[0].length;
      this.#forget(1);
    }
    this.#timer ??= setTimeout(() => this.save(SAVE_MS), SAVE_MS);
  }

  /** All before `tick` is durable at the server. */
  acknowledge(tick) {
    const count = this.#blocks.findIndex((block) => block.tick + block.length > tick);
    const gone = this.#blocks.slice(0, count < 0 ? this.#blocks.length : count);
    if (!gone.length) return;
    this.#forget(gone.length);
    if (gone.some(({ saved }) => saved)) this.#kept.drop(this.#session, gone.at(-1).tick + 1);
  }

  /** At most `count` blocks [{tick, pcm}] that reach past `tick`, in order. */
  async from(tick, count) {
    const first = this.#blocks.findIndex((block) => block.tick + block.length > tick);
    if (first < 0) return [];
    const wanted = this.#blocks.slice(first, first + count).map((block) => ({ block, pcm: block.pcm }));
    const stored = wanted.filter(({ pcm }) => pcm === null).map(({ block }) => block);
    const bodies = stored.length ? await this.#read(stored) : new Map();
    // What the disk has lost, or nobody can open, is let go of: its time becomes a gap that the server names.
    const lost = stored.filter((block) => !bodies.get(block));
    if (lost.length) {
      this.#remove(new Set(lost));
      return this.from(tick, count);
    }
    return wanted.map(({ block, pcm }) => ({ tick: block.tick, pcm: pcm ?? bodies.get(block) }));
  }

  /** Brings what is older than `age` milliseconds to the disk. */
  async save(age = 0) {
    clearTimeout(this.#timer);
    this.#timer = null;
    await this.#saving;
    const old = Date.now() - age;
    const due = this.#blocks.filter((block) => !block.saved && block.sealed && block.at <= old);
    this.#saving = due.length ? this.#put(due) : null;
    await this.#saving;
    if (this.#blocks.some(({ saved }) => !saved)) this.#timer ??= setTimeout(() => this.save(SAVE_MS), SAVE_MS);
  }

  /** Lets go of everything: the session takes no more. */
  async discard() {
    this.#forget(this.#blocks.length);
    await this.#kept.drop(this.#session);
  }

  async #put(due) {
    const saved = await this.#kept.put(this.#session, due);
    if (!saved) return;
    for (const block of due) Object.assign(block, { saved: true, sealed: null });
    // Acknowledged while it was on its way to the disk: nobody would take it away from there.
    const first = this.#blocks[0]?.tick ?? Infinity;
    if (due[0].tick < first) this.#kept.drop(this.#session, Math.min(first, due.at(-1).tick + 1));
    for (const block of this.#blocks.slice(0, -IN_MEMORY)) if (block.saved) block.pcm = null;
  }

  /** Seals a block for the disk, once there is a key. */
  async #close(block) {
    block.sealed = (await (await this.#seal)?.seal(block.tick, block.pcm)) ?? null;
  }

  /** The samples of blocks on the disk, in a map by block; null for one that is gone or cannot be opened. */
  async #read(blocks) {
    const [found, seal] = await Promise.all([this.#kept.read(this.#session, blocks), this.#seal]);
    const opened = await Promise.all(found.map((one, index) => {
      if (one instanceof Int16Array) return one; // an earlier version's, which did not seal
      return one && seal ? seal.open(blocks[index], one) : null;
    }));
    return new Map(blocks.map((block, index) => [block, opened[index]]));
  }

  /** Lets go of blocks, but for those that went meanwhile. */
  #remove(gone) {
    const there = this.#blocks.filter((block) => gone.has(block));
    this.#blocks = this.#blocks.filter((block) => !gone.has(block));
    for (const { length } of there) this.#ticks -= length;
  }

  #forget(count) {
    for (const { length } of this.#blocks.splice(0, count)) this.#ticks -= length;
  }
}
