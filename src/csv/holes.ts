// Holes: runs of NULs where a file was preallocated, cut under a writer that went on where it was, or torn by a loss of power. They are
// no text. A row that a hole cuts off ends there; NULs that are fewer than that are data.

/** So many NULs are a hole. */
export const HOLE_BYTES = 16;

/** The NULs that a text begins with, if they are a hole; else 0. */
export function leadingHole(bytes: Uint8Array): number {
  let nuls = 0;
  while (nuls < bytes.length && bytes[nuls] === 0) nuls++;
  return nuls >= HOLE_BYTES ? nuls : 0;
}

/** The NULs that it ends with, if they are a hole; else 0. */
export function trailingHole(bytes: Uint8Array): number {
  let nuls = 0;
  while (nuls < bytes.length && bytes[bytes.length - 1 - nuls] === 0) nuls++;
  return nuls >= HOLE_BYTES ? nuls : 0;
}

/** How many bytes of a text are in holes. */
export function bytesOfHoles(bytes: Uint8Array): number {
  let found = 0;
  for (let i = bytes.indexOf(0); i !== -1; i = bytes.indexOf(0, i)) {
    const start = i;
    while (i < bytes.length && bytes[i] === 0) i++;
    if (i - start >= HOLE_BYTES) found += i - start;
  }
  return found;
}

/** Takes the holes out of a text that comes in pieces. */
export type HoleFilter = {
  /** The same array, if there are none. NULs at its end wait for what follows. */
  take(text: Uint8Array): Uint8Array;
  /** So many NULs come, as if they were given to `take`. */
  skip(nuls: number): void;
  /** Nothing more comes: what waits, if it is data. */
  end(): Uint8Array;
  /** Bytes in holes so far. */
  found(): number;
  /** Where in the text that was given out record ends stand that are not in the source, in ascending order; the first ones, if there are many. */
  cuts(): readonly number[];
};

const MAX_CUTS = 10_000;

/** The line, from 1, that somebody sees in the source where it is `line` in the text, at `offset`. */
export function lineInSource(line: number, offset: number, cuts: readonly number[]): number {
  return line - cuts.filter((at) => at < offset).length;
}

const LF = 10;
const CR = 13;

export function openHoleFilter(): HoleFilter {
  let waiting = 0;
  let found = 0;
  let length = 0; // of the text that was given out
  let last = LF; // byte of it
  let hasLf = false;
  let hasCr = false;
  const cuts: number[] = [];

  function take(text: Uint8Array): Uint8Array {
    const out = withoutHoles(text);
    length += out.length;
    return out;
  }

  function withoutHoles(text: Uint8Array): Uint8Array {
    if (text.length === 0) return text;
    if (!hasLf) {
      hasLf = text.includes(LF);
      hasCr ||= text.includes(CR);
    }
    if (waiting === 0 && text.indexOf(0) === -1) {
      last = text[text.length - 1]!;
      return text;
    }
    const out = Buffer.allocUnsafeSlow(text.length + Math.min(waiting, HOLE_BYTES) + 1);
    let to = 0;
    for (let at = 0; at < text.length;) {
      let end = at;
      while (end < text.length && text[end] === 0) end++;
      waiting += end - at;
      if (end === text.length) break;
      to = settle(out, to);
      const next = text.indexOf(0, end);
      at = next === -1 ? text.length : next;
      out.set(text.subarray(end, at), to);
      to += at - end;
      last = out[to - 1]!;
    }
    return out.subarray(0, to);
  }

  /** Writes what the NULs that wait are: data, or the end of the record that they cut off. */
  function settle(out: Uint8Array, to: number): number {
    const nuls = waiting;
    waiting = 0;
    if (nuls < HOLE_BYTES) {
      out.fill(0, to, to + nuls);
      return to + nuls;
    }
    found += nuls;
    const end = hasLf || !hasCr ? LF : CR;
    if (last === end || length + to === 0) return to;
    if (cuts.length < MAX_CUTS) cuts.push(length + to);
    out[to] = end;
    return to + 1;
  }

  return {
    take,
    skip: (nuls) => void (waiting += nuls),
    end() {
      const nuls = waiting < HOLE_BYTES ? waiting : 0;
      waiting = 0;
      length += nuls;
      return new Uint8Array(nuls);
    },
    found: () => found,
    cuts: () => cuts,
  };
}
