// Which rows of a long list are near what is seen: pure, so that it can be tested without a page. Lengths are pixels.

/** Where each of the rows begins, and at the end where the list does: one number more than there are rows. */
export function offsetsOf(lengths) {
  const offsets = new Float64Array(lengths.length + 1);
  for (let index = 0; index < lengths.length; index += 1) offsets[index + 1] = offsets[index] + lengths[index];
  return offsets;
}

/** The rows that touch the stretch [from, to): [first, behind the last]. At least one where there are any. */
export function rangeOf(offsets, from, to) {
  const count = offsets.length - 1;
  if (count <= 0) return [0, 0];
  const first = Math.min(count - 1, Math.max(0, firstAbove(offsets, from) - 1));
  const last = Math.max(first + 1, Math.min(count, firstAtOrAbove(offsets, to)));
  return [first, last];
}

function firstAbove(offsets, value) {
  return bisect(offsets, (one) => one > value);
}

function firstAtOrAbove(offsets, value) {
  return bisect(offsets, (one) => one >= value);
}

/** The first index whose offset fulfils `is`, which those after it fulfil as well. */
function bisect(offsets, is) {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(offsets[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Letters as they are looked for: small, and without accents. */
export const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** The keys of the entries that hold what is looked for, in their order. */
export function found(entries, wanted) {
  const needle = folded(wanted.trim());
  return needle ? entries.filter((one) => folded(one.text).includes(needle)).map((one) => one.key) : [];
}
