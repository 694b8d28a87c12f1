// Rows as lines, and which rows of a changing table are to be printed: those that come after the ones that are there already.
import type { Row, Splice } from "../../feed/protocol.ts";
import type { Table } from "../../follow/table.ts";

export type RowFormat = {
  /** The line before the first row; undefined for formats that have none. */
  header(columns: readonly string[]): string | undefined;
  /** Writes rows of these columns, without a line end. */
  line(columns: readonly string[]): (row: Row) => string;
};

/** One JSON object a line. The text is made by hand: an object would change the order of names such as `11`. */
export const ndjson: RowFormat = {
  header: () => undefined,
  line(columns) {
    const names = columns.map((name, i) => `${i > 0 ? "," : ""}${JSON.stringify(name)}:`);
    return (row) => `{${names.map((name, i) => name + JSON.stringify(row[i] ?? "")).join("")}}`;
  },
};

/** RFC 4180, but for the line end, which is LF: what pipes expect. A lone empty cell is `""`, as a blank line is no row. */
export const csv: RowFormat = {
  header: (columns) => csvLine(columns),
  line: (columns) => (row) => csvLine(columns.map((_, i) => row[i] ?? "")),
};

function csvLine(cells: readonly string[]): string {
  if (cells.length === 1 && cells[0] === "") return '""';
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
}

export type RowLogOptions = {
  readonly format: RowFormat;
  /** Whether the rows that are there at the start are printed too. */
  readonly isAll: boolean;
  /** `rows` are taken lazily. */
  readonly print: (rows: Iterable<string>) => void;
  readonly printHeader: (line: string) => void;
  readonly say: (text: string) => void;
};

/** What is read of a table here. */
type Printed = Pick<Table, "columns" | "length" | "first"> & Iterable<Row>;

/** Follows a table, and prints what is appended to it from `begin` on. */
export type RowLog = {
  /** The table as it is at the start; undefined if there is none yet. What is called before it counts for nothing. */
  begin(table: Printed | undefined): void;
  /** The table has become this, by these splices; undefined if it is one with other columns, or the first. */
  update(table: Printed, splices: readonly Splice[] | undefined): void;
};

function skippedText(count: number): string {
  const rows = count === 1 ? "1 row was" : `${count} rows were`;
  return `${rows} skipped: more came than the server keeps, see --last`;
}

export function openRowLog({ format, isAll, print, printHeader, say }: RowLogOptions): RowLog {
  let hasBegun = false;
  let hasTable = false;
  let printedHeader: string | undefined;
  let count = 0; // rows of the table
  let first = 0; // rows of the source in front of them
  let isWarned = false;
  let line: (row: Row) => string = () => "";

  function newTable(table: Printed, isPrinted: boolean): void {
    const { columns } = table;
    hasTable = columns.length > 0;
    if (!hasTable) return; // an empty file: the rows that come are all new
    const header = format.header(columns);
    count = table.length;
    first = table.first ?? 0;
    line = format.line(columns);
    if (header !== undefined && header !== printedHeader) printHeader(header);
    printedHeader = header;
    if (isPrinted) print(lines(table));
  }

  function* lines(rows: Iterable<Row>): Iterable<string> {
    const write = line;
    for (const row of rows) yield write(row);
  }

  /** A splice that reaches the end appends, and may replace the last row, which was not complete. */
  function apply([start, deleteCount, rows]: Splice, moved: number): void {
    const isAtEnd = start + deleteCount === count && rows.length > 0;
    count += rows.length - deleteCount;
    if (isAtEnd) print(lines(rows));
    // As with `--last N`: rows have left in front, all of them perhaps, or are shown again.
    const hasLeft = start === 0 && (rows.length === 0 || (isAtEnd && moved > 0) || (deleteCount === 0 && moved < 0));
    if (isWarned || hasLeft || (isAtEnd && deleteCount <= 1)) return;
    isWarned = true;
    say("rows changed elsewhere, which is not printed; see --live");
  }

  /** What left in front without having been here has been missed: `--last` had no room for it. */
  function follow(table: Printed, splices: readonly Splice[]): void {
    const moved = (table.first ?? 0) - first;
    const left = splices.reduce((sum, [start, deleteCount]) => sum + (start === 0 ? deleteCount : 0), 0);
    first += moved;
    const skipped = Math.max(0, moved - left);
    if (skipped > 0) say(skippedText(skipped));
    for (const splice of splices) apply(splice, moved);
  }

  return {
    begin(table) {
      if (hasBegun) return;
      hasBegun = true;
      if (table) newTable(table, isAll);
    },
    update(table, splices) {
      if (!hasBegun) return;
      if (splices && hasTable) return follow(table, splices);
      if (hasTable && table.columns.length > 0) say("the columns are others now");
      newTable(table, isAll || !hasTable);
    },
  };
}
