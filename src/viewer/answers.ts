// What the Worker answers beside the table: one row in full, the numbers in what is selected, what is in a column, cells for the clipboard.
import type { Row } from "../feed/protocol.ts";
import { cut, valueIn } from "./cells.ts";
import { htmlOf, tsvOf } from "./export.ts";
import type { Area, FromWorker } from "./messages.ts";
import type { Model } from "./model.ts";
import type { Wanted } from "./numbers.ts";
import type { Breath } from "./sort.ts";
import { openFigures, summaryOf } from "./summary.ts";

export type Answers = {
  copy(area: Area, isGuarded: boolean, hasHeader: boolean): void;
  /** Tells of a row now, and when it has changed; of none if there is no position. */
  row(position: number | undefined, column: number): void;
  summary(column: number): void;
  /** Tells now, and when the table has changed. */
  figures(area: Area | undefined): void;
  /** The table has changed. */
  changed(): void;
};

/** A clipboard of more is none. */
const MAX_COPIED_CELLS = 2_000_000;
const MAX_COPIED_CHARACTERS = 64 << 20;
/** Of other cells than the one that is looked at. */
const MAX_FIELD = 2_000;
/** Columns of fewer rows are read row by row. */
const FEW_ROWS = 2_000;
const PAUSE_MS = 200;

type Watched = {
  readonly row: number;
  readonly version: number;
  readonly column: number;
  /** What was told of it. */
  readonly told: Row | undefined;
};

export function openAnswers(model: Model, breathe: Breath, say: (message: FromWorker) => void): Answers {
  let watched: Watched | undefined;
  let area: Area | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAdding = false;

  function copy(copied: Area, isGuarded: boolean, hasHeader: boolean): void {
    const rows = copied.to - copied.from;
    const tooMuch = { type: "copied", text: undefined, html: "", rows } as const;
    if (rows * copied.columns.length > MAX_COPIED_CELLS) return say(tooMuch);
    const cells = (row: readonly string[]) => copied.columns.map((column) => row[column] ?? "");
    const picked = Array.from({ length: rows }, (_, i) =>
      cells(model.rows.row(model.order.rowAt(copied.from + i)) ?? []),
    );
    const all = hasHeader ? [cells(model.columns), ...picked] : picked;
    const text = tsvOf(all, { isGuarded });
    if (text.length > MAX_COPIED_CHARACTERS) return say(tooMuch);
    const isText = copied.columns.map((column) => model.kinds[column]?.type === "text");
    say({ type: "copied", text, html: htmlOf(all, isText, { isGuarded }), rows });
  }

  /** A row that says what it said is only elsewhere: a cell of megabytes is not sent with every row that comes. */
  function tellRow(): void {
    if (!watched || model.rows.length === 0) return;
    const row = Math.min(model.moved(watched.row, watched.version), model.rows.length - 1);
    const cells = model.rows.row(row) ?? [];
    const isSame = watched.told?.length === cells.length && cells.every((cell, i) => cell === watched!.told![i]);
    watched = { ...watched, row, version: model.version, told: cells };
    const count = model.order.count();
    const place = { row, position: Math.min(model.order.positionOf(row), Math.max(0, count - 1)), count };
    if (isSame) return say({ type: "rowMoved", place });
    const { column } = watched;
    const shown = cells.map((cell) => cut(cell, MAX_FIELD));
    const lengths = cells.map(({ length }) => length);
    say({ type: "row", row: { ...place, cells: shown, lengths, column, whole: cells[column] ?? "" } });
  }

  async function tellFigures(): Promise<void> {
    timer = undefined;
    if (isAdding || !area) return;
    isAdding = true;
    const asked = area;
    const isStillWanted: Breath = async () => (await breathe()) && area === asked;
    const figures = await figuresOf(asked, isStillWanted);
    isAdding = false;
    if (figures) say({ type: "figures", figures });
    else if (area !== undefined) void tellFigures(); // of what was selected meanwhile
  }

  async function figuresOf({ from, to, columns }: Area, isStillWanted: Breath) {
    const { add, figures } = openFigures();
    const numeric = columns.filter((column) => model.kinds[column]?.type === "number");
    const wanted = to - from > FEW_ROWS ? numeric.map((column): Wanted => ({ column, as: "number" })) : [];
    if (!(await model.numbers.read("selection", wanted, isStillWanted)) || !(await isStillWanted())) return undefined;
    for (const column of numeric) {
      const values = model.numbers.values({ column, as: "number" });
      const kind = model.kinds[column]!;
      for (let position = from; position < Math.min(to, model.order.count()); position++) {
        const row = model.order.rowAt(position);
        add(values ? values[row]! : valueIn(model.rows.row(row) ?? [], column, kind));
      }
      if (!(await isStillWanted())) return undefined;
    }
    return figures();
  }

  return {
    copy,
    row(position, column) {
      if (position === undefined || model.order.count() === 0) return void (watched = undefined);
      const row = model.order.rowAt(Math.min(position, model.order.count() - 1));
      watched = { row, version: model.version, column, told: undefined };
      tellRow();
    },
    async summary(column) {
      const kind = model.kinds[column];
      const summary = kind && (await summaryOf(model.rows, column, kind, breathe));
      if (summary) say({ type: "summary", column, summary });
    },
    figures(next) {
      area = next;
      if (next) void tellFigures();
      else void model.numbers.read("selection", [], breathe);
    },
    changed() {
      tellRow();
      if (area) timer ??= setTimeout(() => void tellFigures(), PAUSE_MS);
    },
  };
}
