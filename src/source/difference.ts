// In what two texts differ, as one range: all that a comparison of bytes can say.

const BLOCK_BYTES = 1 << 16;

/** The one range in which two texts differ: what is before it is equal, and what is behind it. */
export function difference(
  before: Uint8Array,
  after: Uint8Array,
): { at: number; removed: number; inserted: Uint8Array } {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (
    head < shorter &&
    isSame(
      before.subarray(head, Math.min(head + BLOCK_BYTES, shorter)),
      after.subarray(head, Math.min(head + BLOCK_BYTES, shorter)),
    )
  )
    head = Math.min(head + BLOCK_BYTES, shorter);
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  const most = shorter - head;
  const fromEnd = (bytes: Uint8Array, from: number, to: number) =>
    bytes.subarray(bytes.length - to, bytes.length - from);
  for (let next = 0; tail < most; tail = next) {
    next = Math.min(tail + BLOCK_BYTES, most);
    if (!isSame(fromEnd(before, tail, next), fromEnd(after, tail, next))) break;
  }
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { at: head, removed: before.length - head - tail, inserted: after.subarray(head, after.length - tail) };
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
