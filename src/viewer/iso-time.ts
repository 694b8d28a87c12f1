// The plainest forms of a time and of a number, read without a pattern: a column of a million is read in a fraction of the time. Pure.
import { dayNumber } from "../values/calendar.ts";

const ZERO = 0x30;
const DAY_MS = 86_400_000;
const DASH = 0x2d;
const COLON = 0x3a;
const POINT = 0x2e;
const PLUS = 0x2b;
const BLANK = 0x20;
const BIG_T = 0x54;
const BIG_Z = 0x5a;

/** `10 ** n` calls out of the loop. All of them are exact, and so is the nearest number to a quotient with one (IEEE 754). */
const POWERS = Array.from({ length: 16 }, (_, power) => 10 ** power);
/** So many digits are exact, too. */
const MAX_DIGITS = 15;

/** The number in `12`, `-3.25`, `.5` and the like; undefined if it is not of that form: then it may still be one. `point`: its code. */
export function plainNumber(text: string, point: number): number | undefined {
  const { length } = text;
  const isNegative = text.charCodeAt(0) === DASH;
  let value = 0;
  let fraction = length; // where it begins
  let at = isNegative ? 1 : 0;
  if (length > MAX_DIGITS || length === at) return undefined;
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (digit === point - ZERO && fraction === length && at < length - 1) fraction = at + 1;
    else return undefined;
  }
  value /= POWERS[length - fraction]!;
  return isNegative ? -value : value;
}

/** `count` digits at `at` as a number; NaN if they are none. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/**
 * ms since 1970 of `2026-11-24`, `2026-11-24 16:03`, `2026-11-24T16:03:20.123456+01:00` and the like; undefined if it is not of that
 * form: then it may still be a time, and is for the pattern (`values/times.ts`) to read.
 */
export function plainIsoTime(text: string): number | undefined {
  const { length } = text;
  if (length < 10 || text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined;
  const day = dayNumber(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)) * DAY_MS;
  if (Number.isNaN(day)) return undefined;
  if (length === 10) return day;
  const mark = text.charCodeAt(10);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  if ((mark !== BIG_T && mark !== BLANK) || text.charCodeAt(13) !== COLON || !(hour < 24 && minute < 60))
    return undefined;
  const second = text.charCodeAt(16) === COLON ? digits(text, 17, 2) : 0;
  if (!(second < 60)) return undefined;
  let end = text.charCodeAt(16) === COLON ? 19 : 16;
  let fraction = 0;
  if (end === 19 && text.charCodeAt(19) === POINT) {
    for (end = 20; end < length && end < 29 && text.charCodeAt(end) >= ZERO && text.charCodeAt(end) < COLON;) end++;
    if (end === 20) return undefined;
    fraction = digits(text, 20, end - 20) / POWERS[end - 20]!;
  }
  const offset = offsetAt(text, end);
  return offset === undefined
    ? undefined
    : day + ((hour * 60 + minute) * 60 + second) * 1000 + fraction * 1000 - offset;
}

/** Of nothing, `Z` or `+01:00` at the end. */
function offsetAt(text: string, at: number): number | undefined {
  const sign = text.charCodeAt(at); // NaN at the end
  if (at === text.length || (sign === BIG_Z && at + 1 === text.length)) return 0;
  const minutes = digits(text, at + 1, 2) * 60 + digits(text, at + 4, 2);
  if ((sign !== PLUS && sign !== DASH) || at + 6 !== text.length || text.charCodeAt(at + 3) !== COLON) return undefined;
  return Number.isNaN(minutes) ? undefined : (sign === DASH ? -1 : 1) * minutes * 60_000;
}
