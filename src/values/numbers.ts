// Numbers as programs and people write them: decimal point or comma, thousands, money, units. Text in, number out.
import { isUnit } from "./units.ts";

/** How the digits of a column are read; `thousands` may stand between groups of three digits. */
export type Reading = { readonly decimal: "." | ","; readonly thousands: "" | "," | "." | " " | "'" };

/** In the order in which they are taken if several fit all the same. A cell's readings are a set of these, as bits. */
export const READINGS: readonly Reading[] = [
  { decimal: ".", thousands: "" },
  { decimal: ",", thousands: "" },
  { decimal: ".", thousands: "," },
  { decimal: ",", thousands: "." },
  { decimal: ".", thousands: " " },
  { decimal: ",", thousands: " " },
  { decimal: ".", thousands: "'" },
  { decimal: ",", thousands: "'" },
];

const bitsOf = (isSo: (reading: Reading) => boolean) =>
  READINGS.reduce((bits, reading, bit) => bits | (isSo(reading) ? 1 << bit : 0), 0);
const ALL = /* @__PURE__ */ bitsOf(() => true);
const POINT = /* @__PURE__ */ bitsOf(({ decimal }) => decimal === ".");
const COMMA = /* @__PURE__ */ bitsOf(({ decimal }) => decimal === ",");

/** Longer cells are no numbers: every pattern here is done with such a one at once. */
const MAX_LENGTH = 400;

/** Sign, money, sign, digits, exponent, unit. The blanks that group digits: plain, U+00A0, U+202F. */
const PARTS =
  /^([+-]?)([$€£¥]?) ?([+-]?)(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)(e[+-]?\d+(?![\d.,]))?([^\d.,'’][^]{0,31})?$/i;
const GROUPS = /^[1-9]\d{0,2}(?=([.,'’ \u00a0\u202f])\d{3})(?:\1\d{3})+(?:([.,])\d+)?$/;

export type NumberParts = {
  /** Digits, points, commas, grouping signs. */
  readonly digits: string;
  readonly sign: "" | "-";
  /** As written, such as `e-5`; or "". */
  readonly exponent: string;
  /** The unit or currency that stands with the number; "" without one. */
  readonly unit: string;
};

/** Takes a cell apart; undefined if it is no number, or one with something behind it that is no known unit. */
export function partsOf(cell: string): NumberParts | undefined {
  const parts = partsOfAny(cell);
  return parts && (parts.unit === "" || isUnit(parts.unit)) ? parts : undefined;
}

/** As `partsOf`, with anything for a unit: whoever compares it with one that is known need not know them all. */
function partsOfAny(cell: string): NumberParts | undefined {
  if (cell.length > MAX_LENGTH) return undefined;
  const match = PARTS.exec(cell.trim());
  if (!match) return undefined;
  const [, before = "", money = "", after = "", digits = "", exponent = "", behind = ""] = match;
  const unit = behind.trim();
  if ((before !== "" && after !== "") || (money !== "" && unit !== "") || (after !== "" && money === ""))
    return undefined;
  return { digits: digits.trimEnd(), sign: before + after === "-" ? "-" : "", exponent, unit: money || unit };
}

/** Which readings make a number of it. `evidence`: those of them that nothing but these digits is needed for. */
export type Readings = { readonly fits: number; readonly evidence: number; readonly isAmbiguous: boolean };

const NO_READINGS: Readings = { fits: 0, evidence: 0, isAmbiguous: false };

/** `1,234` may be read both ways, and proves none; two groups (`1,234,567`) or both signs (`1.234,5`) prove theirs. */
export function readingsOf({ digits, exponent }: NumberParts): Readings {
  if (/^\d+$/.test(digits)) return { fits: ALL, evidence: 0, isAmbiguous: false };
  const grouped = exponent === "" ? groupedReadings(digits) : NO_READINGS;
  if (/^(?:\d+\.\d*|\.\d+)$/.test(digits)) return { fits: POINT | grouped.fits, evidence: 0, isAmbiguous: false };
  if (!/^\d*,\d+$/.test(digits)) return grouped;
  const isAmbiguous = grouped.fits !== 0;
  return { fits: COMMA | grouped.fits, evidence: isAmbiguous ? 0 : COMMA, isAmbiguous };
}

function groupedReadings(digits: string): Readings {
  const match = GROUPS.exec(digits);
  if (!match || isAddress(digits)) return NO_READINGS;
  const sign = /[.,]/.test(match[1]!) ? match[1]! : /['’]/.test(match[1]!) ? "'" : " ";
  const decimal = match[2];
  if (decimal === sign) return NO_READINGS;
  const fits = bitsOf((reading) => reading.thousands === sign && (decimal ?? reading.decimal) === reading.decimal);
  const groups = digits.split(match[1]!).length - 1;
  const evidence = groups > 1 || decimal !== undefined ? fits : 0;
  return { fits, evidence, isAmbiguous: evidence === 0 && sign !== "." };
}

/** `192.168.100.200` is the address of a machine (RFC 791). */
const isAddress = (digits: string) =>
  /^\d{1,3}(?:\.\d{3}){3}$/.test(digits) && digits.split(".").every((part) => Number(part) < 256);

/** The digits with a point for the decimal sign, and nothing between the thousands; undefined if the reading does not fit. */
export function plainDigits(parts: NumberParts, reading: Reading): string | undefined {
  const { digits } = parts;
  if (/^\d+$/.test(digits)) return digits;
  const { decimal, thousands } = reading;
  if (/^\d*[.,]\d*$/.test(digits) && digits.includes(decimal) && (decimal === "." || !digits.endsWith(",")))
    return digits.replace(",", ".");
  const grouped = thousands === "" || parts.exponent !== "" ? NO_READINGS : groupedReadings(digits);
  if ((grouped.fits & (1 << READINGS.findIndex((r) => r.decimal === decimal && r.thousands === thousands))) === 0)
    return undefined;
  return decimal === "." ? digits.replace(/[^\d.]/g, "") : digits.replace(/[^\d,]/g, "").replace(",", ".");
}

const PLAIN = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * The number in a cell of a column that is read so, or NaN. A unit behind it (or money before it) must be that of
 * the column; a number without one is taken for one in it.
 */
export function numberOf(cell: string, reading: Reading & { readonly unit?: string | undefined }): number {
  if (cell.length > MAX_LENGTH) return Number.NaN;
  if (reading.decimal === ".") {
    const trimmed = cell.trim();
    if (PLAIN.test(trimmed)) return Number(trimmed);
  }
  const parts = partsOfAny(cell);
  if (!parts || (parts.unit !== "" && parts.unit !== reading.unit)) return Number.NaN;
  const digits = plainDigits(parts, reading);
  return digits === undefined ? Number.NaN : Number(parts.sign + digits + parts.exponent);
}

/** What no reading takes, but nobody takes for a word either. */
const SPECIAL = /^(?:[+-]?inf(?:inity)?|0x[\da-f]{1,16})$/i;
/** Whatever begins otherwise is no number, which most cells of text show at once. */
const START = /^[-+\d.,$€£¥i]/i;

/**
 * What a cell looks like, whatever its column is: a number in some reading (`1.5`, `-1,5`, `1.234,56`, `1e-5`, `0x1F`, `-inf`), a number
 * with a unit (`405.6 MB`, `$5`, `12 %`), or no number.
 */
export function numberKind(cell: string): "bare" | "measured" | undefined {
  if (cell.length === 0 || cell.length > MAX_LENGTH) return undefined;
  const text = cell.trim();
  if (!START.test(text)) return undefined;
  if (PLAIN.test(text) || SPECIAL.test(text)) return "bare";
  const parts = partsOf(text);
  if (!parts || readingsOf(parts).fits === 0) return undefined;
  return parts.unit === "" ? "bare" : "measured";
}

/** Of 2^53 - 1, the greatest integer that has no other beside it (`Number.MAX_SAFE_INTEGER`). */
const MAX_SAFE = "9007199254740991";

/** What a JSON number cannot say, so that a column with it is text: see `flawOf`. */
export type Flaw = "leading-zero" | "unsafe-integer" | "out-of-range";

/**
 * `00123` is a name of digits. Above 2^53 - 1 neighbouring integers become one number, and `1e400` none at all
 * (RFC 8259, section 6: only numbers of a double's range and precision are interoperable).
 */
export function flawOf(plain: string, exponent: string): Flaw | undefined {
  if (/^0\d+$/.test(plain)) return "leading-zero";
  const whole = /^0*(\d*)/.exec(plain)![1]!;
  const isUnsafe = whole.length > MAX_SAFE.length || (whole.length === MAX_SAFE.length && whole > MAX_SAFE);
  const value = Number(plain + exponent);
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(plain))) return "out-of-range";
  return exponent === "" && isUnsafe ? "unsafe-integer" : undefined;
}
