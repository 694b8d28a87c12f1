// When what a source has behind its last record end counts as a row, although its writer may not be done with it. Writers with a
// buffer of 4 or 8 kB flush in the middle of a row, and may stay silent for minutes; editors leave the last line end out.
import type { Tail } from "./held.ts";

/** What was appended counts after so much silence. */
export const TAIL_QUIET_MS = 2_000;
/** Buffers are multiples of it: what ends at one is most likely torn. */
const EDGE_BYTES = 1_024;
/** So many appends running that begin with a line end, and have none at their end, tell a writer who puts it first. */
const LEADING_ENDS = 3;
/** A tail may be held back for so long without a word. */
const PENDING_MS = 1_000;
/** A cell with line ends that a buffer has cut is no longer; as far as a stray quote is told from one (csv/quotes.ts). */
const MAX_TORN_BYTES = 1 << 16;

const LF = 10;
const CR = 13;

export type TailRule = {
  /** The source as a whole has become `size` bytes; `isAtOnce`: it was not seen to grow. */
  replaced(size: number, isAtOnce: boolean, now: number): void;
  /** Bytes came behind the others, of which there are `size` now. */
  appended(bytes: Uint8Array, size: number, now: number): void;
  /** Whether the tail counts; `columns`: the cells of a whole row. */
  isWhole(tail: Tail, columns: number, now: number): boolean;
  /** How much has been held back for a while: a tail that does not count, at this offset of the text. */
  pendingBytes(tail: Tail | undefined, at: number, columns: number, now: number): number | undefined;
  /** Whether a tail is held back, at the last `pendingBytes`. */
  isPending(): boolean;
  /** Whether that one has ended at the edge of a buffer ever since it is there: a quote that is open in it will be closed. */
  isTorn(): boolean;
  /** Whether one that is counts now. */
  isDue(tail: Tail | undefined, columns: number, now: number): boolean;
  /** When it may count, or has been held back for a while, if nothing comes; undefined if that is past, or never. */
  dueAt(tail: Tail | undefined, columns: number, now: number): number | undefined;
};

/** `settleMs`: how long a writer is silent who has written a whole file. Times are of a monotonic clock in ms. */
export function openTailRule(settleMs: number): TailRule {
  let firstSize = 0;
  let size = 0;
  let added = 0; // by the last append; 0 if the source came as a whole
  let leading = 0;
  let endsOpen = false;
  let changedAt = -Infinity;
  let pending: { readonly at: number; readonly since: number; isTorn: boolean } | undefined;

  const isEdge = () => [size, added, size - firstSize].some((bytes) => bytes > 0 && bytes % EDGE_BYTES === 0);

  function wholeAt({ cells }: Tail, columns: number): number {
    if (leading >= LEADING_ENDS) return -Infinity;
    if (isEdge()) return Infinity;
    if (added === 0) return changedAt + settleMs;
    return cells === columns ? changedAt + Math.max(TAIL_QUIET_MS, settleMs) : Infinity;
  }

  const isWhole = (tail: Tail, columns: number, now: number) => wholeAt(tail, columns) <= now;

  return {
    replaced(newSize, isAtOnce, now) {
      firstSize = size = newSize;
      added = isAtOnce ? 0 : newSize;
      leading = 0;
      endsOpen = true; // as far as is known
      changedAt = now;
    },
    appended(bytes, newSize, now) {
      const isLeading = endsOpen && (bytes[0] === LF || (bytes[0] === CR && bytes[1] === LF));
      const last = bytes[bytes.length - 1];
      endsOpen = last !== LF && last !== CR;
      leading = isLeading && endsOpen && bytes.length % EDGE_BYTES !== 0 ? leading + 1 : 0;
      added = bytes.length;
      size = newSize;
      changedAt = now;
    },
    isWhole,
    pendingBytes(tail, at, columns, now) {
      if (!tail || isWhole(tail, columns, now)) return void (pending = undefined);
      if (pending?.at !== at) pending = { at, since: now, isTorn: true };
      pending.isTorn &&= isEdge() && tail.bytes <= MAX_TORN_BYTES;
      return now - pending.since >= PENDING_MS ? tail.bytes : undefined;
    },
    isDue: (tail, columns, now) => pending !== undefined && tail !== undefined && isWhole(tail, columns, now),
    isPending: () => pending !== undefined,
    isTorn: () => pending?.isTorn === true,
    dueAt(tail, columns, now) {
      const times = [tail ? wholeAt(tail, columns) : Infinity, pending ? pending.since + PENDING_MS : Infinity];
      const next = Math.min(...times.filter((time) => time > now));
      return next === Infinity ? undefined : next;
    },
  };
}
