// What a single cell looks like, just enough to tell a header from a row. What numbers and times are is a matter of `values`.
import { isMissing } from "../values/missing.ts";
import { numberKind } from "../values/numbers.ts";
import { isTime } from "../values/times.ts";

/** A number, alone or with a unit. */
export const isNumber = (cell: string): boolean => numberKind(cell) !== undefined;

/** A number, alone or with a unit, or a time: what makes a column more than text. */
export const isTyped = (cell: string): boolean => isNumber(cell) || isTime(cell);

/** What no name is: a number, or a time. One with a unit may be a name: `5 min`, `95%`. */
export const isValue = (cell: string): boolean => numberKind(cell) === "bare" || isTime(cell);

/** For each column whether at least 90 % of its cells that say something are numbers or times. */
export function typedColumns(rows: readonly (readonly string[])[], width: number): readonly boolean[] {
  return Array.from({ length: width }, (_, c) => shareOf(rows, c, isTyped) >= 0.9);
}

/** The share of a column's cells that pass, among those that are not missing; 0 if all are. */
export function shareOf(
  rows: readonly (readonly string[])[],
  column: number,
  passes: (cell: string) => boolean,
): number {
  let said = 0;
  let passing = 0;
  for (const row of rows) {
    const cell = row[column] ?? "";
    if (isMissing(cell)) continue;
    said++;
    if (passes(cell)) passing++;
  }
  return said === 0 ? 0 : passing / said;
}
