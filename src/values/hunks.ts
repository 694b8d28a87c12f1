// Two tables -> splices that turn the one into the other. Of the rows it knows hashes, and whether two of them are the same.
import { align, type Runs } from "./alignment.ts";
import { inStretches } from "./steps.ts";

/** `Array.prototype.splice`: at row `start`, `deleted` rows go and `inserted` rows come. Several apply in order. */
export type Splice = { start: number; deleted: number; inserted: number };

/** More splices than this become fewer, those first that are nearest to each other. */
const MAX_SPLICES = 1 << 18;

/** Rows that are compared in one step. */
const STEP_ROWS = 1 << 12;

/** Rows between two splices that are so few against what both insert are not worth a splice of their own. */
const MIN_SHARE = 1 / 32;

/**
 * Splices that turn rows with hashes `before` into those with hashes `after`, in order; row numbers are those of the table while
 * they apply. Time grows with the number of rows, and what is inserted is as little as there can be, or nearly so; where the rows
 * are in another order altogether, it may be all of them.
 *
 * A hash is an integer below 2^53. Two rows may have the same by chance: `isSame` compares row `a` of before with row `b` of after,
 * and is asked once for each row that stays. In steps.
 */
export function* diffHashes(
  before: Float64Array,
  after: Float64Array,
  isSame: (a: number, b: number) => boolean,
): Generator<void, Splice[]> {
  const runs = toEdges(yield* align(before, after), before, after);
  const hunks = yield* replaced(runs, before.length, after.length, isSame);
  for (let kept = 1; hunks.count() > MAX_SPLICES; kept *= 2) hunks.merge(kept);
  return hunks.splices();
}

/** A window moves on at its edges, also where its rows repeat: then other rows than those could have gone or come just as well. */
function toEdges(runs: Runs, before: Float64Array, after: Float64Array): Runs {
  const { count, numbers } = runs;
  if (count < 2) return runs;
  const head = numbers[2]!;
  const second = numbers[3]!;
  const isAtTop = numbers[0] === 0 && numbers[1] === 0 && numbers[4] === head && second > head;
  if (isAtTop && isEqual(before, 0, second - head, head)) {
    numbers[2] = 0;
    numbers[3]! -= head;
    numbers[4] = 0;
    numbers[5]! += head;
  }
  const last = 3 * (count - 1);
  const tail = numbers[last + 2]!;
  const oldEnd = numbers[last - 3]! + numbers[last - 1]!;
  const newEnd = numbers[last - 2]! + numbers[last - 1]!;
  const isAtEnd =
    numbers[last + 1]! + tail === after.length && numbers[last] === oldEnd && oldEnd + tail === before.length;
  if (isAtEnd && isEqual(after, newEnd, numbers[last + 1]!, tail)) {
    numbers[last - 1]! += tail;
    numbers[last + 2] = 0;
  }
  return runs;
}

function isEqual(hashes: Float64Array, a: number, b: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (hashes[a + i] !== hashes[b + i]) return false;
  return true;
}

/** What is between the runs; a row that only its hash takes for another is replaced by it. */
function* replaced(
  { count, numbers }: Runs,
  oldCount: number,
  newCount: number,
  isSame: (a: number, b: number) => boolean,
): Generator<void, ReturnType<typeof openHunks>> {
  const hunks = openHunks();
  let old = 0;
  let fresh = 0;
  const replace = (oldEnd: number, newEnd: number) => {
    hunks.add(fresh, oldEnd - old, newEnd - fresh);
    old = oldEnd;
    fresh = newEnd;
  };
  for (let i = 0; i < count; i++) {
    const oldFrom = numbers[3 * i]!;
    const newFrom = numbers[3 * i + 1]!;
    const keep = (from: number, to: number) => {
      for (let row = from; row < to; row++) {
        if (!isSame(oldFrom + row, newFrom + row)) continue;
        if (oldFrom + row > old || newFrom + row > fresh) replace(oldFrom + row, newFrom + row);
        old++;
        fresh++;
      }
    };
    yield* inStretches(0, numbers[3 * i + 2]!, STEP_ROWS, keep);
  }
  if (oldCount > old || newCount > fresh) replace(oldCount, newCount);
  return hunks;
}

/** Splices as numbers, three for each: `start`, `deleted`, `inserted`. */
function openHunks() {
  let numbers = new Int32Array(3 * 64);
  let count = 0;

  /** Each begins behind the one before it. */
  function add(start: number, deleted: number, inserted: number): void {
    const kept = count > 0 ? start - numbers[3 * count - 3]! - numbers[3 * count - 1]! : 0;
    if (count > 0 && kept <= MIN_SHARE * Math.min(inserted, numbers[3 * count - 1]!))
      return extend(count - 1, kept, deleted, inserted);
    if (3 * count === numbers.length) {
      const grown = new Int32Array(2 * numbers.length);
      grown.set(numbers);
      numbers = grown;
    }
    numbers[3 * count] = start;
    numbers[3 * count + 1] = deleted;
    numbers[3 * count++ + 2] = inserted;
  }

  function extend(at: number, kept: number, deleted: number, inserted: number): void {
    numbers[3 * at + 1]! += kept + deleted;
    numbers[3 * at + 2]! += kept + inserted;
  }

  /** Makes one of two that have no more than so many rows between them, as long as there are too many. */
  function merge(most: number): void {
    let excess = count - MAX_SPLICES;
    let last = 0;
    for (let at = 1; at < count; at++) {
      const [start, deleted, inserted] = [numbers[3 * at]!, numbers[3 * at + 1]!, numbers[3 * at + 2]!];
      const kept = start - numbers[3 * last]! - numbers[3 * last + 2]!;
      if (excess > 0 && kept <= most) {
        extend(last, kept, deleted, inserted);
        excess--;
      } else numbers.copyWithin(3 * ++last, 3 * at, 3 * at + 3);
    }
    count = last + 1;
  }

  function splices(): Splice[] {
    return Array.from({ length: count }, (_, at) => ({
      start: numbers[3 * at]!,
      deleted: numbers[3 * at + 1]!,
      inserted: numbers[3 * at + 2]!,
    }));
  }

  return { add, merge, count: () => count, splices };
}
