// Times as programs and people write them -> ms since 1970. What names no zone is taken for UTC, so that nothing depends on where
// it is read. ISO 8601 and RFC 3339, RFC 9110 section 5.6.7, the common log format of Apache, syslog (RFC 3164), ctime of C and Java.
import { dayNumber, monthNumber, offsetMs, ZONE } from "./calendar.ts";

/** `epoch-…`: a number since 1970 in seconds, ms, µs, ns. */
const EPOCHS = { "epoch-s": 1000, "epoch-ms": 1, "epoch-us": 1e-3, "epoch-ns": 1e-6 } as const;
export type EpochFormat = keyof typeof EPOCHS;

/** In the order in which they are taken if several fit all the same. */
export const WRITTEN_FORMATS = [
  "iso", // 2026-03-01T12:00:00.123+01:00, 2026/03/01 12:00
  "month-first", // 03/01/2026 12:00:00, 3/1/26 1:00 PM, 03/01 12:00
  "day-first", // 01.03.2026, 1/3/26 12:00
  "clock", // 12:00:00.123, 1:00 PM, 1:00p: since midnight; 125:03:20: since something else
  "basic", // 20260301, 20260301T120000Z
  "day-named", // Sun, 01 Mar 2026 12:00:00 GMT, 1-Mar-26
  "month-named", // Mar 1, 2026, 12:00:00 PM, Mar  1 12:00:00
  "apache", // 01/Mar/2026:12:00:00 +0100
  "asctime", // Sun Mar  1 12:00:00 2026, Sun Mar 01 12:00:00 CET 2026
] as const;
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

export type TimeFormat = WrittenFormat | EpochFormat;

export const isTimeFormat = (name: string): name is TimeFormat =>
  name in EPOCHS || WRITTEN_FORMATS.some((format) => format === name);

const isEpoch = (format: TimeFormat): format is EpochFormat => format in EPOCHS;

const CLOCK = String.raw`(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,:](?<fraction>\d{1,9}))?)? *(?<half>[ap]m?)? *(?<zone>${ZONE})?`;
const THEN_CLOCK = `(?:[t ,_]+${CLOCK})?`;
/** In English and German; it is not checked. */
const WEEKDAY =
  "(?:(?:(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?|mo|di|mi|do|fr|sa|so|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend)[.,]{0,2} +)?";
const numeric = (first: string, second: string, separators: string) =>
  new RegExp(
    `^${WEEKDAY}(?<${first}>\\d{1,2})(?<by>[${separators}])(?<${second}>\\d{1,2})(?:\\k<by>(?<year>\\d{4}|\\d{2}))?${THEN_CLOCK}$`,
    "i",
  );

const PATTERNS: Record<WrittenFormat, RegExp> = {
  iso: new RegExp(`^(?<year>\\d{4})[-/.](?<month>\\d{1,2})[-/.](?<day>\\d{1,2})${THEN_CLOCK}$`, "i"),
  basic: new RegExp(
    `^(?<year>1[89]\\d\\d|2[01]\\d\\d)(?<month>\\d{2})(?<day>\\d{2})(?:[t _-]?(?<hour>\\d{2}):?(?<minute>\\d{2})(?::?(?<second>\\d{2})(?:[.,](?<fraction>\\d{1,9}))?)? *(?<zone>${ZONE})?)?$`,
    "i",
  ),
  "day-first": numeric("day", "month", "-/."),
  "month-first": numeric("month", "day", "-/"),
  "day-named": new RegExp(
    `^${WEEKDAY}(?<day>\\d{1,2})[-. ]{1,2}(?<name>[a-zä]{3,9}\\.?)[- ,]+(?<year>\\d{4}|\\d{2})${THEN_CLOCK}$`,
    "i",
  ),
  "month-named": new RegExp(
    `^${WEEKDAY}(?<name>[a-zä]{3,9}\\.?)[- ]+(?<day>\\d{1,2})(?:,? (?<year>\\d{4}))?${THEN_CLOCK}$`,
    "i",
  ),
  apache: new RegExp(`^\\[?(?<day>\\d{1,2})/(?<name>[a-z]{3})/(?<year>\\d{4}):${CLOCK}\\]?$`, "i"),
  asctime: new RegExp(
    `^\\[?[a-z]{3} (?<name>[a-z]{3}) +(?<day>\\d{1,2}) ${CLOCK.replace(ZONE, "[a-z]{1,5}|(?:gmt|utc)?[+-]\\d{2}:?\\d{2}")} (?<year>\\d{4})\\]?$`,
    "i",
  ),
  clock: new RegExp(`^${CLOCK.replace("{1,2}", "{1,4}")}$`, "i"),
};

/** Shorter and longer cells are no times: every pattern here is done with such a one at once. */
const MIN_LENGTH = 4;
const MAX_LENGTH = 48;

/** What a cell says in one format: `hasClock` tells a time from a date. */
export type WrittenTime = { readonly ms: number; readonly hasClock: boolean };

/** The time that is written in this format; undefined if none is, or one that does not exist, such as 30 February. */
export function writtenTime(cell: string, format: WrittenFormat): WrittenTime | undefined {
  const text = cell.trim();
  if (text.length < MIN_LENGTH || text.length > MAX_LENGTH) return undefined;
  const fields = PATTERNS[format].exec(text)?.groups;
  if (!fields) return undefined;
  const { year, month, name, day, hour, minute, second, fraction, half, zone } = fields;
  if (format !== "clock" && year === undefined && hour === undefined) return undefined;
  const days = format === "clock" ? 0 : dayNumber(yearOf(year), name ? monthNumber(name) : Number(month), Number(day));
  const isElapsed = format === "clock" && second !== undefined && half === undefined;
  const ms = hour === undefined ? 0 : msOfDay(Number(hour), Number(minute), Number(second ?? 0), half, isElapsed);
  const time = days * 86_400_000 + ms + Number(`0.${fraction ?? "0"}`) * 1000 - offsetMs(zone);
  return Number.isNaN(time) ? undefined : { ms: time, hasClock: hour !== undefined };
}

/**
 * Two digits as POSIX does (strptime, `%y`). A log without years is in 1972, the first leap year since 1970: its days exist, and
 * are in order as long as it does not go over New Year.
 */
function yearOf(year: string | undefined): number {
  if (year === undefined) return 1972;
  return year.length === 2 ? Number(year) + (Number(year) < 69 ? 2000 : 1900) : Number(year);
}

/** NaN if the clock does not go there; 24:00:00 is midnight and second 60 a leap second (ISO 8601). */
function msOfDay(hour: number, minute: number, second: number, half: string | undefined, isElapsed: boolean): number {
  if (half !== undefined && (hour < 1 || hour > 12)) return Number.NaN;
  const hours = half === undefined ? hour : (hour % 12) + (/p/i.test(half) ? 12 : 0);
  const isMidnight = hours === 24 && minute === 0 && second === 0;
  if ((hours > 23 && !isMidnight && !isElapsed) || minute > 59 || second > 60) return Number.NaN;
  return ((hours * 60 + minute) * 60 + second) * 1000;
}

/**
 * Whether a cell is a date, a time of day, or both, in some format. Digits alone are a number, whatever else they may mean. A day
 * that there is not is a date all the same where its form leaves no doubt: MySQL writes `0000-00-00`.
 */
export function isTime(cell: string): boolean {
  const text = cell.trim();
  if (text.length < MIN_LENGTH || text.length > MAX_LENGTH || !/\d/.test(text) || /^\d+$/.test(text)) return false;
  return PATTERNS.iso.test(text) || WRITTEN_FORMATS.some((format) => writtenTime(text, format) !== undefined);
}

/** A time in any format, the first that fits, in ms since 1970; NaN if there is none: for what a person types. */
export function typedTime(text: string): number {
  for (const format of WRITTEN_FORMATS) {
    const time = writtenTime(text, format);
    if (time) return time.ms;
  }
  return Number.NaN;
}

const NUMBER = /^\d{1,20}(?:\.\d{0,20})?$/;

/**
 * The time in a cell of a column of this format, in ms since 1970 (of a time of day: since midnight), or NaN. What names no
 * offset is UTC. ISO 8601 is understood in a column of any format but `clock`.
 */
export function timeOf(cell: string, { format }: { readonly format: TimeFormat }): number {
  if (isEpoch(format)) {
    const text = cell.trim();
    if (NUMBER.test(text)) return Number(text) * EPOCHS[format];
  } else {
    const time = writtenTime(cell, format);
    if (time || format === "clock" || format === "iso") return time?.ms ?? Number.NaN;
  }
  return writtenTime(cell, "iso")?.ms ?? Number.NaN;
}

/** The format of numbers that may all be times since 1970, from 2001 to 2096 so that no unit is taken for another. */
export function epochFormat(low: number, high: number): EpochFormat | undefined {
  const formats: readonly EpochFormat[] = ["epoch-s", "epoch-ms", "epoch-us", "epoch-ns"];
  return formats.find((format) => low * EPOCHS[format] >= 1e12 && high * EPOCHS[format] < 4e12);
}
