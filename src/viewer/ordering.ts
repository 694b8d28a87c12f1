// The order that a person asks for, of the rows that are held: the filter as it is read for their columns, and by their newest times.
import type { Splice } from "../feed/protocol.ts";
import type { Rows } from "../follow/blocks.ts";
import { type Kind, TEXT } from "./cells.ts";
import { type FilterRead, readFilter } from "./filter.ts";
import type { Rules } from "./model.ts";
import { openNewest } from "./newest.ts";
import type { Numbers, Wanted } from "./numbers.ts";
import { buildOrder, type Order } from "./order.ts";
import type { Breath } from "./sort.ts";
import { zoneOf } from "./zones.ts";

export type Ordering = {
  readonly filterRead: FilterRead;
  setRules(rules: Rules): void;
  /** Columns are others: what was known of them is not true of these. */
  forget(): void;
  /** Rows have come: whether by now the filter leaves out some that it has let in. */
  isLeftBehind(changes: readonly { readonly splices: readonly Splice[] }[]): boolean;
  /** `known`: numbers of columns of these rows. Undefined if it was given up. */
  build(rows: Rows, isStillWanted: Breath, known: Numbers | undefined): Promise<Order | undefined>;
};

type Held = { readonly columns: readonly string[]; readonly kinds: readonly Kind[]; readonly rows: Rows };

export function openOrdering(held: () => Held): Ordering {
  const newest = openNewest();
  let rules: Rules = { sort: undefined, filter: "" };
  let filterRead: FilterRead = { filter: undefined, readings: [], hits: [], newestOf: [] };

  function read(): FilterRead {
    const { columns, kinds, rows } = held();
    const zone = (column: number) => zoneOf(rows, column, kinds[column]!);
    return (filterRead = readFilter(rules.filter, { columns, kinds, newest: newest.of, zone }));
  }

  function sorting() {
    const { columns, kinds } = held();
    const column = rules.sort ? columns.indexOf(rules.sort.column) : -1;
    return rules.sort && column !== -1
      ? { column, descending: rules.sort.descending, kind: kinds[column] ?? TEXT }
      : undefined;
  }

  return {
    get filterRead() {
      return filterRead;
    },
    setRules(next) {
      rules = next;
      read();
    },
    forget() {
      newest.forget();
      read();
    },
    isLeftBehind: (changes) => newest.note(changes, filterRead, held().kinds),
    async build(rows, isStillWanted, known) {
      const wanted = read().newestOf.map(({ column }): Wanted => ({ column, as: "number" }));
      if (known && wanted.length > 0) {
        if (!(await known.read("order", wanted, isStillWanted)) || !(await isStillWanted())) return undefined;
        for (const one of wanted) newest.take(one.column, known.values(one));
      }
      return buildOrder(rows, { filter: read().filter, sorting: sorting() }, isStillWanted, known);
    },
  };
}
