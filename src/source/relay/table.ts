// The table of a replica: rows from the wire become a CSV in its normal form, held like that of a file. The changes are known, so
// nothing is compared.
import { plainDialect } from "../../csv/dialect.ts";
import type { CsvDocument } from "../../csv/document.ts";
import { SPARE_BYTES } from "../../csv/encoding.ts";
import { CsvError } from "../../csv/error.ts";
import { csvHeader } from "../../csv/rfc4180.ts";
import { type CsvTable, openTable } from "../../csv/table.ts";
import { type View, viewOf, viewSplices } from "../../csv/view.ts";
import { oversize } from "../held.ts";
import type { WireRow, WireSplice } from "./wire.ts";

export type RelayLimits = {
  /** Of the whole text. */
  readonly maxBytes: number;
  readonly maxCellBytes: number;
  readonly lastRows: number;
};

export type RelayTable = {
  readonly document: CsvDocument;
  readonly table: CsvTable;
  view(): View;
  /** Applies splices that fit, and gives those of the view as JSON. Throws CsvError, and the table is lost, if it grows too large. */
  apply(splices: readonly WireSplice[]): string;
};

/** Collects the rows of a snapshot. */
export type RelayDraft = {
  rows(): number;
  /** Throws CsvError if there are more than the limits allow. */
  add(rows: readonly WireRow[]): void;
  finish(): RelayTable;
};

const LAYOUT = { delimiter: 44, recordEnd: 10 } as const;

/** Up to so many splices are applied one by one; more in one pass over the rows between the first and the last. */
const FEW = 8;

export function draftTable(columns: readonly string[], limits: RelayLimits): RelayDraft {
  const header = Buffer.from(csvHeader(columns).replace(/\r\n$/, "\n"));
  let bytes = Buffer.allocUnsafeSlow(header.length + (1 << 16));
  let length = header.copy(bytes);
  let count = 0;

  function add(rows: readonly WireRow[]): void {
    const text = csvOf(rows);
    checkSize(length + text.length, limits);
    if (length + text.length + SPARE_BYTES > bytes.length) {
      const grown = Buffer.allocUnsafeSlow((length + text.length) * 2 + SPARE_BYTES);
      bytes.copy(grown, 0, 0, length);
      bytes = grown;
    }
    length += text.copy(bytes, length);
    count += rows.length;
  }

  function finish(): RelayTable {
    const dialect = plainDialect(LAYOUT, columns, header.length);
    return hold({ bytes, unmarked: undefined, start: 0, end: length, encoding: "utf-8", dialect, replaced: 0 }, limits);
  }

  return { rows: () => count, add, finish };
}

function hold(document: CsvDocument, limits: RelayLimits): RelayTable {
  const table = openTable(document, limits.maxCellBytes);
  let view = viewOf(table.rows(), table.rows(), limits.lastRows);
  checkCells();

  function checkCells(): void {
    const row = table.oversizeRow();
    if (row !== undefined) throw oversize(row, limits.maxCellBytes);
  }

  function apply(splices: readonly WireSplice[]): string {
    const texts: string[] = [];
    for (const run of ascendingRuns(splices)) {
      if (run.length > FEW) applyInOnePass(run);
      else run.forEach(applyOne);
      const before = view;
      view = viewOf(table.rows(), table.rows(), limits.lastRows);
      const changes = run.map(([start, deleted, rows]) => ({ start, deleted, inserted: rows.length }));
      for (const { start, deleted, from, inserted } of viewSplices(changes, before, view))
        texts.push(`[${start},${deleted},${table.render(from, from + inserted, "arrays").text}]`);
    }
    checkCells();
    return `[${texts.join(",")}]`;
  }

  function applyOne([start, deleted, rows]: WireSplice): void {
    const text = csvOf(rows);
    checkSize(table.length() + text.length, limits);
    table.replaceRows(start, start + deleted, text);
  }

  /** Rows that stay between two splices are copied with them, once, instead of being moved by each. */
  function applyInOnePass(run: readonly WireSplice[]): void {
    const pieces: Uint8Array[] = [];
    const first = run[0]![0];
    let old = first; // the row of the table that comes next
    let at = first; // the same, as the splices count
    for (const [start, deleted, rows] of run) {
      const kept = table.range(old, old + start - at);
      pieces.push(table.bytes().subarray(kept.start, kept.end), csvOf(rows));
      old += start - at + deleted;
      at = start + rows.length;
    }
    checkSize(table.length() + pieces.reduce((sum, { length }) => sum + length, 0), limits);
    table.replaceRows(first, old, Buffer.concat(pieces));
  }

  return { document, table, view: () => view, apply };
}

/** Splices in stretches in which each begins behind the one before it. */
function ascendingRuns(splices: readonly WireSplice[]): WireSplice[][] {
  const runs: WireSplice[][] = [];
  let end = Infinity;
  for (const splice of splices) {
    const [start, , rows] = splice;
    if (start >= end) runs.at(-1)!.push(splice);
    else runs.push([splice]);
    end = start + rows.length;
  }
  return runs;
}

function checkSize(bytes: number, { maxBytes }: RelayLimits): void {
  if (bytes > maxBytes) throw new CsvError("too-large", `the table is larger than ${maxBytes} bytes; raise --max-file`);
}

/** Records with LF; a cell is in quotes if it must be, and a lone empty one, as a blank line is no row. */
export function csvOf(rows: readonly WireRow[]): Buffer {
  let text = "";
  for (const row of rows) text += lineOf(row);
  return Buffer.from(text);
}

function lineOf(row: WireRow): string {
  if (row.length === 1 && row[0] === "") return '""\n';
  if (!/[",\r\n]/.test(row.join(""))) return `${row.join(",")}\n`;
  return `${row.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\n`;
}
