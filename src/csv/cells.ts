// What a single cell looks like: a number, a time, nothing. Cheap tests, just enough to tell a header from a row.
import { isMissing } from "../values/missing.ts";

/** A sign, digits with separators of thousands or a decimal sign, an exponent, a percent sign. */
const NUMBER = /^[+-]?(?:\d[\d'’\u00a0\u202f]*(?:[.,]\d+)*[.,]?|[.,]\d+)(?:e[+-]?\d+)?\s?%?$/i;
const SPECIAL_NUMBER = /^(?:[+-]?(?:inf|infinity)|0x[\da-f]+)$/i;

/** `1.5`, `-1,5`, `1.234,56`, `1e-5`, `12 %`, `0x1F`, `-inf`; blanks around it do not matter. */
export function isNumber(cell: string): boolean {
  const text = cell.trim();
  if (text.length === 0 || text.length > 60) return false;
  return NUMBER.test(text) ? !isDottedDate(text) : SPECIAL_NUMBER.test(text);
}

/** `01.03.2026` is a date, and `10.0.0.1` an address. */
function isDottedDate(text: string): boolean {
  return /^\d+\.\d+\.\d+/.test(text) && !/^\d{1,3}(?:\.\d{3})+(?:,\d+)?$/.test(text);
}

const DATE =
  /^(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2})|\d{1,2}([-/])[a-zä]{3,9}\3\d{2,4})\.?$/;
const DAY = /^\d{1,2}[-/]\d{1,2}$/;
const CLOCK = /^t?\d{1,3}:\d{2}(?::\d{2}(?:[.,:]\d+)?)?$/;
const ZONE = /^(?:z|utc|gmt|c?e?[smnw]?[est]t|[a-z]{3,4}t|[+-]\d{2}:?\d{2}|[ap]\.?m\.?)$/;
const MONTH = /^(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?$/;
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)[a-z]*\.?$/;

/** A date, a time of day, or both, in a form that programs write. */
export function isTime(cell: string): boolean {
  const text = cell.trim().toLowerCase();
  if (text.length < 4 || text.length > 50 || !/\d/.test(text)) return false;
  const parts = spaced(text).split(" ");
  let isDated = false;
  let hasClock = false;
  let hasDay = false;
  let hasMonth = false;
  for (const part of parts) {
    if (DATE.test(part)) isDated = true;
    else if (CLOCK.test(part)) hasClock = true;
    else if (DAY.test(part)) hasDay = true;
    else if (MONTH.test(part)) hasMonth = true;
    else if (!/^(?:\d{1,2}\.?|\d{4})$/.test(part) && !ZONE.test(part) && !WEEKDAY.test(part)) return false;
  }
  const numbers = parts.filter((part) => /^(?:\d{1,2}\.?|\d{4})$/.test(part)).length;
  if (hasMonth) return numbers >= 1 && numbers <= 2;
  return numbers === 0 && (isDated || hasClock) && !(hasDay && !hasClock);
}

/** Parts that stand together without a blank are set apart: `2026-03-01T12:00:00Z`, `01/Mar/2026:12:00:00`. */
function spaced(text: string): string {
  return text
    .replace(/^(\d{4}-\d{1,2}-\d{1,2})[t_](?=\d)/, "$1 ")
    .replace(/^(\d{1,2}\/[a-z]{3}\/\d{4}):(?=\d)/, "$1 ")
    .replace(/(:\d{2}(?:[.,]\d+)?)(z|[+-]\d{2}:?\d{2}|[ap]m)$/, "$1 $2")
    .replace(/,(?= )/g, "")
    .replace(/\s+/g, " ");
}

export const isTyped = (cell: string): boolean => isNumber(cell) || isTime(cell);

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
