// The shortest way from one run of hashes to another, as far as it is short: Myers, "An O(ND) Difference Algorithm and Its
// Variations" (1986), the greedy one, with an end to its work.

/** Part of two tables: rows `[oldFrom, oldTo)` of the one and `[newFrom, newTo)` of the other. */
export type Region = { oldFrom: number; oldTo: number; newFrom: number; newTo: number };

/** Told of rows that stay: `length` rows from `old` on are those from `fresh` on. In the order of the rows. */
export type Keep = (old: number, fresh: number, length: number) => void;

/** A way ends where the rows of one side end, or where its limits are met. */
export type Way = {
  /** Whether both sides are at their end. */
  readonly isWhole: boolean;
  /** How far the furthest way has come, in rows of either side. */
  readonly oldRows: number;
  readonly newRows: number;
  /** What it has cost: comparisons, and diagonals looked at. */
  readonly work: number;
  /** Tells the rows that stay on that way. */
  keep(to: Keep): void;
};

/** Rows that go or come on one way: the work may be the square of this. */
export const MAX_EDITS = 64;

/** Where no way has come yet, or none can come. */
const NOWHERE = -1;

/**
 * Looks for ways on hashes alone. The ways of `edits` rows are kept in `reached` from `edits` squared on, one for each diagonal
 * from `-edits` to `edits` (of which every other one is used): how many old rows they have passed.
 */
export function openEdits(before: Float64Array, after: Float64Array) {
  const reached = new Int32Array((MAX_EDITS + 1) ** 2);

  /** Where the way of `edits` on a diagonal comes from: the better one of its neighbours, with one row more gone or come. */
  function entry(edits: number, diagonal: number, oldCount: number, newCount: number): number {
    if (edits === 0) return 0;
    const middle = (edits - 1) * (edits - 1) + edits - 1 + diagonal;
    const insertion = diagonal <= edits - 2 ? reached[middle + 1]! : NOWHERE;
    const deletion = diagonal >= 2 - edits ? reached[middle - 1]! : NOWHERE;
    const x = insertion >= 0 && insertion - diagonal <= newCount ? insertion : NOWHERE;
    return deletion >= x && deletion >= 0 && deletion < oldCount ? deletion + 1 : x;
  }

  /** The shortest way through the region, or the furthest one that `maxWork` allows. */
  function find(region: Region, maxWork: number): Way {
    const { oldFrom, oldTo, newFrom, newTo } = region;
    const oldCount = oldTo - oldFrom;
    const newCount = newTo - newFrom;
    let work = 0;
    let furthest = -1;
    let best = { edits: 0, diagonal: 0 };
    for (let edits = 0; edits <= MAX_EDITS && work <= maxWork; edits++) {
      const row = edits * edits + edits;
      for (let diagonal = -edits; diagonal <= edits && work <= maxWork; diagonal += 2) {
        const start = entry(edits, diagonal, oldCount, newCount);
        let x = start;
        if (x >= 0) {
          const most = Math.min(oldCount, newCount + diagonal);
          const shift = newFrom - diagonal;
          while (x < most && before[oldFrom + x] === after[shift + x]) x++;
        }
        reached[row + diagonal] = x;
        work += x - start + 1;
        if (x < 0 || 2 * x - diagonal <= furthest) continue;
        furthest = 2 * x - diagonal;
        best = { edits, diagonal };
        if (furthest === oldCount + newCount) break;
      }
      if (furthest === oldCount + newCount) break;
    }
    const oldRows = (furthest + best.diagonal) / 2;
    return {
      isWhole: furthest === oldCount + newCount,
      oldRows,
      newRows: furthest - oldRows,
      work,
      keep: (to) => trace(region, best.edits, best.diagonal, to),
    };
  }

  /** Back along the way, and then in the order of the rows. */
  function trace({ oldFrom, oldTo, newFrom, newTo }: Region, edits: number, diagonal: number, keep: Keep): void {
    const steps: [old: number, fresh: number, length: number][] = [];
    for (let left = edits; left >= 0; left--) {
      const start = entry(left, diagonal, oldTo - oldFrom, newTo - newFrom);
      const length = reached[left * left + left + diagonal]! - start;
      if (length > 0) steps.push([oldFrom + start, newFrom + start - diagonal, length]);
      if (left === 0) break;
      const middle = (left - 1) * (left - 1) + left - 1 + diagonal;
      const isDeletion = start > 0 && diagonal >= 2 - left && reached[middle - 1]! === start - 1;
      diagonal += isDeletion ? -1 : 1;
    }
    for (const [old, fresh, length] of steps.reverse()) keep(old, fresh, length);
  }

  return { find };
}
