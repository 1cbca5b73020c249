// The binary frames of audio over WebSocket (docs/protocol.md).

const HEADER = 16;

/** Block `pcm` (Int16Array) that begins at `tick`, as frame number `sequence`. */
export function frame(sequence, tick, pcm) {
  const bytes = new ArrayBuffer(HEADER + 2 * pcm.length);
  const view = new DataView(bytes);
  view.setUint8(0, 0x53); // S
  view.setUint8(1, 0x44); // D
  view.setUint8(2, 1); // version
  view.setUint8(3, 1); // PCM16
  view.setUint32(4, sequence, true);
  view.setBigUint64(8, BigInt(tick), true);
  for (let at = 0; at < pcm.length; at += 1) view.setInt16(HEADER + 2 * at, pcm[at], true);
  return bytes;
}
