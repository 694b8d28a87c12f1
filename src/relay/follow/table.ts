// The table of a replica: rows from the wire become a CSV in its normal form, kept like that of a file. The changes are known, so
// nothing is compared.
import { plainDialect } from "../../csv/dialect.ts";
import { PLAIN_TEXT } from "../../csv/decoding.ts";
import type { Understanding } from "../../csv/document.ts";
import { CsvError } from "../../csv/error.ts";
import { csvHeader } from "../../csv/rfc4180.ts";
import { type CsvTable, tableUnder } from "../../csv/table.ts";
import { type View, viewOf, viewSplices } from "../../csv/view.ts";
import type { Row, Splice } from "../../feed/protocol.ts";
import { ascending } from "../../values/compose.ts";

export type RelayLimits = {
  /** Of the whole text. */
  readonly maxBytes: number;
  /** What is left of the memory for it, by what other tables hold; as much as it likes without it. */
  readonly room?: (() => number) | undefined;
  readonly maxCellBytes: number;
  readonly lastRows: number;
};

export type RelayTable = {
  readonly document: Understanding;
  readonly table: CsvTable;
  view(): View;
  /** Applies splices that fit, and gives those of the view as JSON. Throws CsvError, and changes nothing, if it would grow too large. */
  apply(splices: readonly Splice[]): string;
};

/** Collects the rows of a snapshot. */
export type RelayDraft = {
  rows(): number;
  bytes(): number;
  /** Throws CsvError if there are more than the limits allow. */
  add(rows: readonly Row[]): void;
  finish(): RelayTable;
};

const LAYOUT = { delimiter: 44, recordEnd: 10 } as const;

/** Up to so many changes are applied one by one; more in one pass over the rows between the first and the last. */
const FEW = 8;

export function draftTable(columns: readonly string[], limits: RelayLimits): RelayDraft {
  const header = Buffer.from(csvHeader(columns).replace(/\r\n$/, "\n"));
  const dialect = plainDialect(LAYOUT, columns, header.length);
  const table = tableUnder(header, dialect, { maxCellBytes: limits.maxCellBytes });
  const rewriting = table.rewrite();
  let length = header.length;
  let count = 0;

  function add(rows: readonly Row[]): void {
    const text = csvOf(rows);
    checkSize(length + text.length, limits);
    rewriting.add(text);
    length += text.length;
    count += rows.length;
  }

  function finish(): RelayTable {
    rewriting.finish();
    return openRelayTable(table, { ...PLAIN_TEXT, dialect }, limits);
  }

  return { rows: () => count, bytes: () => length, add, finish };
}

function openRelayTable(table: CsvTable, document: Understanding, limits: RelayLimits): RelayTable {
  let view = viewOf(table.rows(), table.rows(), limits.lastRows);
  const oversize = table.oversizeRow();
  if (oversize !== undefined) throw oversizeCell(oversize, limits);

  function apply(splices: readonly Splice[]): string {
    checkCells(splices, limits);
    const run = ascending(splices).map(changeOf);
    checkGrowth(table, run, limits);
    if (run.length > FEW) applyInOnePass(table, run);
    else for (const { start, deleted, text } of run) table.replaceRows(start, start + deleted, text);
    const before = view;
    view = viewOf(table.rows(), table.rows(), limits.lastRows);
    const shown = viewSplices(run, before, view).map(
      ({ start, deleted, from, inserted }) =>
        `[${start},${deleted},${table.render(from, from + inserted, "arrays").text}]`,
    );
    return `[${shown.join(",")}]`;
  }

  return { document, table, view: () => view, apply };
}

/** A splice whose rows have become records. */
type Change = { readonly start: number; readonly deleted: number; readonly inserted: number; readonly text: Buffer };

const changeOf = ([start, deleted, rows]: Splice): Change => ({
  start,
  deleted,
  inserted: rows.length,
  text: csvOf(rows),
});

/** Rows that stay between two changes are copied with them, once, instead of being moved by each. */
function applyInOnePass(table: CsvTable, run: readonly Change[]): void {
  const pieces: Uint8Array[] = [];
  const first = run[0]!.start;
  let next = first; // row of the table as it is
  for (const { from, to, text } of replacedRows(run)) {
    pieces.push(table.textOf(next, from), text);
    next = to;
  }
  table.replaceRows(first, next, Buffer.concat(pieces));
}

/** The rows `[from, to)`, of the table before an ascending run, that each change of it replaces. */
function replacedRows(run: readonly Change[]): { from: number; to: number; text: Buffer }[] {
  let shift = 0;
  return run.map(({ start, deleted, inserted, text }) => {
    const from = start - shift;
    shift += inserted - deleted;
    return { from, to: from + deleted, text };
  });
}

function checkSize(bytes: number, { maxBytes, room }: RelayLimits): void {
  if (bytes > maxBytes)
    throw new CsvError("too-large", `the table is larger than ${maxBytes} bytes; see --max-file and --max-memory`);
  if (room && bytes > room())
    throw new CsvError("too-large", "all tables together are larger than --max-memory allows");
}

/** What goes is counted where it matters. */
function checkGrowth(table: CsvTable, run: readonly Change[], limits: RelayLimits): void {
  let bytes = table.length();
  for (const { text } of run) bytes += text.length;
  if (bytes > Math.min(limits.maxBytes, limits.room?.() ?? Infinity))
    for (const { from, to } of replacedRows(run)) bytes -= table.bytesOf(from, to);
  checkSize(bytes, limits);
}

function checkCells(splices: readonly Splice[], limits: RelayLimits): void {
  for (const [start, , rows] of splices)
    rows.forEach((row, i) => {
      if (row.some((cell) => isOver(cell, limits.maxCellBytes))) throw oversizeCell(start + i + 1, limits);
    });
}

/** A character takes three bytes at most in UTF-8 for each of UTF-16; in quotes a cell takes two more, and each quote counts twice. */
const isOver = (cell: string, maxBytes: number) =>
  cell.length * 3 + 2 > maxBytes && Buffer.byteLength(cellText(cell)) > maxBytes;

const oversizeCell = (row: number, { maxCellBytes }: RelayLimits) =>
  new CsvError("too-large", `row ${row}: a cell of more than ${maxCellBytes} bytes; see --max-cell`);

/** Records with LF; a cell is in quotes if it must be, and a lone empty one, as a blank line is no row. */
export function csvOf(rows: readonly Row[]): Buffer {
  let text = "";
  for (const row of rows) text += lineOf(row);
  return Buffer.from(text);
}

function lineOf(row: Row): string {
  if (row.length === 1 && row[0] === "") return '""\n';
  if (!QUOTED.test(row.join(""))) return `${row.join(",")}\n`;
  return `${row.map(cellText).join(",")}\n`;
}

const QUOTED = /[",\r\n]/;
const cellText = (cell: string) => (QUOTED.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
