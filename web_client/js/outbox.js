// Sound of one session that the server has not acknowledged: the newest in memory, all of it soon on the disk as well.
// On the disk it is sealed, each block as soon as it is there, for a page that goes away has no time for it: until the
// server has given the key all is in memory alone.

import { Seal } from "./seal.js";

const RATE = 16_000;
const SAVE_MS = 250; // a block that is acknowledged sooner never sees the disk
const IN_MEMORY = 600; // blocks (a minute): what is on the disk and older is read from there when its time comes
const MOST = 36_000; // blocks (an hour) in memory where the disk takes nothing, or nothing can be sealed or opened
const AT_ONCE = 100; // blocks in a transaction: where the disk takes nothing, no more of them are held sealed as well
const TRIES = 20; // times on end that the disk is asked, some tenths of a second apart, before it counts as lost

export class Outbox {
  #kept;
  #session;
  #blocks = []; // {tick, length, pcm, sealed, at, saved}, in order
  #seal = null; // a promise of what seals, or of null
  #ticks = 0;
  #lost = 0;
  #failed = 0; // times on end that the disk gave no answer
  #timer = null;
  #saving = Promise.resolve();

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

  /** Seconds that had to be given up: there was no room, or the disk has lost them, or nobody can open them. */
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
    for (const block of this.#blocks.slice(-AT_ONCE)) this.#close(block);
  }

  add(tick, pcm) {
    const block = { tick, length: pcm.length, pcm, sealed: null, at: Date.now(), saved: false };
    this.#blocks.push(block);
    this.#close(block);
    this.#ticks += pcm.length;
    if (this.#blocks.length > MOST && this.#blocks.filter(({ saved }) => !saved).length > MOST) this.#giveUp([this.#blocks[0]]);
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

  /**
   * At most `count` blocks [{tick, pcm}] that reach past `tick`, in order. What is on the disk waits for the key, and all
   * that comes after it waits too: then there are fewer, or none, until it is asked for again.
   */
  async from(tick, count) {
    const first = this.#blocks.findIndex((block) => block.tick + block.length > tick);
    if (first < 0) return [];
    const wanted = this.#blocks.slice(first, first + count).map((block) => ({ block, pcm: block.pcm }));
    const stored = wanted.filter(({ pcm }) => pcm === null).map(({ block }) => block);
    const bodies = stored.length ? await this.#read(stored) : new Map();
    // What the disk has lost, or nobody can open, is given up: its time becomes a gap that the server names.
    const gone = stored.filter((block) => bodies?.get(block) === null);
    if (gone.length) {
      this.#giveUp(gone);
      return this.from(tick, count);
    }
    const there = bodies ? wanted.length : wanted.findIndex(({ pcm }) => pcm === null);
    return wanted.slice(0, there).map(({ block, pcm }) => ({ tick: block.tick, pcm: pcm ?? bodies.get(block) }));
  }

  /** Brings what is older than `age` milliseconds to the disk. */
  async save(age = 0) {
    clearTimeout(this.#timer);
    this.#timer = null;
    const until = Date.now() - age;
    this.#saving = this.#saving.then(() => this.#bring(until));
    await this.#saving;
    if (this.#blocks.some(({ saved }) => !saved)) this.#timer ??= setTimeout(() => this.save(SAVE_MS), SAVE_MS);
  }

  /** Lets go of everything: the session takes no more. */
  async discard() {
    this.#forget(this.#blocks.length);
    await this.#kept.drop(this.#session);
  }

  /** First what is sealed already, since a page that goes away has no time for more; then the rest, oldest first. */
  async #bring(until) {
    const isDue = (block) => !block.saved && block.at <= until;
    const ready = this.#blocks.filter((block) => isDue(block) && block.sealed);
    let goesOn = !ready.length || (await this.#put(ready));
    while (goesOn && this.#seal) {
      const due = this.#blocks.filter(isDue).slice(0, AT_ONCE);
      await Promise.all(due.map((block) => block.sealed ?? this.#close(block)));
      const closed = due.filter(({ sealed }) => sealed);
      goesOn = closed.length > 0 && (await this.#put(closed));
    }
  }

  /** Resolves to whether the disk has taken them. */
  async #put(due) {
    if (!(await this.#kept.put(this.#session, due))) {
      for (const block of this.#blocks.slice(0, -AT_ONCE)) block.sealed = null;
      return false;
    }
    for (const block of due) Object.assign(block, { saved: true, sealed: null });
    // Acknowledged while it was on its way to the disk: nobody would take it away from there.
    const first = this.#blocks[0]?.tick ?? Infinity;
    if (due[0].tick < first) this.#kept.drop(this.#session, Math.min(first, due.at(-1).tick + 1));
    for (const block of this.#blocks.slice(0, -IN_MEMORY)) if (block.saved) block.pcm = null;
    return true;
  }

  /** Seals a block for the disk, once there is a key. One that could not be sealed is tried again when it is saved. */
  async #close(block) {
    if (block.saved) return;
    const sealed = await this.#seal?.then((seal) => seal?.seal(block.tick, block.pcm)).catch(() => null);
    if (!block.saved) block.sealed = sealed ?? null;
  }

  /**
   * The samples of blocks on the disk, in a map by block: null for one that is gone or cannot be opened. Null instead of
   * the map where that is not known yet: there is no key, or the disk gives no answer and may give one when asked again.
   */
  async #read(blocks) {
    const seal = await this.#seal;
    if (!seal) return null;
    const found = await this.#kept.read(this.#session, blocks);
    this.#failed = found ? 0 : this.#failed + 1;
    if (!found && this.#failed < TRIES) return null;
    const opened = await Promise.all(blocks.map((block, index) => found?.[index] && seal.open(block, found[index])));
    return new Map(blocks.map((block, index) => [block, opened[index] ?? null]));
  }

  /** Lets go of blocks that the server will not have, but for those that it has acknowledged meanwhile. */
  #giveUp(blocks) {
    const gone = new Set(blocks);
    const there = this.#blocks.filter((block) => gone.has(block));
    this.#blocks = this.#blocks.filter((block) => !gone.has(block));
    for (const { length } of there) {
      this.#ticks -= length;
      this.#lost += length;
    }
  }

  #forget(count) {
    for (const { length } of this.#blocks.splice(0, count)) this.#ticks -= length;
  }
}
