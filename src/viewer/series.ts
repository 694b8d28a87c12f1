// What is drawn of the table: numeric columns over a time, a number or the row number, with no more points than there are pixels for.
import type { Row, Splice } from "../feed/protocol.ts";
import type { Rows } from "../follow/blocks.ts";
import { type Kind, type ReadColumn, valueIn, valuesIn } from "./cells.ts";
import type { Breath } from "./sort.ts";

/** The x axis that is no column. */
export const ROW_NUMBER = -1;

export type Axis = { readonly column: number; readonly isTime: boolean };

/** pandas writes its index without a name. */
const STEP_NAME = /^(|x|t|i|n|id|index|idx|step|seq|sequence|frame|sample|tick|iteration|epoch|record|row|nr)$/i;

/** Instruments write the time since they were started as a number: `Time (s)`. In no order it is a measurement. */
const TIME_NAME = /^(time|seconds?|secs?|elapsed|elapsed time)$/i;

/** `Time (s)`, `t/ms` and `x [mm]` without their units. */
const bare = (name: string) => name.replace(/(?<=.)\s*[([/].*$/, "");

/** Over what and which columns are drawn if nobody says so; `sample` are rows from all of the table, in order. */
export function pickAxes(columns: readonly string[], kinds: readonly Kind[], sample: readonly Row[]) {
  const x = pickX(columns, kinds, sample);
  const numbers = kinds.flatMap(({ type }, column) => (type === "number" && column !== x.column ? [column] : []));
  const measured = numbers.filter((column) => !STEP_NAME.test(columns[column] ?? ""));
  const close = closeOf(columns, numbers);
  if (close !== undefined) return { x, ys: [close] };
  return { x, ys: (measured.length > 0 ? measured : numbers).slice(0, PICKED) };
}

/** More lines at once are hard to tell apart. */
const PICKED = 3;

/** Of candles the close: what was paid at the end of each. */
function closeOf(columns: readonly string[], numbers: readonly number[]): number | undefined {
  const named = (name: string) =>
    numbers.find((column) => columns[column]!.toLowerCase().replace(/[^a-z]/g, "") === name);
  const candle = ["open", "high", "low", "close"].map(named);
  return candle.every((column) => column !== undefined) ? candle[3] : undefined;
}

function pickX(columns: readonly string[], kinds: readonly Kind[], sample: readonly Row[]): Axis {
  const axes = columns.map((_, column) => axisOf(column, kinds));
  /** Of those that ascend the one that tells most rows apart: a batch of readings may have a time in common, and steps an epoch. */
  const ascending = (among: readonly Axis[]): Axis | undefined => {
    const values = among.map(({ column }) => valuesOf(sample, column, kinds));
    const steps = values.map((list) => (ascends(list) ? new Set(list).size : 0));
    const most = Math.max(...steps);
    return most > 0 ? among[steps.indexOf(most)] : undefined;
  };
  const times = axes.filter(({ isTime }) => isTime);
  const isStep = (name: string) => STEP_NAME.test(name) || TIME_NAME.test(name);
  const steps = axes.filter(({ column }) => kinds[column]?.type === "number" && isStep(bare(columns[column]!)));
  return ascending(times) ?? times[0] ?? ascending(steps) ?? { column: ROW_NUMBER, isTime: false };
}

/** Whether the rows are in the order of a time that goes on, as those of a log are. */
export function isLog(kinds: readonly Kind[], sample: readonly Row[]): boolean {
  return kinds.some((kind, column) => {
    if (kind.type !== "time") return false;
    const values = valuesOf(sample, column, kinds);
    return ascends(values) && values[0]! < values.at(-1)!;
  });
}

export const axisOf = (column: number, kinds: readonly Kind[]): Axis => ({
  column,
  isTime: kinds[column]?.type === "time",
});

const valuesOf = (rows: readonly Row[], column: number, kinds: readonly Kind[]) =>
  rows.map((row) => (kinds[column] ? valueIn(row, column, kinds[column]) : Number.NaN));

function ascends(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (!(values[i]! >= values[i - 1]!)) return false;
  return values.length > 0 && Number.isFinite(values[0]) && Number.isFinite(values[values.length - 1]);
}

/** The numbers of one column, kept up with its rows. */
export type ColumnValues = { values: Float64Array<ArrayBuffer>; count: number; version: number };

/** Block by block, each for all of them; undefined if it was given up. */
export async function readColumns(
  rows: Rows,
  readers: readonly ReadColumn[],
  version: number,
  breathe: Breath,
): Promise<ColumnValues[] | undefined> {
  const lists = readers.map(() => new Float64Array(Math.ceil(rows.length * 1.25) + 64));
  let begin = 0;
  for (const block of rows.blocks) {
    valuesIn(rows, block, readers).forEach((valueAt, k) => {
      for (let i = 0; i < block.count; i++) lists[k]![begin + i] = valueAt(i);
    });
    begin += block.count;
    if (!(await breathe())) return undefined;
  }
  return lists.map((values) => ({ values, count: rows.length, version }));
}

export function spliceColumn(held: ColumnValues, splices: readonly Splice[], column: number, kind: Kind): void {
  for (const [start, deleted, rows] of splices) {
    const count = held.count + rows.length - deleted;
    if (count > held.values.length) {
      const grown = new Float64Array(Math.ceil(count * 1.25));
      grown.set(held.values.subarray(0, held.count));
      held.values = grown;
    }
    held.values.copyWithin(start + rows.length, start + deleted, held.count);
    rows.forEach((row, i) => (held.values[start + i] = valueIn(row, column, kind)));
    held.count = count;
  }
}

export type Points = {
  /**
   * Ascending, and one list of as many values for each series: null where the line is broken, undefined where it goes on to the next
   * value of its own.
   */
  readonly data: readonly (readonly (number | null | undefined)[])[];
  /**
   * For each point the other one of its stretch of rows, between which the least and the greatest of them are drawn; the point itself if it
   * is a row; -1 in a gap, where there is none.
   */
  readonly mates: readonly number[];
  /** How many points there are between the ends, and from where to where they all reach. */
  readonly count: number;
  readonly low: number;
  readonly high: number;
  /** The last x that is drawn, and of each series the last value. */
  readonly last: readonly (number | undefined)[];
};

export type PointsAsked = {
  readonly from: number;
  readonly to: number;
  readonly most: number;
  /** A step of x that is well over the usual one breaks the lines. */
  readonly hasGaps?: boolean;
  /** The series are of different rows (see `splitValues`). */
  readonly isSplit?: boolean;
};

/**
 * The points between `from` and `to`; of more than `most`, from each stretch of rows the least and the greatest of every series, so that
 * no peak is lost. `xs` may be in any order.
 */
export function pointsOf(
  xs: Float64Array,
  ys: readonly Float64Array[],
  { from, to, most, hasGaps = false, isSplit = false }: PointsAsked,
): Points {
  const order = ascends(xs) ? undefined : ascendingOrder(xs);
  const at = (i: number) => (order ? order[i]! : i);
  const all = order?.length ?? xs.length;
  const xAt = (i: number) => xs[at(i)]!;
  const begin = Math.max(0, howMany(all, (i) => xAt(i) < from) - 1);
  const upTo = howMany(all, (i) => xAt(i) <= to);
  const end = Math.min(all, upTo + 1);
  const count = Math.max(0, end - begin);
  const size = Math.ceil((2 * count) / most); // of a stretch, which gives two points
  const usual = hasGaps ? gapAmong(all, xAt) : Infinity;
  const gap = size > 2 ? Math.max(usual, (xAt(end - 1) - xAt(begin)) / most) : usual;
  const data: (number | null | undefined)[][] = [[], ...ys.map(() => [])];
  const mates: number[] = [];
  for (let i = begin; i < end;) {
    const last = endOfStretch(xAt, i, Math.min(end, i + (size > 2 ? size : 1)), gap) - 1;
    mates.push(...(last > i ? [mates.length + 1, mates.length] : [mates.length]));
    data[0]!.push(...(last > i ? [xAt(i), xAt(last)] : [xAt(i)]));
    ys.forEach((values, s) => data[s + 1]!.push(...extremes(values, at, i, last, isSplit)));
    if (last + 1 < end && xAt(last + 1) - xAt(last) > gap) {
      mates.push(-1);
      data.forEach((values, s) => values.push(s === 0 ? (xAt(last) + xAt(last + 1)) / 2 : null));
    }
    i = last + 1;
  }
  const newest = Math.max(begin, Math.min(upTo, end) - 1);
  const last = [count > 0 ? xAt(newest) : undefined, ...ys.map((values) => lastValue(values, at, begin, newest))];
  return { data, mates, count, low: all > 0 ? xAt(0) : 0, high: all > 0 ? xAt(all - 1) : 0, last };
}

/** Where a stretch that begins at `first` ends: at `end`, or before a gap. */
function endOfStretch(xAt: (i: number) => number, first: number, end: number, gap: number): number {
  if (gap < Infinity) for (let i = first + 1; i < end; i++) if (xAt(i) - xAt(i - 1) > gap) return i;
  return end;
}

function lastValue(values: Float64Array, at: (i: number) => number, begin: number, from: number): number | undefined {
  for (let i = from; i >= begin; i--) if (Number.isFinite(values[at(i)])) return values[at(i)];
  return undefined;
}

/** In `splitValues`: here the line of that series is broken. */
const BREAK = -Infinity;

/** What a row without a value is in a line. */
const blank = (value: number, isSplit: boolean) => (isSplit && value !== BREAK ? undefined : null);

/** The least and the greatest, in the order in which they come; of one row its value. */
function extremes(values: Float64Array, at: (i: number) => number, first: number, last: number, isSplit: boolean) {
  let least = Number.NaN;
  let greatest = Number.NaN;
  let isRising = true;
  let isBroken = false;
  for (let i = first; i <= last; i++) {
    const value = values[at(i)]!;
    if (value === BREAK) isBroken = true;
    if (!Number.isFinite(value)) continue;
    if (!(value >= least)) {
      least = value;
      isRising = false;
    }
    if (!(value <= greatest)) {
      greatest = value;
      isRising = true;
    }
  }
  const none = blank(isBroken ? BREAK : Number.NaN, isSplit);
  if (Number.isNaN(least)) return first === last ? [none] : [none, none];
  if (first === last) return [least];
  return isRising ? [least, greatest] : [greatest, least];
}

/** Steps are looked at in this many places. */
const SAMPLED_STEPS = 2_048;
/** So many times as long as nine of ten steps, a step is a gap. Arrivals at random have such a one in thousands. */
const GAP_FACTOR = 4;
const FEWEST_STEPS = 4;

/** Above it a step is no usual one; Infinity if nothing is usual. Steps of zero are rows of one moment. */
function gapAmong(count: number, xAt: (i: number) => number): number {
  const stride = Math.max(1, Math.floor((count - 1) / SAMPLED_STEPS));
  const steps: number[] = [];
  for (let i = 1; i < count; i += stride) {
    const step = xAt(i) - xAt(i - 1);
    if (step > 0) steps.push(step);
  }
  if (steps.length < FEWEST_STEPS) return Infinity;
  steps.sort((a, b) => a - b);
  return GAP_FACTOR * steps[Math.floor((steps.length - 1) * 0.9)]!;
}

/** The values of the rows with this code, NaN elsewhere; where those rows are further apart than usual, the line is broken. */
export function splitValues(xs: Float64Array, values: Float64Array, codes: Float64Array, code: number): Float64Array {
  const rows: number[] = [];
  for (let i = 0; i < values.length; i++) if (codes[i] === code) rows.push(i);
  const gap = ascends(xs) ? gapAmong(rows.length, (i) => xs[rows[i]!]!) : Infinity;
  const split = new Float64Array(values.length).fill(Number.NaN);
  rows.forEach((row, i) => {
    split[row] = Number.isNaN(values[row]!) ? BREAK : values[row]!;
    const next = rows[i + 1];
    if (next !== undefined && xs[next]! - xs[row]! > gap) split.fill(BREAK, row + 1, next);
  });
  return split;
}

function ascendingOrder(xs: Float64Array): Uint32Array {
  const order = new Uint32Array(xs.length).map((_, i) => i).filter((i) => Number.isFinite(xs[i]!));
  return order.sort((a, b) => xs[a]! - xs[b]! || a - b);
}

/** How many of the first `count` are so, if none is behind one that is not. */
function howMany(count: number, isSo: (i: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
