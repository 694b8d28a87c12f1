// What the page shows of the table: its rows as far as they are on the page, in their order. Changes come in as they happen; while an
// order is built, or the page is paused, they wait. Touches no page and no network.
import type { Row, Splice } from "../feed/protocol.ts";
import { applySplices, splicesBetween, type Table } from "../follow/table.ts";
import { parseVerdicts } from "../values/verdict.ts";
import { type Kind, kindsBy, TEXT } from "./cells.ts";
import { type Filter, parseFilter } from "./filter.ts";
import { type Flash, openFlashes } from "./flashes.ts";
import { buildOrder, fileOrder, movedRow, type Order } from "./order.ts";
import type { Breath } from "./sort.ts";

/** What a person has asked for. The column is a name: it survives a table with other columns. */
export type Rules = {
  readonly sort: { readonly column: string; readonly descending: boolean } | undefined;
  readonly filter: string;
};

export type Model = {
  readonly columns: readonly string[];
  readonly kinds: readonly Kind[];
  readonly rows: readonly Row[];
  readonly order: Order;
  /** Grows with each change of what is to be seen. */
  readonly version: number;
  /** Grows when a table comes that has nothing to do with the one before. */
  readonly generation: number;
  /** Changes that wait for the page to go on. */
  readonly isBehind: boolean;
  readonly isPaused: boolean;
  /** An order is being built. */
  readonly isBuilding: boolean;
  flashOf(row: Row): Flash | undefined;
  /** Where a row of an earlier version is now. */
  moved(row: number, sinceVersion: number): number;
  /** What has happened since then; undefined if that is not known any more. */
  since(version: number): readonly (readonly Splice[])[] | undefined;
  /** A table takes the place of the one before; `splices` as of `onSnapshot`. */
  take(table: Table, splices: readonly Splice[] | undefined): void;
  /** The table, which is changed already, by these splices. */
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

/** So far back it is known where rows have moved. */
const MAX_MOVES = 64;
/** Rows that tell what is to be drawn. */
const SAMPLE_ROWS = 200;

type Held = { columns: readonly string[]; kinds: readonly Kind[]; rows: Row[]; order: Order };

export function openModel({ breathe, now, onChanged }: ModelOptions): Model {
  let held: Held = { columns: [], kinds: [], rows: [], order: fileOrder([]) };
  let rules: Rules = { sort: undefined, filter: "" };
  let table: Table | undefined; // as new as it gets
  let waiting: (readonly Splice[])[] | "unknown" = []; // between what is held, or being built, and the table
  let building: { readonly rows: Row[]; readonly batches: readonly (readonly Splice[])[] } | undefined;
  let isPaused = false;
  let isOther = false; // the table has nothing to do with what is held
  let version = 0;
  let generation = 0;
  let moves: { readonly to: number; readonly splices: readonly Splice[] }[] = [];
  let told: Table["types"]; // what the server has said the columns are
  const flashes = openFlashes();

  function take(next: Table, splices: readonly Splice[] | undefined): void {
    table = next;
    if (splices && !isOther) return wait(splices);
    isOther = isPaused && held.columns.length > 0; // it waits, too
    if (isOther) {
      waiting = "unknown";
      return onChanged();
    }
    const rows = next.rows.slice();
    held = { columns: next.columns, kinds: kindsOf(next), rows, order: fileOrder(rows) };
    waiting = [];
    moves = [];
    version++;
    generation++;
    flashes.clear();
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
    if (waiting !== "unknown") waiting.push(splices);
    advance();
  }

  /** Brings what is held up to the table; what cannot be done at once is built beside it. */
  function advance(): void {
    if (building || isPaused || !table) return;
    const batches = waiting === "unknown" ? [splicesBetween(held.rows, table.rows)] : waiting;
    waiting = [];
    for (const [i, splices] of batches.entries()) {
      const before = held.rows;
      if (!held.order.canFollow(splices)) return rebuild(changed(before, batches.slice(i)), batches.slice(i));
      flashes.note(splices, before, now());
      applySplices(before, splices);
      held.order.follow(splices, before);
      note(splices);
    }
    if (table.types !== told) reread(table);
    else if (batches.length > 0) onChanged();
  }

  function note(splices: readonly Splice[]): void {
    moves.push({ to: ++version, splices });
    if (moves.length > MAX_MOVES) moves.shift();
  }

  /** The server knows more of what the columns are. */
  function reread(now: Table): void {
    held.kinds = kindsOf(now);
    rebuild(held.rows, []);
  }

  /** The order of `rows`, which are what is held after `batches`. What is shown meanwhile is what was shown before. */
  function rebuild(rows: Row[], batches: readonly (readonly Splice[])[]): void {
    const mine = { rows, batches };
    building = mine;
    const isStillWanted: Breath = async () => (await breathe()) && mine === building;
    void buildOrder(rows, rulesFor(held.columns, held.kinds), isStillWanted).then((order) => {
      if (mine !== building || !order) return;
      building = undefined;
      batches.forEach(note);
      held.rows = rows;
      held.order = order;
      version++;
      advance();
      onChanged();
    });
    onChanged();
  }

  function rulesFor(columns: readonly string[], kinds: readonly Kind[]) {
    const filter: Filter | undefined = parseFilter(rules.filter, columns, kinds);
    const column = rules.sort ? columns.indexOf(rules.sort.column) : -1;
    const sorting =
      rules.sort && column !== -1
        ? { column, descending: rules.sort.descending, kind: kinds[column] ?? TEXT }
        : undefined;
    return { filter, sorting };
  }

  /** A server that tells nothing has columns of text. */
  function kindsOf({ columns, types, units }: Table): Kind[] {
    told = types;
    return kindsBy(parseVerdicts(types, units, columns.length));
  }

  return {
    get columns() {
      return held.columns;
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
    get version() {
      return version;
    },
    get generation() {
      return generation;
    },
    get isBehind() {
      return waiting === "unknown" || waiting.length > 0;
    },
    get isPaused() {
      return isPaused;
    },
    get isBuilding() {
      return building !== undefined;
    },
    flashOf: (row) => flashes.of(row, now()),
    moved(row, sinceVersion) {
      for (const { to, splices } of moves) if (to > sinceVersion) row = movedRow(row, splices);
      return row;
    },
    since(from) {
      if (from > version || (moves[0] ? from < moves[0].to - 1 : from < version)) return undefined;
      return moves.filter(({ to }) => to > from).map(({ splices }) => splices);
    },
    take,
    change,
    setRules(next) {
      rules = next;
      rebuild(building?.rows ?? held.rows, building?.batches ?? []);
    },
    pause(next) {
      isPaused = next;
      if (!next && isOther && table) take(table, undefined);
      else advance();
      onChanged();
    },
  };
}

/** A copy of the rows after these changes. */
function changed(before: readonly Row[], batches: readonly (readonly Splice[])[]): Row[] {
  const rows = before.slice();
  for (const splices of batches) applySplices(rows, splices);
  return rows;
}

/** Some from everywhere: the first rows of a log are not like the last. */
export function sampleOf(rows: readonly Row[]): Row[] {
  if (rows.length <= SAMPLE_ROWS) return rows.slice();
  return Array.from({ length: SAMPLE_ROWS }, (_, i) => rows[Math.floor((i * rows.length) / SAMPLE_ROWS)]!);
}
