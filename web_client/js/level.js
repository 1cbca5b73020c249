// Whether a microphone's level is good, out of its samples: pure.
//
// Silence is common in therapy and is no fault, so "too quiet" needs speech: a level that moves well above its own
// floor and still stays low. A microphone that is muted gives exact zeros, which no room does.

const CLIP = 0.985; // of full scale
const CLIPPED_SAMPLES = 3; // in one block: a single one may be chance
const CLIPPED_BLOCKS = 2; // within the short window
const DEAD_DB = -90;
const TOO_QUIET_DB = -45; // speech below this costs the recognizer words
const SPEECH_OVER_FLOOR_DB = 12;
const GOOD_DB = -45;
const SHORT_MS = 3000;
const LONG_MS = 8000;

/** One block of samples in [-1, 1] as {rmsDb, clipped}. */
export function measure(samples) {
  let energy = 0;
  let clipped = 0;
  for (const sample of samples) {
    energy += sample * sample;
    if (sample >= CLIP || sample <= -CLIP) clipped += 1;
  }
  const rms = Math.sqrt(energy / Math.max(1, samples.length));
  return { rmsDb: rms > 0 ? 20 * Math.log10(rms) : -120, clipped: clipped >= CLIPPED_SAMPLES };
}

/** The level for the bar, 0 to 100: -60 dB to -6 dB, where speech lies. */
export function barValue(rmsDb) {
  return Math.round(Math.min(100, Math.max(0, ((rmsDb + 60) / 54) * 100)));
}

/**
 * A verdict on blocks `{at, rmsDb, clipped}` in order of time: clipping, dead, too_quiet, good, quiet, or starting
 * while there is too little to judge.
 */
export function judge(blocks) {
  if (blocks.length === 0) return "starting";
  const now = blocks.at(-1).at;
  const recent = blocks.filter((block) => now - block.at <= SHORT_MS);
  if (recent.filter((block) => block.clipped).length >= CLIPPED_BLOCKS) return "clipping";
  const long = blocks.filter((block) => now - block.at <= LONG_MS);
  if (now - blocks[0].at < 1000) return "starting";
  const loudest = recent.reduce((high, block) => Math.max(high, block.rmsDb), -120);
  if (loudest < DEAD_DB && now - blocks[0].at >= SHORT_MS) return "dead";
  if (loudest >= GOOD_DB) return "good";
  const sorted = long.map((block) => block.rmsDb).sort((a, b) => a - b);
  const floor = sorted[Math.floor(sorted.length / 10)];
  const speech = sorted[Math.floor(sorted.length * 0.9)];
  if (speech < TOO_QUIET_DB && speech - Math.max(floor, -80) >= SPEECH_OVER_FLOOR_DB) return "too_quiet";
  return "quiet";
}

/** The blocks that a later verdict can need. */
export function kept(blocks) {
  const now = blocks.at(-1)?.at ?? 0;
  return blocks.filter((block) => now - block.at <= LONG_MS);
}
