// What the page shows of the table: its rows as far as they are on the page, in their order. Changes come in as they happen; while an
// order is built, or the page is paused, they wait. Of a table that is still coming it shows what is there. Touches no page and no network.
import type { Row, Splice } from "../feed/protocol.ts";
import type { Rows } from "../follow/blocks.ts";
import { blocksIn, changesBetween, rowsFrom, type TableFields as Table } from "../follow/table.ts";
import { parseVerdicts } from "../values/verdict.ts";
import { type Kind, kindsBy } from "./cells.ts";
import type { FilterRead } from "./filter.ts";
import { type Flash, openFlashes } from "./flashes.ts";
import { openMoves } from "./moves.ts";
import { type Numbers, openNumbers } from "./numbers.ts";
import { fileOrder, type Order } from "./order.ts";
import { openOrdering } from "./ordering.ts";
import { type Override, overridden, type Overrides } from "./overrides.ts";
import type { Breath } from "./sort.ts";

/** What a person has asked for. The column is a name: it survives a table with other columns. */
export type Rules = {
  /** What columns are, against what the server says. */
  readonly overrides?: Overrides | undefined;
  readonly sort: { readonly column: string; readonly descending: boolean } | undefined;
  readonly filter: string;
};

export type Model = {
  readonly columns: readonly string[];
  readonly kinds: readonly Kind[];
  readonly rows: Rows;
  readonly order: Order;
  readonly numbers: Numbers;
  /** How the filter was read. */
  readonly filterRead: FilterRead;
  /** How many rows the table will have, if those here are only its beginning. */
  readonly total: number | undefined;
  /** Grows with each change of what is to be seen. */
  readonly version: number;
  /** Grows when a table comes that has nothing to do with the one before. */
  readonly generation: number;
  /** Changes that wait for the page to go on. */
  readonly isBehind: boolean;
  /** An order is being built. */
  readonly isBuilding: boolean;
  flashOf(row: Row): Flash | undefined;
  /** Where a row of an earlier version is now. */
  moved(row: number, sinceVersion: number): number;
  /** What has happened since then; undefined if that is not known any more. */
  since(version: number): readonly (readonly Splice[])[] | undefined;
  /** The beginning of a table that is still coming. Shown if no whole one is, in the order of the file. */
  begin(table: Table & { readonly count: number }): void;
  /** A table takes the place of the one before; `splices` as of `onSnapshot`. */
  take(table: Table, splices: readonly Splice[] | undefined): void;
  /** What the table has become by these splices. */
  change(table: Table, splices: readonly Splice[]): void;
  setRules(rules: Rules): void;
  pause(isPaused: boolean): void;
};

export type ModelOptions = {
  readonly breathe: Breath;
  /** A monotonic clock in ms. */
  readonly now: () => number;
  readonly onChanged: () => void;
};

/** Rows that tell what is to be drawn. */
const SAMPLE_ROWS = 200;

type Held = { columns: readonly string[]; kinds: readonly Kind[]; rows: Rows; order: Order };

/** A change, and the rows after it. */
type Change = { readonly splices: readonly Splice[]; readonly rows: Rows };

const NONE = rowsFrom([]);

export function openModel({ breathe, now, onChanged }: ModelOptions): Model {
  let held: Held = { columns: [], kinds: [], rows: NONE, order: fileOrder(NONE) };
  let table: Table | undefined; // as new as it gets
  let waiting: Change[] | "unknown" = []; // between what is held, or being built, and the table
  let building: { readonly rows: Rows; readonly changes: readonly Change[] } | undefined;
  let coming: { readonly cursor: string; readonly total: number } | undefined; // what is held is the beginning of this
  let isPaused = false;
  let isOther = false; // the table has nothing to do with what is held
  let generation = 0;
  const ordering = openOrdering(() => held);
  const numbers = openNumbers(() => model);
  const kinds = openKinds();
  const flashes = openFlashes();
  const moves = openMoves();

  function begin(next: Table & { readonly count: number }): void {
    if (table) return; // the last good one stays
    const rows = blocksIn(next);
    building = undefined; // of rules for nothing
    if (coming?.cursor === next.cursor && rows.length >= held.rows.length) grow(rows);
    else hold(next, rows);
    coming = { cursor: next.cursor, total: next.count };
    onChanged();
  }

  /** More rows behind those that are held, and nothing else. */
  function grow(rows: Rows): void {
    held.rows = rows;
    held.order = fileOrder(rows);
    moves.forget();
  }

  function hold(next: Table, rows: Rows): void {
    held = { columns: next.columns, kinds: kinds.of(next), rows, order: fileOrder(rows) };
    ordering.forget();
    waiting = [];
    moves.forget();
    generation++;
    flashes.clear();
  }

  function take(next: Table, splices: readonly Splice[] | undefined): void {
    const isRest = coming?.cursor === next.cursor;
    table = next;
    if (splices && !isOther) return wait(splices);
    isOther = isPaused && held.columns.length > 0 && !coming; // it waits, too
    if (isOther) {
      waiting = "unknown";
      return onChanged();
    }
    const rows = blocksIn(next);
    coming = undefined;
    if (!isRest) hold(next, rows);
    else {
      grow(rows);
      if (kinds.areOld(next)) held.kinds = kinds.of(next);
    }
    rebuild(rows, []);
  }

  function change(next: Table, splices: readonly Splice[]): void {
    table = next;
    wait(splices);
  }

  function wait(splices: readonly Splice[]): void {
    if (isPaused) {
      waiting = "unknown";
      return onChanged();
    }
    if (waiting !== "unknown") waiting.push({ splices, rows: blocksIn(table!) });
    advance();
  }

  /** Brings what is held up to the table; what cannot be done at once is built beside it. */
  function advance(): void {
    if (building || isPaused || !table) return;
    const changes = waiting === "unknown" ? [changeTo(blocksIn(table), held.rows)] : waiting;
    waiting = [];
    for (const [i, { splices, rows }] of changes.entries()) {
      if (!held.order.canFollow(splices)) return rebuild(changes.at(-1)!.rows, changes.slice(i));
      flashes.note(splices, held.rows, now());
      held.rows = rows;
      held.order.follow(splices, rows);
      moves.note(splices);
    }
    if (kinds.areOld(table)) reread(table);
    else if (ordering.isLeftBehind(changes)) rebuild(held.rows, []);
    else if (changes.length > 0) onChanged();
  }

  /** The server knows more of what the columns are. */
  function reread(now: Table): void {
    held.kinds = kinds.of(now);
    rebuild(held.rows, []);
  }

  /** The order of `rows`, which are what is held after `changes`. What is shown meanwhile is what was shown before. */
  function rebuild(rows: Rows, changes: readonly Change[]): void {
    if (coming) return onChanged(); // there will be an order when all is there
    const mine = { rows, changes };
    building = mine;
    const isStillWanted: Breath = async () => (await breathe()) && mine === building;
    const known = changes.length === 0 ? numbers : undefined; // they are those of what is held
    void ordering.build(rows, isStillWanted, known).then((order) => {
      if (mine !== building || !order) return;
      building = undefined;
      for (const { splices } of changes) moves.note(splices);
      held.rows = rows;
      held.order = order;
      moves.turn();
      advance();
      onChanged();
    });
    onChanged();
  }

  const model: Model = {
    get columns() {
      return held.columns;
    },
    numbers,
    get filterRead() {
      return ordering.filterRead;
    },
    get kinds() {
      return held.kinds;
    },
    get rows() {
      return held.rows;
    },
    get order() {
      return held.order;
    },
    get total() {
      return coming?.total;
    },
    get version() {
      return moves.version;
    },
    get generation() {
      return generation;
    },
    get isBehind() {
      return waiting === "unknown" || waiting.length > 0;
    },
    get isBuilding() {
      return building !== undefined;
    },
    flashOf: (row) => flashes.of(row, now()),
    moved: moves.moved,
    since: moves.since,
    begin,
    take,
    change,
    setRules(next) {
      if (kinds.override(next.overrides) && table && !isOther) held.kinds = kinds.of(table);
      ordering.setRules(next);
      rebuild(building?.rows ?? held.rows, building?.changes ?? []);
    },
    pause(next) {
      isPaused = next;
      if (!next && isOther && table) take(table, undefined);
      else advance();
      onChanged();
    },
  };
  return model;
}

const changeTo = (rows: Rows, before: Rows): Change => ({ splices: changesBetween(before, rows), rows });

/** What the columns are, as the server says it, or a person; of one of which nobody says anything, they are text. */
function openKinds() {
  let told: Pick<Table, "types" | "units"> = {};
  let overrides: ReadonlyMap<string, Override> = new Map();

  return {
    of({ columns, types, units }: Table): Kind[] {
      told = { types, units };
      return kindsBy(parseVerdicts(types, units, columns.length)).map((kind, column) => {
        const override = overrides.get(columns[column]!);
        return override ? overridden(override, kind) : kind;
      });
    },
    /** Whether it has said something else since then. */
    areOld: ({ types, units }: Table): boolean => types !== told.types || units !== told.units,
    /** Whether it is another than before. */
    override(next: Overrides = []): boolean {
      const isOther = JSON.stringify([...overrides]) !== JSON.stringify(next);
      overrides = new Map(next);
      return isOther;
    },
  };
}

/** Some from everywhere: the first rows of a log are not like the last. */
export function sampleOf(rows: Rows): Row[] {
  if (rows.length <= SAMPLE_ROWS) return rows.slice();
  return Array.from({ length: SAMPLE_ROWS }, (_, i) => rows.row(Math.floor((i * rows.length) / SAMPLE_ROWS))!);
}
