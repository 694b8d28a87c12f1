// What a column is read as, by what the server has told of it, and what a cell looks like on the page. A cell is text and stays it; only
// sorting, comparing and plotting read a value out of it. Nothing is detected here.
import type { Row } from "../feed/protocol.ts";
import type { Block, Rows } from "../follow/blocks.ts";
import { valueOf } from "../values/cell.ts";
import type { TimeFormat } from "../values/times.ts";
import type { Verdict } from "../values/verdict.ts";
import { plainIsoTime, plainNumber } from "./iso-time.ts";

export type ColumnType = "number" | "time" | "text";

/**
 * How the cells of a column are read. `valueOf` gives a number, for a time ms since 1970 (UTC if it names no zone), or NaN. Of a column
 * of dates `clock` reads the time of day in another column.
 */
export type Kind = {
  readonly type: ColumnType;
  readonly valueOf: (cell: string) => number;
  readonly clock?: { readonly column: number; readonly valueOf: (cell: string) => number } | undefined;
  readonly unit?: string | undefined;
  /** How times are written. */
  readonly format?: TimeFormat | undefined;
};

export const TEXT: Kind = { type: "text", valueOf: () => Number.NaN };

/** The kinds of columns by their verdicts; `true` and `false` are words here, which sort as such. */
export const kindsBy = (verdicts: readonly Verdict[]): Kind[] => verdicts.map((verdict) => kindBy(verdict, verdicts));

function kindBy(verdict: Verdict, verdicts: readonly Verdict[]): Kind {
  if (verdict.type === "text" || verdict.type === "boolean") return TEXT;
  const read = (cell: string) => valueOf(cell, verdict);
  const plain = plainReader(verdict);
  const kind = { type: verdict.type, unit: verdict.unit, valueOf: (cell: string) => plain(cell) ?? read(cell) };
  if (!("format" in verdict)) return kind;
  const { format, clock: column } = verdict;
  const clock = column === undefined ? undefined : verdicts[column];
  if (column === undefined || clock === undefined) return { ...kind, format };
  return { ...kind, format, clock: { column, valueOf: (cell) => valueOf(cell, clock) } };
}

/** Reads what most cells are like; of others it gives undefined. */
function plainReader(verdict: Verdict): (cell: string) => number | undefined {
  if ("format" in verdict) return verdict.format === "iso" ? plainIsoTime : () => undefined;
  const point = ("decimal" in verdict ? verdict.decimal : ".").charCodeAt(0);
  return (cell) => plainNumber(cell, point);
}

/** The value of a column in a row: of a date with the time of day that belongs to it, if the row has one. */
export function valueIn(row: Row, column: number, kind: Kind): number {
  return together(row[column] ?? "", kind.clock && row[kind.clock.column], kind);
}

/** A column, and how it is read. */
export type ReadColumn = { readonly column: number; readonly kind: Kind };

/** As `valueIn`, of the rows of a block, for each of these: only the columns that they take are read, all in one go. */
export function valuesIn(rows: Rows, block: Block, readers: readonly ReadColumn[]): ((index: number) => number)[] {
  const columns = readers.map(({ column, kind }) => (kind.clock ? [column, kind.clock.column] : [column]));
  const cells = rows.cells(block, columns.flat());
  let next = 0;
  return readers.map(({ kind }) => {
    const own = cells[next++]!;
    const clocks = kind.clock && cells[next++];
    return (index) => together(own[index] ?? "", clocks?.[index], kind);
  });
}

function together(cell: string, ofClock: string | undefined, { valueOf: read, clock }: Kind): number {
  const value = read(cell);
  const ofDay = clock?.valueOf(ofClock ?? "");
  return ofDay === undefined || Number.isNaN(ofDay) ? value : value + ofDay;
}

/** Longer ones are cut for the table; all of a cell is in its own view. */
export const SHOWN_CHARACTERS = 400;

/** At most so many UTF-16 units, and no half of a character. */
export const cut = (text: string, length: number) => text.slice(0, length).replace(/[\ud800-\udbff]$/, "");

/** A cell as the table shows it: one line, and nothing in it that could command or mislead. */
export function shownText(cell: string): string {
  const text = cell.length > SHOWN_CHARACTERS ? `${cut(cell, SHOWN_CHARACTERS)}…` : cell;
  return DECEPTIVE.test(text) ? text.replace(EACH_DECEPTIVE, visible) : text;
}

/** All of a cell, with its lines and tabs, and as harmless. */
export function wholeText(cell: string): string {
  return cell.replace(EACH_DECEPTIVE, (character) => (/[\n\t\r]/.test(character) ? character : visible(character)));
}

/** Controls, and characters that turn text around or cannot be seen (Unicode, general category Cf, and separators). */
const DECEPTIVE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const EACH_DECEPTIVE = new RegExp(DECEPTIVE, "gu");

function visible(character: string): string {
  const code = character.codePointAt(0)!;
  if (code === 0x0a || code === 0x0d) return "⏎";
  if (code === 0x09) return "⇥";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return `‹${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}
