// Which rows are shown and in which order: those that pass the filter, sorted by a column, or all as in the file. Kept up change by
// change where that costs less than doing it anew.
import type { Row, Splice } from "../feed/protocol.ts";
import type { Block, Rows } from "../follow/blocks.ts";
import { type Kind, valueIn, valuesIn } from "./cells.ts";
import type { Filter } from "./filter.ts";
import type { Numbers, Wanted } from "./numbers.ts";
import { type Breath, sortStably } from "./sort.ts";

/** `kind` is that of the column. Cells that are not of the kind, and empty ones, come last either way. */
export type Sorting = { readonly column: number; readonly descending: boolean; readonly kind: Kind };

export type OrderRules = { readonly sorting: Sorting | undefined; readonly filter: Filter | undefined };

/** Rows are their numbers in the file, from 0; positions are those on the page. */
export type Order = {
  /** How many rows are shown. */
  count(): number;
  /** The position must be one of those that are shown. */
  rowAt(position: number): number;
  /** Where a row is shown, or where it would be. */
  positionOf(row: number): number;
  /** Whether following this change costs less than building the order anew. */
  canFollow(splices: readonly Splice[]): boolean;
  /** Follows a change; `rows` are those after it. */
  follow(splices: readonly Splice[], rows: Rows): void;
};

/** Each splice is a pass over the order. */
const FEW_SPLICES = 8;
/** Each new row is a search, for which some twenty rows are parsed, and a place in the order. */
const FEW_ROWS = 2_000;

/** As `buildOrder`, for tables of which nothing is hidden or moved. */
export function fileOrder(rows: Pick<Rows, "length">): Order {
  let count = rows.length;
  return {
    count: () => count,
    rowAt: (position) => position,
    positionOf: (row) => row,
    canFollow: () => true,
    follow: (_splices, after) => void (count = after.length),
  };
}

/** Reads block by block what it needs; columns of numbers are kept in `numbers`, if there are such. Undefined if it was given up. */
export async function buildOrder(
  rows: Rows,
  rules: OrderRules,
  breathe: Breath,
  numbers?: Numbers,
): Promise<Order | undefined> {
  const { filter, sorting } = rules;
  const isByNumber = sorting !== undefined && sorting.kind.type !== "text";
  const columns = [...(filter?.numeric?.columns ?? []), ...(isByNumber ? [sorting.column] : [])];
  const wanted = columns.map((column): Wanted => ({ column, as: "number" }));
  if (numbers && !(await numbers.read("order", wanted, breathe))) return undefined;
  if (!filter && !sorting) return fileOrder(rows);
  if (numbers && !(await breathe())) return undefined; // the rows may be others by now
  const valuesOf: ValuesOf = (column) => {
    const values = numbers?.values({ column, as: "number" });
    return values?.length === rows.length ? values : undefined;
  };
  const list = await listed(rows, filter, valuesOf, breathe);
  if (!list) return undefined;
  if (sorting) {
    const values = isByNumber ? valuesOf(sorting.column) : undefined;
    const compare = values
      ? byNumber((row) => values[row]!, sorting.descending)
      : await comparisonByKeys(rows, list, sorting, breathe);
    if (!compare || !(await sortStably(list, compare, breathe))) return undefined;
  }
  return listOrder(list, rows, rules);
}

type ValuesOf = (column: number) => Float64Array | undefined;

async function listed(rows: Rows, filter: Filter | undefined, valuesOf: ValuesOf, breathe: Breath) {
  const list = new Uint32Array(rows.length);
  if (!filter) {
    for (let row = 0; row < list.length; row++) list[row] = row;
    return list;
  }
  const known = new Map(filter.numeric?.columns.map((column) => [column, valuesOf(column)]));
  const isKnown = filter.numeric && [...known.values()].every((values) => values !== undefined);
  if (!isKnown) return listedByCells(filter, rows, list, breathe);
  const passes = filter.numeric!.test((column) => known.get(column)!);
  return filter.rest ? listedByCells(filter.rest, rows, list, breathe, passes) : listedBy(passes, list, breathe);
}

const ROWS_PER_BREATH = 1 << 15;

async function listedBy(passes: (row: number) => boolean, list: Uint32Array<ArrayBuffer>, breathe: Breath) {
  let count = 0;
  for (let row = 0; row < list.length; row++) {
    if (passes(row)) list[count++] = row;
    if (row % ROWS_PER_BREATH === 0 && !(await breathe())) return undefined;
  }
  return list.slice(0, count);
}

/** `passes`: of the others nothing is asked. */
async function listedByCells(
  filter: Filter,
  rows: Rows,
  list: Uint32Array<ArrayBuffer>,
  breathe: Breath,
  passes: (row: number) => boolean = () => true,
) {
  let count = 0;
  let begin = 0;
  for (const block of rows.blocks) {
    const asked = Uint32Array.from({ length: block.count }, (_, i) => begin + i).filter(passes);
    let at = 0;
    let row = begin;
    if (asked.length > 0)
      for (const cells of readFor(filter, rows, block)) {
        if (row === asked[at]) {
          at++;
          if (filter(cells)) list[count++] = row;
        }
        row++;
      }
    begin += block.count;
    if (!(await breathe())) return undefined;
  }
  return list.slice(0, count);
}

/** So many columns are read faster one by one than all are parsed. */
const FEW_COLUMNS = 3;

/** The rows of a block, as far as the filter looks at them; each only until the next. */
function* readFor({ columns }: Filter, rows: Rows, block: Block): Iterable<Row> {
  if (!columns || columns.length > FEW_COLUMNS || block.rows) return yield* rows.read(block);
  const read = rows.cells(block, columns);
  const row: string[] = [];
  for (let i = 0; i < block.count; i++) {
    for (let k = 0; k < read.length; k++) row[columns[k]!] = read[k]![i]!;
    yield row;
  }
}

/** With what is compared read out of the cells once. */
async function comparisonByKeys(
  rows: Rows,
  list: Uint32Array,
  { column, descending, kind }: Sorting,
  breathe: Breath,
): Promise<Compare | undefined> {
  const isText = kind.type === "text";
  const texts = new Array<string>(isText ? rows.length : 0);
  const values = new Float64Array(isText ? 0 : rows.length);
  let begin = 0;
  let next = 0; // of the list, which is still in the order of the file
  for (const block of rows.blocks) {
    const end = begin + block.count;
    if (list[next]! < end) read(block, end);
    begin = end;
    if (!(await breathe())) return undefined;
  }
  return isText ? byText((row) => texts[row]!, descending) : byNumber((row) => values[row]!, descending);

  function read(block: Block, end: number): void {
    const [cells] = isText ? rows.cells(block, [column]) : [];
    const [valueAt] = isText ? [] : valuesIn(rows, block, [{ column, kind }]);
    for (; list[next]! < end; next++) {
      const row = list[next]!;
      if (valueAt) values[row] = valueAt(row - begin);
      else texts[row] = cells![row - begin]!;
    }
  }
}

type Compare = (a: number, b: number) => number;

function byNumber(keyOf: (row: number) => number, descending: boolean): Compare {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const x = keyOf(a);
    const y = keyOf(b);
    if (x === y) return 0;
    if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : 1;
    return Number.isNaN(y) ? -1 : x < y ? -sign : sign;
  };
}

function byText(cellOf: (row: number) => string, descending: boolean): Compare {
  const collator = new Intl.Collator();
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const x = cellOf(a);
    const y = cellOf(b);
    if (x === y) return 0;
    if (x === "" || y === "") return x === "" ? 1 : -1;
    return sign * collator.compare(x, y);
  };
}

function listOrder(sorted: Uint32Array<ArrayBuffer>, before: Rows, { sorting, filter }: OrderRules): Order {
  let list = sorted;
  let count = sorted.length;
  let rows = before;
  let length = before.length;
  const compare = sorting ? comparison(sorting) : () => 0;
  const inOrder: Compare = (a, b) => compare(a, b) || a - b;

  function comparison({ column, descending, kind }: Sorting): Compare {
    const rowAt = (row: number) => rows.row(row) ?? [];
    return kind.type === "text"
      ? byText((row) => rowAt(row)[column] ?? "", descending)
      : byNumber((row) => valueIn(rowAt(row), column, kind), descending);
  }

  function positionOf(row: number): number {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (inOrder(list[middle]!, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function canFollow(splices: readonly Splice[]): boolean {
    return splices.length <= FEW_SPLICES && splices.reduce((sum, [, , rows]) => sum + rows.length, 0) <= FEW_ROWS;
  }

  function follow(splices: readonly Splice[], after: Rows): void {
    let fresh: number[] = [];
    for (const [start, deleted, inserted] of splices) {
      const shift = inserted.length - deleted;
      const isAppend = deleted === 0 && start === length;
      if (!isAppend) count = moveBehind(list, count, start, deleted, shift);
      if (!isAppend) fresh = fresh.filter((row) => row < start || row >= start + deleted);
      if (!isAppend) fresh = fresh.map((row) => (row < start ? row : row + shift));
      for (let i = 0; i < inserted.length; i++) fresh.push(start + i);
      length += shift;
    }
    rows = after;
    insert(filter ? fresh.filter((row) => filter(rows.row(row)!)) : fresh);
  }

  function insert(fresh: number[]): void {
    if (fresh.length === 0) return;
    fresh.sort(inOrder);
    const places = fresh.map(positionOf);
    if (count + fresh.length > list.length) {
      const grown = new Uint32Array(Math.ceil((count + fresh.length) * 1.25) + 64);
      grown.set(list.subarray(0, count));
      list = grown;
    }
    for (let i = fresh.length - 1, end = count; i >= 0; i--) {
      list.copyWithin(places[i]! + i + 1, places[i]!, end);
      list[places[i]! + i] = fresh[i]!;
      end = places[i]!;
    }
    count += fresh.length;
  }

  return {
    count: () => count,
    rowAt: (position) => list[position]!,
    positionOf,
    canFollow,
    follow,
  };
}

/** Takes out the rows that are deleted, and renumbers those behind them. Gives how many are left. */
function moveBehind(list: Uint32Array, count: number, start: number, deleted: number, shift: number): number {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const row = list[i]!;
    if (row < start) list[kept++] = row;
    else if (row >= start + deleted) list[kept++] = row + shift;
  }
  return kept;
}

/** Where a row is after a change; of one that was deleted, where it was, or the last before that. */
export function movedRow(row: number, splices: readonly Splice[]): number {
  for (const [start, deleted, inserted] of splices) {
    if (row >= start + deleted) row += inserted.length - deleted;
    else if (row >= start) row = start + Math.min(row - start, Math.max(0, inserted.length - 1));
  }
  return row;
}
