// One cell by the verdict of its column: its value for the page, its JSON for a typed document, and whether it fits at all.
import { isMissing } from "./missing.ts";
import { flawOf, numberOf, partsOf, plainDigits } from "./numbers.ts";
import { timeOf } from "./times.ts";
import type { Verdict } from "./verdict.ts";

/** What a cell is sorted, compared and plotted by: a number, a time in ms since 1970, 1 and 0 for true and false; else NaN. */
export function valueOf(cell: string, verdict: Verdict): number {
  switch (verdict.type) {
    case "number":
      return numberOf(cell, verdict);
    case "time":
      return timeOf(cell, verdict);
    case "boolean":
      return truthOf(cell);
    case "text":
      return Number.NaN;
  }
}

function truthOf(cell: string): number {
  const word = booleanOf(cell);
  return word === undefined ? Number.NaN : word === "true" ? 1 : 0;
}

/** `true` and `false` in any case, blanks aside. */
export function booleanOf(cell: string): "true" | "false" | undefined {
  if (cell.length > 64) return undefined;
  const word = cell.trim().toLowerCase();
  return word === "true" || word === "false" ? word : undefined;
}

/** The numbers that stand for times are numbers in JSON, too. */
const isNumeric = (verdict: Verdict) =>
  verdict.type === "number" ||
  (verdict.type === "time" && (verdict.format === "basic" || verdict.format.startsWith("epoch-")));

/** How digits are read in a column: of a column of times with a point. */
const readingOf = (verdict: Verdict) =>
  verdict.type === "number" ? verdict : ({ decimal: ".", thousands: "" } as const);

/**
 * The JSON literal of a cell: `null` where there is no value, `true` and `false`, or a number with the digits of the cell
 * (`1.50` stays so). Undefined where the cell stays a string: text, times, numbers with a unit, and whatever does not fit.
 */
export function literalOf(cell: string, verdict: Verdict): string | undefined {
  if (verdict.type === "text") return undefined;
  if (isMissing(cell)) return "null";
  if (verdict.type === "boolean") return booleanOf(cell);
  return isNumeric(verdict) ? numberLiteral(cell, verdict) : undefined;
}

/**
 * RFC 8259, section 6, has no plus, no leading zeros and digits on both sides of the point: `+5` and `5.` become `5`, `.5`
 * becomes `0.5`, `05.30` becomes `5.30`. Exponents stay as they are.
 */
function numberLiteral(cell: string, verdict: Verdict): string | undefined {
  const parts = partsOf(cell);
  if (!parts || parts.unit !== "") return undefined;
  const plain = plainDigits(parts, readingOf(verdict));
  if (plain === undefined || flawOf(plain, parts.exponent)) return undefined;
  const digits = plain
    .replace(/^0+(?=\d)/, "")
    .replace(/^\./, "0.")
    .replace(/\.$/, "");
  return parts.sign + digits + parts.exponent;
}

/** Whether a cell is what its column is, or says that there is no value. One that is not is a misfit, and stays a string. */
export function fits(cell: string, verdict: Verdict): boolean {
  if (verdict.type === "text" || literalOf(cell, verdict) !== undefined) return true;
  if (verdict.type === "number") return hasUnit(cell) && !Number.isNaN(numberOf(cell, verdict));
  return !Number.isNaN(valueOf(cell, verdict));
}

/** A number with its unit is a string in JSON anyway, so it may have digits that JSON cannot say. */
const hasUnit = (cell: string) => (partsOf(cell)?.unit ?? "") !== "";
