// Rows that hold two tables in place: patience diff (Bram Cohen), on a sample that is as dense as a bounded table of hashes allows.
// Which rows are in the sample is told by their hashes, so that a row is in it with all its equals, on both sides. Where every row
// repeats, windows of several rows take their place.
import type { Region } from "./edits.ts";
import { inStretches } from "./steps.ts";

/** Pairs of rows, in the order that both sides share. */
export type Anchors = { readonly old: Int32Array; readonly fresh: Int32Array; readonly work: number };

/** Hashes in the table at the same time: so many fit into the caches of a processor. */
const MAX_KEYS = 1 << 16;
const SLOT_BITS = 17;

/** Rows that are looked at in one step. */
const STEP_ROWS = 1 << 15;

/** Rows in a window, one after the other until some stand once. */
const WINDOWS = [4, 32, 256, 2048];

/** Of rows in no order at all, about twice the root of their number are in order by chance (Vershik and Kerov, 1977). */
const isByChance = (inOrder: number, pairs: number) => pairs >= 256 && inOrder * inOrder <= 8 * pairs;

/** In a slot: no row; more than one row; else the number of the row and 1. */
const NONE = 0;
const SEVERAL = -1;

/** The table of slots, for one region at a time, while nobody has it: making it takes longer than most differences. */
let spare: ReturnType<typeof openPairs> | undefined;

/** Finds anchors in regions of two tables, one region after the other. */
export function openAnchors(before: Float64Array, after: Float64Array) {
  let keys = new Uint32Array(0);

  /** Anchors of a region; none if there are none, or if what is in order is so by chance. */
  function* find({ oldFrom, oldTo, newFrom, newTo }: Region): Generator<void, Anchors> {
    const oldCount = oldTo - oldFrom;
    const newCount = newTo - newFrom;
    if (keys.length < oldCount + newCount) keys = new Uint32Array(oldCount + newCount);
    const oldKeys = keys.subarray(0, oldCount);
    const newKeys = keys.subarray(oldCount, oldCount + newCount);
    yield* inStretches(0, oldCount, STEP_ROWS, (from, to) => fillKeys(before, oldFrom, oldKeys, from, to));
    yield* inStretches(0, newCount, STEP_ROWS, (from, to) => fillKeys(after, newFrom, newKeys, from, to));
    const pairs = spare ?? openPairs();
    spare = undefined;
    let found = yield* pairs.find(oldKeys, oldCount, newKeys, newCount);
    let passes = 1;
    for (let i = 0, rows = 1; i < WINDOWS.length && found.count === 0 && found.isRepeating; i++) {
      const window = WINDOWS[i]!;
      if (window > Math.min(oldCount, newCount)) break;
      for (; rows < window; rows *= 2) {
        for (const keys of [oldKeys, newKeys])
          yield* inStretches(0, keys.length - rows, STEP_ROWS, (from, to) => widen(keys, rows, from, to));
      }
      found = yield* pairs.find(oldKeys, oldCount - window + 1, newKeys, newCount - window + 1);
      found.isRepeating = true;
      passes += 2;
    }
    spare = pairs;
    return { ...inOrder(found, oldFrom, newFrom), work: passes * (oldCount + newCount) };
  }

  return { find };
}

/** Keys of 32 bits, well mixed, from the bits of the hashes as they are in memory: a conversion would cost more. */
function fillKeys(hashes: Float64Array, first: number, keys: Uint32Array, from: number, to: number): void {
  const bits = new Uint32Array(hashes.buffer, hashes.byteOffset + 8 * first, 2 * keys.length);
  for (let i = from; i < to; i++) {
    keys[i] = mixed(Math.imul(bits[2 * i]!, 0x9e3779b1) ^ Math.imul(bits[2 * i + 1]!, 0x85ebca77));
  }
}

/** Keys of windows of `rows` rows become those of twice as many. The last ones are of no use. */
function widen(keys: Uint32Array, rows: number, from: number, to: number): void {
  for (let i = from; i < to; i++) keys[i] = mixed(Math.imul(keys[i]!, 0x9e3779b1) + keys[i + rows]!);
}

/** The end of MurmurHash3 (Austin Appleby, public domain). */
function mixed(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** `isRepeating`: so many rows stand more than once that none might be found for that alone. */
type Pairs = { readonly count: number; readonly old: Int32Array; readonly fresh: Int32Array; isRepeating: boolean };

/** Rows that stand once on either side, by an open table of slots. When it is full, the sample becomes half as dense. */
function openPairs() {
  const slotKeys = new Uint32Array(1 << SLOT_BITS);
  const oldRows = new Int32Array(1 << SLOT_BITS);
  const newRows = new Int32Array(1 << SLOT_BITS);
  let bits = 0; // of the slots in use
  let sample = 0; // keys that have any of these bits are not in the sample
  let distinct = 0;

  /** Where the key is, or would be. */
  function slotOf(key: number): number {
    const last = (1 << bits) - 1;
    let slot = key >>> (32 - bits);
    while (oldRows[slot] !== NONE && slotKeys[slot] !== key) slot = (slot + 1) & last;
    return slot;
  }

  function clear(): void {
    oldRows.fill(NONE, 0, 1 << bits);
    newRows.fill(NONE, 0, 1 << bits);
    distinct = 0;
  }

  function thinOut(): void {
    const kept: [key: number, row: number][] = [];
    sample = (sample << 1) | 1;
    for (let slot = 0; slot < 1 << bits; slot++)
      if (oldRows[slot] !== NONE && (slotKeys[slot]! & sample) === 0) kept.push([slotKeys[slot]!, oldRows[slot]!]);
    clear();
    for (const [key, row] of kept) add(key, row);
  }

  function add(key: number, row: number): void {
    const slot = slotOf(key);
    if (oldRows[slot] !== NONE) {
      oldRows[slot] = SEVERAL;
      return;
    }
    oldRows[slot] = row;
    slotKeys[slot] = key;
    if (++distinct > MAX_KEYS) thinOut();
  }

  /** How many of them are in the sample. */
  function addOld(keys: Uint32Array, from: number, to: number): number {
    let rows = 0;
    for (let row = from; row < to; row++) {
      const key = keys[row]!;
      if ((key & sample) !== 0) continue;
      add(key, row + 1);
      rows++;
    }
    return rows;
  }

  function hasSeveral(): boolean {
    let several = 0;
    for (let slot = 0; slot < 1 << bits; slot++) if (oldRows[slot] === SEVERAL) several++;
    return several > distinct >> 3;
  }

  /** Behind `seen` slots those of new rows whose equals are in the table, in the order of the rows. How many there are then. */
  function addNew(keys: Uint32Array, from: number, to: number, slots: Int32Array, seen: number): number {
    for (let row = from; row < to; row++) {
      const key = keys[row]!;
      if ((key & sample) !== 0) continue;
      const slot = slotOf(key);
      if (oldRows[slot] === NONE) continue;
      if (newRows[slot] === NONE) slots[seen++] = slot;
      newRows[slot] = newRows[slot] === NONE ? row + 1 : SEVERAL;
    }
    return seen;
  }

  /** Of the first `oldCount` and `newCount` keys: pairs in the order of the new rows. */
  function* find(
    oldKeys: Uint32Array,
    oldCount: number,
    newKeys: Uint32Array,
    newCount: number,
  ): Generator<void, Pairs> {
    bits = Math.min(SLOT_BITS, 33 - Math.clz32(oldCount));
    sample = 0;
    clear();
    let rows = 0;
    yield* inStretches(0, oldCount, STEP_ROWS, (from, to) => (rows += addOld(oldKeys, from, to)));
    const isRepeating = rows > 2 * distinct || hasSeveral();
    const slots = new Int32Array(distinct);
    let seen = 0;
    yield* inStretches(0, newCount, STEP_ROWS, (from, to) => (seen = addNew(newKeys, from, to, slots, seen)));
    const old = new Int32Array(seen);
    const fresh = new Int32Array(seen);
    let count = 0;
    for (let i = 0; i < seen; i++) {
      const slot = slots[i]!;
      if (oldRows[slot] === SEVERAL || newRows[slot] === SEVERAL) continue;
      old[count] = oldRows[slot]! - 1;
      fresh[count++] = newRows[slot]! - 1;
    }
    return { count, old, fresh, isRepeating };
  }

  return { find };
}

/** The longest subsequence whose old rows increase: patience sorting with back pointers. */
function inOrder({ count, old, fresh }: Pairs, oldFrom: number, newFrom: number) {
  const piles = new Int32Array(count);
  const previous = new Int32Array(count);
  let length = 0;
  for (let at = 0; at < count; at++) {
    const row = old[at]!;
    let low = 0;
    let high = length;
    if (length > 0 && old[piles[length - 1]!]! < row) low = length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (old[piles[middle]!]! < row) low = middle + 1;
      else high = middle;
    }
    previous[at] = low > 0 ? piles[low - 1]! : -1;
    piles[low] = at;
    if (low === length) length++;
  }
  if (isByChance(length, count)) length = 0;
  const chain = { old: new Int32Array(length), fresh: new Int32Array(length) };
  for (let at = length > 0 ? piles[length - 1]! : -1, i = length - 1; i >= 0; at = previous[at]!, i--) {
    chain.old[i] = oldFrom + old[at]!;
    chain.fresh[i] = newFrom + fresh[at]!;
  }
  return chain;
}
