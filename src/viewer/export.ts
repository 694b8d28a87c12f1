// Rows as text for elsewhere: TSV for the clipboard, CSV for a file.
import type { Row } from "../feed/protocol.ts";
import { cut } from "./cells.ts";

/** What spreadsheets take for the beginning of a formula (OWASP, CSV Injection). */
const FORMULA = /^[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?(\d+([.,]\d+)*|[.,]\d+)(e[+-]?\d+)?\s?%?$/i;

/** With an apostrophe in front no spreadsheet runs the cell; numbers are left as they are. */
export function guarded(cell: string): string {
  return FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}

export type TextOptions = { readonly isGuarded: boolean };

/** Columns separated by tabs, as spreadsheets take them from the clipboard. */
export function tsvOf(rows: Iterable<Row>, options: TextOptions): string {
  return Array.from(rows, (row) => lineOf(row, "\t", /[\t\r\n"]/, options)).join("\n");
}

/** RFC 4180: comma, CRLF, quotes where they must be. */
export function csvOf(rows: Iterable<Row>, options: TextOptions): string {
  let text = "";
  for (const row of rows) text += `${lineOf(row, ",", /[,\r\n"]/, options) || '""'}\r\n`;
  return text;
}

/**
 * A table for the clipboard: spreadsheets take cells of text as they are, and `00001` stays so (`mso-number-format` is Excel's and
 * LibreOffice's name for the format of a cell, `@` is text). `isText` says so of each column.
 */
export function htmlOf(rows: Iterable<Row>, isText: readonly boolean[], { isGuarded }: TextOptions): string {
  const cells = (row: Row) =>
    row.map((cell, i) => {
      const format = isText[i] ? ` style="mso-number-format:'\\@'"` : "";
      return `<td${format}>${escaped(isGuarded ? guarded(cell) : cell)}</td>`;
    });
  const lines = Array.from(rows, (row) => `<tr>${cells(row).join("")}</tr>`);
  return `<meta charset="utf-8"><table>${lines.join("\n")}</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign]!);

function lineOf(row: Row, separator: string, special: RegExp, { isGuarded }: TextOptions): string {
  return row
    .map((cell) => (isGuarded ? guarded(cell) : cell))
    .map((cell) => (special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(separator);
}

/** Names that are devices on Windows, whatever follows a dot. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(?=$|\.)/i;

/** A name for a download: of the file's own name what no system takes amiss. */
export function downloadName(file: string, extension: string): string {
  const stem = file
    .replace(/\.(csv|tsv|txt)$/i, "")
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "_")
    .replace(/^[._-]+|[._]+$/g, "");
  const safe = cut(stem, 80).replace(DEVICE, "$1_");
  return `${safe || "table"}.${extension}`;
}
