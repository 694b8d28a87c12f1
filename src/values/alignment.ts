// Which rows of a table are still there in the next one, by their hashes, in time that grows with the rows and no faster, and in steps.
import { openAnchors } from "./anchors.ts";
import { type Keep, openEdits, type Region } from "./edits.ts";

/** Runs of rows that stay, in the order of both tables: `length` rows from `old` on are those from `fresh` on. */
export type Runs = {
  readonly count: number;
  /** All rows in the runs. */
  readonly rows: number;
  /** Three numbers for each run: `old`, `fresh`, `length`. */
  readonly numbers: Int32Array;
};

/** Regions within regions; what is left there is small or has no order. */
const MAX_DEPTH = 6;
/** Rows of both sides; in fewer, no anchors are looked for. */
const MIN_ROWS = 256;
/** What may be spent on anchors, in passes over both tables. */
const MAX_PASSES = 16;
/** Work for each row on the shortest way through a region. */
const WORK_PER_ROW = 4;
/** Work after which a way is taken as far as it has come. */
const STEP_WORK = 1 << 16;
/** Work that a way may cost for each row that it gets further; where it costs more, nothing fits. */
const MAX_WORK_PER_ROW = 32;

/** Rows that stay. Nearly as many as can, unless the rows are in another order altogether. */
export function* align(before: Float64Array, after: Float64Array): Generator<void, Runs> {
  const edits = openEdits(before, after);
  const anchors = openAnchors(before, after);
  const { keep, runs } = openRuns();
  let left = MAX_PASSES * (before.length + after.length);

  function* walk(region: Region, depth: number): Generator<void> {
    const tail = trim(region);
    const { oldTo, newTo } = region;
    if (region.oldFrom < oldTo && region.newFrom < newTo) yield* walkInner(region, depth);
    keep(oldTo, newTo, tail);
  }

  /** Keeps what both sides begin with, and tells how many rows they end with. The region becomes what is between. */
  function trim(region: Region): number {
    const { oldFrom, newFrom } = region;
    let { oldTo, newTo } = region;
    const most = Math.min(oldTo - oldFrom, newTo - newFrom);
    let head = 0;
    while (head < most && before[oldFrom + head] === after[newFrom + head]) head++;
    let tail = 0;
    while (tail < most - head && before[oldTo - 1] === after[newTo - 1]) (oldTo--, newTo--, tail++);
    keep(oldFrom, newFrom, head);
    Object.assign(region, { oldFrom: oldFrom + head, newFrom: newFrom + head, oldTo, newTo });
    return tail;
  }

  function* walkInner(region: Region, depth: number): Generator<void> {
    const rows = region.oldTo - region.oldFrom + region.newTo - region.newFrom;
    const way = edits.find(region, WORK_PER_ROW * rows + STEP_WORK);
    if (way.work >= STEP_WORK) yield;
    if (way.isWhole) return way.keep(keep);
    const isWorthIt = rows >= MIN_ROWS && depth < MAX_DEPTH && left > 0;
    const { old, fresh, work } = isWorthIt ? yield* anchors.find(region) : NO_ANCHORS;
    left -= work;
    yield* old.length > 0 ? walkAnchors(region, old, fresh, depth) : walkOn(region);
  }

  /** From anchor to anchor, each with the equal rows around it, and in depth between them. */
  function* walkAnchors(
    { oldFrom, oldTo, newFrom, newTo }: Region,
    olds: Int32Array,
    news: Int32Array,
    depth: number,
  ): Generator<void> {
    let old = oldFrom;
    let fresh = newFrom;
    for (let i = 0; i < olds.length; i++) {
      let oldAt = olds[i]!;
      let newAt = news[i]!;
      if (oldAt < old || newAt < fresh || before[oldAt] !== after[newAt]) continue;
      while (oldAt > old && newAt > fresh && before[oldAt - 1] === after[newAt - 1]) (oldAt--, newAt--);
      yield* walk({ oldFrom: old, oldTo: oldAt, newFrom: fresh, newTo: newAt }, depth + 1);
      old = olds[i]! + 1;
      fresh = news[i]! + 1;
      while (old < oldTo && fresh < newTo && before[old] === after[fresh]) (old++, fresh++);
      keep(oldAt, newAt, old - oldAt);
    }
    yield* walk({ oldFrom: old, oldTo, newFrom: fresh, newTo }, depth + 1);
  }

  /** Nothing stands once: short ways, one after the other, and where they end, row by row. */
  function* walkOn(region: Region): Generator<void> {
    while (region.oldFrom < region.oldTo && region.newFrom < region.newTo) {
      const way = edits.find(region, STEP_WORK);
      if (!way.isWhole && (way.oldRows + way.newRows) * MAX_WORK_PER_ROW < way.work) break;
      way.keep(keep);
      region.oldFrom += way.oldRows;
      region.newFrom += way.newRows;
      yield;
    }
    keepPairs(before, after, region, keep);
  }

  const all = { oldFrom: 0, oldTo: before.length, newFrom: 0, newTo: after.length };
  yield* walk(all, 0);
  return before.length === after.length ? orPaired(runs(), before, after) : runs();
}

const NO_ANCHORS = { old: new Int32Array(0), fresh: new Int32Array(0), work: 0 };

/** The runs of rows that are the same row by row, where those are more: an edited row leaves the number of rows alone. */
function orPaired(runs: Runs, before: Float64Array, after: Float64Array): Runs {
  let same = 0;
  for (let row = 0; row < before.length; row++) if (before[row] === after[row]) same++;
  if (same <= runs.rows) return runs;
  const paired = openRuns();
  const all = { oldFrom: 0, oldTo: before.length, newFrom: 0, newTo: after.length };
  keepPairs(before, after, all, paired.keep);
  return paired.runs();
}

/** Row by row, from the first rows of the region on. */
function keepPairs(before: Float64Array, after: Float64Array, region: Region, keep: Keep): void {
  const { oldFrom, oldTo, newFrom, newTo } = region;
  const rows = Math.min(oldTo - oldFrom, newTo - newFrom);
  for (let row = 0; row < rows;) {
    const from = row;
    while (row < rows && before[oldFrom + row] === after[newFrom + row]) row++;
    keep(oldFrom + from, newFrom + from, row - from);
    while (row < rows && before[oldFrom + row] !== after[newFrom + row]) row++;
  }
}

/** A list of runs that grows; runs that meet become one. */
function openRuns(): { keep: Keep; runs(): Runs } {
  let numbers = new Int32Array(3 * 64);
  let count = 0;
  let rows = 0;

  function keep(old: number, fresh: number, length: number): void {
    if (length === 0) return;
    rows += length;
    const last = 3 * count - 3;
    if (count > 0 && numbers[last]! + numbers[last + 2]! === old && numbers[last + 1]! + numbers[last + 2]! === fresh) {
      numbers[last + 2]! += length;
      return;
    }
    if (3 * count === numbers.length) {
      const grown = new Int32Array(2 * numbers.length);
      grown.set(numbers);
      numbers = grown;
    }
    numbers[3 * count] = old;
    numbers[3 * count + 1] = fresh;
    numbers[3 * count++ + 2] = length;
  }

  return { keep, runs: () => ({ count, rows, numbers }) };
}
