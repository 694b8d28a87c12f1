// What makes a record a header, or the units under one.
import { isMissing } from "../values/missing.ts";
import { unitOf } from "../values/units.ts";
import { isNumber, isTyped, isValue, shareOf } from "./cells.ts";
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
  /** The name of the format, if it is a known one. */
  readonly format?: string | undefined;
  /** As they stand in a line of units. */
  readonly units?: readonly string[] | undefined;
  /** Lines that begin so are no rows. */
  readonly directives?: readonly string[];
  /** Records that are no rows when they come again: `[start, end)`. */
  readonly again?: readonly (readonly [start: number, end: number])[];
};

type Cells = readonly string[];

const isUnit = (cell: string) => unitOf(cell) !== undefined;

/** Every cell says something; the first or the last may be empty. */
export function isNamedThroughout(cells: Cells): boolean {
  const filled = cells.filter((cell) => cell.trim() !== "").length;
  const inner = cells.slice(1, -1).every((cell) => cell.trim() !== "");
  return filled > 0 && inner && filled >= cells.length - 1;
}

/** How much of a header may be words that are units, too: `some` as long as there are other words. */
export type AllowedUnits = "no units" | "some units" | "units";

/** Named throughout, and nothing in it is a value. */
export function isHeader(cells: Cells, allowed: AllowedUnits): boolean {
  if (!isNamedThroughout(cells)) return false;
  const names = cells.filter((cell) => cell.trim() !== "");
  if (names.some((cell) => isValue(cell) || isMissing(cell))) return false;
  if (allowed === "units") return true;
  return allowed === "no units" ? !names.some(isUnit) : !names.every(isUnit);
}

/** Every cell is empty or a unit. A lone letter alone is none: it may be a code. */
export function isUnitsRow(cells: Cells): boolean {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== "");
  if (filled.length === 0 || !filled.every(isUnit)) return false;
  return filled.length > 1 || filled[0]!.length > 1;
}

/** Whether the cells are the units of the columns that `rows` show: each over a typed column, one of them numeric. */
export function areUnits(cells: Cells, rows: readonly Cells[]): boolean {
  if (!isUnitsRow(cells)) return false;
  const filled = cells.flatMap((cell, c) => (cell.trim() === "" ? [] : [c]));
  return filled.every((c) => shareOf(rows, c, isTyped) >= 0.9) && filled.some((c) => shareOf(rows, c, isNumber) >= 0.9);
}

/** Whether the header can be told from a row wherever it comes again. */
export function isRecognisable(names: Cells, rows: readonly Cells[]): boolean {
  if (!isNamedThroughout(names) || names.some(isValue)) return false;
  if (names.length > 1 && names.every((name) => name === names[0])) return false;
  return names.some((_name, c) => shareOf(rows, c, isTyped) >= 0.9);
}

export const rowsOf = (records: readonly HeadRecord[]): readonly Cells[] => records.map(({ cells }) => cells);

export const isSameCells = (a: Cells, b: Cells) => a.length === b.length && a.every((cell, c) => cell === b[c]);
