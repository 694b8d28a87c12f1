// Two runs of rows -> splices. Equal rows are found by their bytes; what is between them is replaced.
import { CR, type Layout, LF } from "./records.ts";

/** Rows as byte ranges: row r is `bytes[starts[r], starts[r + 1])`; `starts` has one entry more than there are rows. */
export type Rows = { readonly bytes: Uint8Array; readonly starts: Uint32Array; readonly layout: Layout };

/** `Array.prototype.splice`: at row `start`, `deleted` rows go and `inserted` rows come. Several apply in order. */
export type Splice = { start: number; deleted: number; inserted: number };

/** Longest run of rows that is aligned by hash; larger ones are replaced as a whole. */
const MAX_ALIGNED_ROWS = 200_000;

/** Splices that turn `before` into `after`, in order; row numbers are those of the table while they apply. */
export function diffRows(before: Rows, after: Rows): Splice[] {
  const oldCount = before.starts.length - 1;
  const newCount = after.starts.length - 1;
  const shorter = Math.min(oldCount, newCount);
  let head = 0;
  while (head < shorter && isSameRow(before, head, after, head)) head++;
  let tail = 0;
  while (tail < shorter - head && isSameRow(before, oldCount - 1 - tail, after, newCount - 1 - tail)) tail++;
  return hunks(before, after, { oldFrom: head, oldTo: oldCount - tail, newFrom: head, newTo: newCount - tail });
}

type Region = { oldFrom: number; oldTo: number; newFrom: number; newTo: number };

function hunks(before: Rows, after: Rows, region: Region): Splice[] {
  const { oldFrom, oldTo, newFrom, newTo } = region;
  const deleted = oldTo - oldFrom;
  const inserted = newTo - newFrom;
  if (deleted === 0 && inserted === 0) return [];
  const pairwise = deleted === inserted ? pairedHunks(before, after, region) : [];
  const changed = pairwise.reduce((sum, { inserted: rows }) => sum + rows, 0);
  if (pairwise.length > 0 && changed <= Math.max(64, inserted >> 4)) return pairwise;
  if (deleted > 0 && inserted > 0 && Math.max(deleted, inserted) <= MAX_ALIGNED_ROWS) {
    const aligned = alignedHunks(before, after, region);
    const replaced = aligned.reduce((sum, { inserted: rows }) => sum + rows, 0);
    if (pairwise.length === 0 || replaced < changed) return aligned;
  }
  return pairwise.length > 0 ? pairwise : [{ start: newFrom, deleted, inserted }];
}

/** Row by row, for edits that leave the number of rows alone. */
function pairedHunks(before: Rows, after: Rows, { oldFrom, newFrom, newTo }: Region): Splice[] {
  const splices: Splice[] = [];
  for (let r = newFrom; r < newTo; r++) {
    if (isSameRow(before, oldFrom + r - newFrom, after, r)) continue;
    const last = splices.at(-1);
    if (last && last.start + last.inserted === r) last.deleted = ++last.inserted;
    else splices.push({ start: r, deleted: 1, inserted: 1 });
  }
  return splices;
}

/** Patience diff (Bram Cohen): rows that stand once on either side, in an order both share, hold the rest in place. */
function alignedHunks(before: Rows, after: Rows, { oldFrom, oldTo, newFrom, newTo }: Region): Splice[] {
  const anchors = longestIncreasing(uniquePairs(hashes(before, oldFrom, oldTo), hashes(after, newFrom, newTo)));
  const splices: Splice[] = [];
  let old = oldFrom;
  let fresh = newFrom;
  const replace = (oldEnd: number, newEnd: number) => {
    if (oldEnd > old || newEnd > fresh) splices.push({ start: fresh, deleted: oldEnd - old, inserted: newEnd - fresh });
  };
  for (const [a, b] of anchors) {
    let oldAt = oldFrom + a;
    let newAt = newFrom + b;
    if (oldAt < old || newAt < fresh || !isSameRow(before, oldAt, after, newAt)) continue;
    while (oldAt > old && newAt > fresh && isSameRow(before, oldAt - 1, after, newAt - 1)) (oldAt--, newAt--);
    replace(oldAt, newAt);
    old = oldFrom + a + 1;
    fresh = newFrom + b + 1;
    while (old < oldTo && fresh < newTo && isSameRow(before, old, after, fresh)) (old++, fresh++);
  }
  replace(oldTo, newTo);
  return splices;
}

function hashes({ bytes, starts }: Rows, from: number, to: number): bigint[] {
  return Array.from({ length: to - from }, (_, r) =>
    BigInt(Bun.hash(bytes.subarray(starts[from + r]!, starts[from + r + 1]!))),
  );
}

/** Pairs of positions of the hashes that stand once in each list, in the order of the second. */
function uniquePairs(before: bigint[], after: bigint[]): [number, number][] {
  const once = new Map<bigint, number>();
  before.forEach((hash, r) => once.set(hash, once.has(hash) ? -1 : r));
  const seen = new Map<bigint, number>();
  for (const hash of after) seen.set(hash, (seen.get(hash) ?? 0) + 1);
  const pairs: [number, number][] = [];
  after.forEach((hash, r) => {
    const old = once.get(hash) ?? -1;
    if (old >= 0 && seen.get(hash) === 1) pairs.push([old, r]);
  });
  return pairs;
}

/** The longest subsequence of `pairs` whose first numbers increase: patience sorting with back pointers. */
function longestIncreasing(pairs: [number, number][]): [number, number][] {
  const piles: number[] = [];
  const previous = new Int32Array(pairs.length);
  pairs.forEach(([old], at) => {
    let low = 0;
    let high = piles.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[piles[middle]!]![0] < old) low = middle + 1;
      else high = middle;
    }
    previous[at] = low > 0 ? piles[low - 1]! : -1;
    piles[low] = at;
  });
  const chain: [number, number][] = [];
  for (let at = piles.at(-1) ?? -1; at >= 0; at = previous[at]!) chain.push(pairs[at]!);
  return chain.reverse();
}

function isSameRow(before: Rows, a: number, after: Rows, b: number): boolean {
  const from = before.starts[a]!;
  const start = after.starts[b]!;
  const length = contentEnd(before, a) - from;
  return length === contentEnd(after, b) - start && isSame(before.bytes, from, after.bytes, start, length);
}

/** Where a row ends without its record end: the last row of a file may not have one yet. */
function contentEnd({ bytes, starts, layout }: Rows, r: number): number {
  let end = starts[r + 1]!;
  if (bytes[end - 1] === layout.recordEnd) end--;
  if (layout.recordEnd === LF) while (end > starts[r]! && bytes[end - 1] === CR) end--;
  return end;
}

/** Memory compare; short rows byte by byte, since a native call costs more than they do. */
function isSame(a: Uint8Array, from: number, b: Uint8Array, start: number, length: number): boolean {
  if (length > 64) return Buffer.compare(a.subarray(from, from + length), b.subarray(start, start + length)) === 0;
  for (let i = 0; i < length; i++) if (a[from + i] !== b[start + i]) return false;
  return true;
}
