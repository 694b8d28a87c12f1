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

/** A number with a unit, or with the sign of a currency. */
export const isMeasured = (cell: string): boolean => numberKind(cell) === "measured";

type Rows = readonly (readonly string[])[];

/** Whether at least 90 % of a column's cells that say something are numbers, or times: a list of settings has both. */
export function isTypedColumn(rows: Rows, column: number): boolean {
  let said = 0;
  let numbers = 0;
  let times = 0;
  for (const row of rows) {
    const cell = row[column] ?? "";
    if (isMissing(cell)) continue;
    said++;
    if (isNumber(cell)) numbers++;
    else if (isTime(cell)) times++;
  }
  return said > 0 && Math.max(numbers, times) >= 0.9 * said;
}

export const typedColumns = (rows: Rows, width: number): readonly boolean[] =>
  Array.from({ length: width }, (_, c) => isTypedColumn(rows, c));

/** The share of a column's cells that pass, among those that are not missing; 0 if all are. */
export function shareOf(rows: Rows, column: number, passes: (cell: string) => boolean): number {
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
