// What makes a record a header, or the units under one.
import { isMissing } from "../values/missing.ts";
import { unitOf } from "../values/units.ts";
import { isMeasured, isNumber, isTypedColumn, isValue, shareOf } from "./cells.ts";
import type { HeadRecord } from "./head.ts";

/** A header that was found, and what belongs to it. */
export type Header = {
  readonly delimiter: string;
  /** Its record in the text, `[start, end)`; behind the prefix of a comment. */
  readonly start: number;
  readonly end: number;
  /** Where its line begins, prefix and all. */
  readonly lineStart: number;
  /** Where the body begins, or its units. */
  readonly bodyStart: number;
  /** The names, if the record cannot be read by the delimiter of the body. */
  readonly names?: readonly string[] | undefined;
  /** The name of the format, if it is a known one. */
  readonly format?: string | undefined;
  /** The record that has the units, with other words in it (`NO.,Time,ms,V`): not told by itself. */
  readonly unitsStart?: number | undefined;
  /** As they stand in a line of units. */
  readonly units?: readonly string[] | undefined;
  /** Lines that begin so are no rows. */
  readonly directives?: readonly string[];
  /** Records that are no rows when they come again: `[start, end)`. */
  readonly again?: readonly (readonly [start: number, end: number])[];
};

type Cells = readonly string[];

/** What stands over times in a row of units: `[dd.MM.yyyy HH:mm]`. */
const TIME_PATTERN = /^[[(<]?(?=.*(?:dd|mm|yy|hh|ss))(?:[dmyhs]{1,4}[-/.:, t]{1,2}){1,6}[dmyhs]{1,4}[\])>]?$/i;

/** And in a row of units of VCDS, RaceChrono. */
const TIME_WORDS = /^(?:stamp|unix time)$/i;

const isUnit = (cell: string) =>
  unitOf(cell) !== undefined || TIME_PATTERN.test(cell.trim()) || TIME_WORDS.test(cell.trim());

/** Every cell says something; the first or the last may be empty. */
function isNamedThroughout(cells: Cells): boolean {
  const filled = cells.filter((cell) => cell.trim() !== "").length;
  const inner = cells.slice(1, -1).every((cell) => cell.trim() !== "");
  return filled > 0 && inner && filled >= cells.length - 1;
}

/** How much of a header may be words that are units, too: `few` are less than half, `some` as long as there are other words. */
export type AllowedUnits = "few units" | "some units" | "units";

/** Named throughout, and nothing in it is a value. */
export function isHeader(cells: Cells, allowed: AllowedUnits): boolean {
  if (!isNamedThroughout(cells)) return false;
  const names = cells.filter((cell) => cell.trim() !== "");
  if (names.some((cell) => isValue(cell) || isMissing(cell))) return false;
  if (allowed === "units") return true;
  const units = names.filter(isUnit).length;
  return allowed === "few units" ? units * 2 < names.length : units < names.length;
}

/** Every cell is empty or a unit. A lone letter alone is none: it may be a code. */
export function isUnitsRow(cells: Cells): boolean {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== "");
  if (filled.length === 0 || !filled.every(isUnit)) return false;
  return filled.length > 1 || filled[0]!.length > 1;
}

/** What USGS writes under a header: widths and types, `5s`, `15s`, `14n`. Over `1m` and `2h` they are times. */
export function areWidths(cells: Cells, rows: readonly Cells[]): boolean {
  const isTimeOfRow = rows.some((row) => row.some((cell) => /^\s*[\d.,]+ ?[a-zµ]{1,3}\s*$/i.test(cell)));
  return cells.length > 1 && rows.length > 0 && !isTimeOfRow && cells.every((cell) => /^\d{1,4}[sdn]$/.test(cell));
}

/** In a row of so many units there may be other words, such as `AFR`. */
const MANY_UNITS = 3;

/** Whether a record is rather the units of the one above it than a header itself: half of its cells are some, or two more than there. */
export function isMoreOfUnits(cells: Cells, above: Cells): boolean {
  const units = cells.filter(isUnit).length;
  const unitsAbove = above.filter(isUnit).length;
  const isHalf = units * 2 >= cells.filter((cell) => cell.trim() !== "").length;
  return (units >= MANY_UNITS || isUnitsRow(cells)) && units >= unitsAbove + (isHalf ? 1 : 2);
}

/** The cells that are units; "" for others. */
export const unitsAmong = (cells: Cells): Cells => cells.map((cell) => (isUnit(cell) ? cell : ""));

/** `Range=` and `Channels:` are settings, not names of columns. */
export const isKey = (cell: string): boolean => /[:=]\s*$/.test(cell);

/** A time, or a number that is no plain integer: years and codes are names. */
export const isOddName = (cell: string): boolean => isValue(cell) && !/^\s*\d{1,9}\s*$/.test(cell);

/** Three cells in four, at least. */
function areMostlyUnits(cells: Cells): boolean {
  const said = cells.filter((cell) => cell.trim() !== "");
  const units = said.filter(isUnit).length;
  return units >= MANY_UNITS && units * 4 >= said.length * 3 && !said.some((cell) => isValue(cell) || isMissing(cell));
}

/** Whether the cells are the units of the columns that `rows` show: each over a typed column, one of them numeric. */
export function areUnits(cells: Cells, rows: readonly Cells[]): boolean {
  if (!isUnitsRow(cells) && !areMostlyUnits(cells)) return false;
  const filled = cells.flatMap((cell, c) => (cell.trim() === "" ? [] : [c]));
  return filled.every((c) => isTypedColumn(rows, c)) && filled.some((c) => shareOf(rows, c, isNumber) >= 0.9);
}

/** Whether a record has what no name is: `5 MB` is a name over `12.5`, and a value over `6 MB`. */
export function hasValues(cells: Cells, rows: readonly Cells[]): boolean {
  const isLikeRows = (c: number) => rows.some((row) => isMeasured(row[c] ?? ""));
  return cells.some((cell, c) => isValue(cell) || (isMeasured(cell) && isLikeRows(c)));
}

/** Whether the header can be told from a row wherever it comes again. */
export function isRecognisable(names: Cells, rows: readonly Cells[]): boolean {
  if (!isNamedThroughout(names) || hasValues(names, rows)) return false;
  if (names.length > 1 && names.every((name) => name === names[0])) return false;
  return names.some((_name, c) => isTypedColumn(rows, c));
}

export const rowsOf = (records: readonly HeadRecord[]): readonly Cells[] => records.map(({ cells }) => cells);

export const isSameCells = (a: Cells, b: Cells) => a.length === b.length && a.every((cell, c) => cell === b[c]);
