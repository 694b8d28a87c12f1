// The numbers of columns that are in use: read out of the cells once, in the background, and then kept up with the table. So a plot that
// is drawn again, and a filter whose limit is another, parse nothing. 8 MB for a million rows.
import type { Splice } from "../feed/protocol.ts";
import type { Rows } from "../follow/blocks.ts";
import type { Kind } from "./cells.ts";
import { type ColumnValues, readColumns, spliceColumn } from "./series.ts";
import type { Breath } from "./sort.ts";

/** What they are of. */
export type NumbersOf = {
  readonly rows: Rows;
  readonly kinds: readonly Kind[];
  readonly version: number;
  readonly generation: number;
  since(version: number): readonly (readonly Splice[])[] | undefined;
};

/** `word`: a number for each text that the column has, in the order in which they come. */
export type Wanted = { readonly column: number; readonly as: "number" | "word" };

/** A column is kept as long as one of these wants it. */
export type User = "plot" | "order" | "selection";

export type Numbers = {
  /** Up to date; undefined if they must be read first. Of use until the table changes. */
  values(wanted: Wanted): Float64Array | undefined;
  /** The texts of a column of words, by their numbers. */
  words(column: number): readonly string[];
  /** Reads those that are not there; what nobody wants any more is forgotten. False if that was given up. */
  read(user: User, wanted: readonly Wanted[], breathe: Breath): Promise<boolean>;
};

type Held = ColumnValues & { readonly kind: Kind; readonly words: readonly string[] };

/** Other texts have no number. */
const MAX_WORDS = 10_000;

export function openNumbers(table: () => NumbersOf): Numbers {
  let held = new Map<string, Held>();
  const wants = new Map<User, ReadonlySet<string>>();
  let generation = -1;
  let kinds: unknown;

  const isOther = () => generation !== table().generation || kinds !== table().kinds;
  const keyOf = ({ column, as }: Wanted) => `${as} ${column}`;

  function values(wanted: Wanted): Float64Array | undefined {
    const current = isOther() ? undefined : held.get(keyOf(wanted));
    const changes = current && table().since(current.version);
    if (!changes) return undefined;
    for (const splices of changes) spliceColumn(current, splices, wanted.column, current.kind);
    current.version = table().version;
    return current.values.subarray(0, current.count);
  }

  async function read(user: User, wanted: readonly Wanted[], breathe: Breath): Promise<boolean> {
    if (isOther()) held = new Map();
    generation = table().generation;
    kinds = table().kinds;
    wants.set(user, new Set(wanted.map(keyOf)));
    for (const key of held.keys()) if (![...wants.values()].some((keys) => keys.has(key))) held.delete(key);
    const unread = wanted
      .filter((one) => !values(one))
      .map((one) => ({
        ...one,
        ...(one.as === "word" ? wordKind() : { kind: table().kinds[one.column]!, words: [] }),
      }));
    if (unread.length === 0) return true;
    const lists = await readColumns(table().rows, unread, table().version, breathe);
    if (!lists) return false;
    if (isOther()) return true;
    unread.forEach((one, i) => held.set(keyOf(one), { ...lists[i]!, kind: one.kind, words: one.words }));
    return true;
  }

  return { values, read, words: (column) => held.get(keyOf({ column, as: "word" }))?.words ?? [] };
}

function wordKind() {
  const words: string[] = [];
  const numbers = new Map<string, number>();
  const valueOf = (cell: string) => {
    const known = numbers.get(cell);
    if (known !== undefined || words.length >= MAX_WORDS) return known ?? Number.NaN;
    numbers.set(cell, words.length);
    return words.push(cell) - 1;
  };
  return { kind: { type: "text", valueOf } satisfies Kind, words };
}
