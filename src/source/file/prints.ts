// What the bytes of a file were when they were read, as hashes of stretches: to tell later whether they are still the same, without the
// bytes. The end, which grows, is kept as it is.

export const STRETCH_BYTES = 1 << 16;
/** The end is compared with so many bytes at least, if there are as many. */
const MIN_END_BYTES = 4_096;

export type Prints = {
  /** Bytes that follow. */
  add(bytes: Uint8Array): void;
  addNuls(count: number): void;
  /** The bytes behind `length` are no more. False, and nothing has changed, if that is too far back. */
  truncate(length: number): boolean;
  /** Of all bytes so far. */
  length(): number;
  /** Whether these are the bytes from `at` on, which is where a stretch begins: whole stretches, or up to the end, or before it. */
  matches(at: number, bytes: Uint8Array): boolean;
  /** Where the stretches begin that tell whether a file goes on where these bytes end: its first, and those at the end. */
  edges(): number[];
};

const NULS = new Uint8Array(STRETCH_BYTES);

export function openPrints(): Prints {
  let hashes = new BigUint64Array(16);
  let count = 0;
  let rest = new Uint8Array(0); // grows to one stretch
  let restLength = 0;

  function push(bytes: Uint8Array): void {
    if (count === hashes.length) {
      const larger = new BigUint64Array(count * 2);
      larger.set(hashes);
      hashes = larger;
    }
    hashes[count++] = hashOf(bytes);
  }

  function add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (restLength === 0 && bytes.length - at >= STRETCH_BYTES) {
        push(bytes.subarray(at, (at += STRETCH_BYTES)));
        continue;
      }
      const piece = bytes.subarray(at, at + STRETCH_BYTES - restLength);
      if (rest.length < restLength + piece.length) {
        const larger = new Uint8Array(Math.min(STRETCH_BYTES, 2 * (restLength + piece.length)));
        larger.set(rest.subarray(0, restLength));
        rest = larger;
      }
      rest.set(piece, restLength);
      restLength += piece.length;
      at += piece.length;
      if (restLength < STRETCH_BYTES) continue;
      push(rest);
      restLength = 0;
    }
  }

  function matches(at: number, bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i += STRETCH_BYTES) {
      const stretch = (at + i) / STRETCH_BYTES;
      const piece = bytes.subarray(i, i + STRETCH_BYTES);
      const isThere =
        stretch < count
          ? piece.length === STRETCH_BYTES && hashOf(piece) === hashes[stretch]
          : stretch === count && piece.length <= restLength && isSame(piece, rest.subarray(0, piece.length));
      if (!isThere) return false;
    }
    return true;
  }

  return {
    add,
    addNuls(nuls) {
      for (; nuls > 0; nuls -= STRETCH_BYTES) add(NULS.subarray(0, nuls));
    },
    truncate(length) {
      if (length < count * STRETCH_BYTES) return false;
      restLength = length - count * STRETCH_BYTES;
      return true;
    },
    length: () => count * STRETCH_BYTES + restLength,
    matches,
    edges() {
      const last = restLength >= MIN_END_BYTES ? count : Math.max(0, count - 1);
      const ends = last < count && restLength > 0 ? [last, count] : [last];
      return [...new Set([0, ...ends])].map((stretch) => stretch * STRETCH_BYTES);
    },
  };
}

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

const hashOf = (bytes: Uint8Array) => Bun.hash.wyhash(bytes);
