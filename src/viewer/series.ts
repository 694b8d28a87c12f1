// What is drawn of the table: numeric columns over a time, a number or the row number, with no more points than there are pixels for.
import type { Row, Splice } from "../feed/protocol.ts";
import type { Rows } from "../follow/blocks.ts";
import { type Kind, valueIn, valuesIn } from "./cells.ts";
import type { Breath } from "./sort.ts";

/** The x axis that is no column. */
export const ROW_NUMBER = -1;

export type Axis = { readonly column: number; readonly isTime: boolean };

/** pandas writes its index without a name. */
const STEP_NAME = /^(|x|t|i|n|id|index|idx|step|seq|sequence|frame|sample|tick|iteration|epoch)$/i;

/** Over what and which columns are drawn if nobody says so; `sample` are rows from all of the table, in order. */
export function pickAxes(columns: readonly string[], kinds: readonly Kind[], sample: readonly Row[]) {
  const x = pickX(columns, kinds, sample);
  const numbers = kinds.flatMap(({ type }, column) => (type === "number" && column !== x.column ? [column] : []));
  const measured = numbers.filter((column) => !STEP_NAME.test(columns[column] ?? ""));
  return { x, ys: (measured.length > 0 ? measured : numbers).slice(0, 3) };
}

function pickX(columns: readonly string[], kinds: readonly Kind[], sample: readonly Row[]): Axis {
  const axes = columns.map((_, column) => axisOf(column, kinds));
  const isAscending = ({ column }: Axis) => ascends(valuesOf(sample, column, kinds));
  const times = axes.filter(({ isTime }) => isTime);
  const steps = axes.filter(({ column }) => kinds[column]?.type === "number" && STEP_NAME.test(columns[column] ?? ""));
  return times.find(isAscending) ?? times[0] ?? steps.find(isAscending) ?? { column: ROW_NUMBER, isTime: false };
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

/** Block by block; undefined if it was given up. */
export async function readColumn(
  rows: Rows,
  column: number,
  kind: Kind,
  version: number,
  breathe: Breath,
): Promise<ColumnValues | undefined> {
  const values = new Float64Array(Math.ceil(rows.length * 1.25) + 64);
  let row = 0;
  for (const block of rows.blocks) {
    const valueAt = valuesIn(rows, block, column, kind);
    for (let i = 0; i < block.count; i++) values[row++] = valueAt(i);
    if (!(await breathe())) return undefined;
  }
  return { values, count: rows.length, version };
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
  /** Ascending, and one list of as many values for each series; null where there is none. */
  readonly data: readonly (readonly (number | null)[])[];
  /** How many points there are between the ends, and from where to where they all reach. */
  readonly count: number;
  readonly low: number;
  readonly high: number;
};

/**
 * The points between `from` and `to`; of more than `most`, from each stretch the least and the greatest of every series, so that no
 * peak is lost. `xs` may be in any order.
 */
export function pointsOf(
  xs: Float64Array,
  ys: readonly Float64Array[],
  from: number,
  to: number,
  most: number,
): Points {
  const order = ascends(xs) ? undefined : ascendingOrder(xs);
  const at = (i: number) => (order ? order[i]! : i);
  const all = order?.length ?? xs.length;
  const begin = Math.max(0, howMany(all, (i) => xs[at(i)]! < from) - 1);
  const end = Math.min(all, howMany(all, (i) => xs[at(i)]! <= to) + 1);
  const count = Math.max(0, end - begin);
  const low = all > 0 ? xs[at(0)]! : 0;
  const high = all > 0 ? xs[at(all - 1)]! : 0;
  const size = Math.ceil((2 * count) / most); // of a stretch, which gives two points
  if (size <= 2) {
    const pick = (values: Float64Array) => Array.from({ length: count }, (_, i) => orNull(values[at(begin + i)]!));
    return { data: [pick(xs), ...ys.map(pick)], count, low, high };
  }
  const data: (number | null)[][] = [[], ...ys.map(() => [])];
  for (let i = begin; i < end; i += size) {
    const last = Math.min(i + size, end) - 1;
    data[0]!.push(xs[at(i)]!, xs[at(last)]!);
    ys.forEach((values, s) => data[s + 1]!.push(...extremes(values, at, i, last)));
  }
  return { data, count, low, high };
}

const orNull = (value: number) => (Number.isFinite(value) ? value : null);

/** The least and the greatest, in the order in which they come. */
function extremes(values: Float64Array, at: (i: number) => number, first: number, last: number) {
  let least = Number.NaN;
  let greatest = Number.NaN;
  let isRising = true;
  for (let i = first; i <= last; i++) {
    const value = values[at(i)]!;
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
  return isRising ? [orNull(least), orNull(greatest)] : [orNull(greatest), orNull(least)];
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
