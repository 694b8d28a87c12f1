// Every form of time that logs have, in ms since 1970, and what only looks like one.
import { describe, expect, test } from "bun:test";
import { epochFormat, type TimeFormat, timeOf, WRITTEN_FORMATS, writtenTime } from "../../src/values/times.ts";
import { dayNumber } from "../../src/values/calendar.ts";
import { forSeeds } from "../fuzz/random.ts";

const cases: { format: TimeFormat; input: string; expected: string }[] = [
  { format: "iso", input: "2026-01-31", expected: "2026-01-31T00:00:00Z" },
  { format: "iso", input: "2026/1/5", expected: "2026-01-05T00:00:00Z" },
  { format: "iso", input: "2026.01.31 09:05", expected: "2026-01-31T09:05:00Z" },
  { format: "iso", input: "2026-01-31T12:30:15Z", expected: "2026-01-31T12:30:15Z" },
  { format: "iso", input: "2026-01-31t12:30z", expected: "2026-01-31T12:30:00Z" },
  { format: "iso", input: "2026-01-31 12:30:15,5", expected: "2026-01-31T12:30:15.500Z" },
  { format: "iso", input: "2026-01-31 12:30:15:250", expected: "2026-01-31T12:30:15.250Z" },
  { format: "iso", input: "2026-01-31T12:30:15+02:00", expected: "2026-01-31T10:30:15Z" },
  { format: "iso", input: "2026-01-31T12:30:15-0530", expected: "2026-01-31T18:00:15Z" },
  { format: "iso", input: "2026-01-31 12:30:15.5+02", expected: "2026-01-31T10:30:15.500Z" },
  { format: "iso", input: "2026-01-31 12:30:15 UTC", expected: "2026-01-31T12:30:15Z" },
  { format: "iso", input: "2026-07-31 12:30:15 CEST", expected: "2026-07-31T10:30:15Z" },
  { format: "iso", input: "2026-01-31_12:30", expected: "2026-01-31T12:30:00Z" },
  { format: "iso", input: "2026-01-31, 1:05 PM", expected: "2026-01-31T13:05:00Z" },
  { format: "iso", input: "2026-01-31 12:05 am", expected: "2026-01-31T00:05:00Z" },
  { format: "iso", input: "2026-01-31 24:00", expected: "2026-02-01T00:00:00Z" },
  { format: "iso", input: "2016-12-31 23:59:60Z", expected: "2017-01-01T00:00:00Z" },
  { format: "iso", input: "0001-01-01 00:00:00", expected: "0001-01-01T00:00:00Z" },
  { format: "iso", input: "1969-12-31T23:59:59Z", expected: "1969-12-31T23:59:59Z" },
  { format: "basic", input: "20260131", expected: "2026-01-31T00:00:00Z" },
  { format: "basic", input: "20260131T123015Z", expected: "2026-01-31T12:30:15Z" },
  { format: "basic", input: "20260131 12:30:15", expected: "2026-01-31T12:30:15Z" },
  { format: "basic", input: "20260131_1230", expected: "2026-01-31T12:30:00Z" },
  { format: "basic", input: "20260131123015", expected: "2026-01-31T12:30:15Z" },
  { format: "day-first", input: "31.01.2026", expected: "2026-01-31T00:00:00Z" },
  { format: "day-first", input: "1.3.26 08:00", expected: "2026-03-01T08:00:00Z" },
  { format: "day-first", input: "03/04/2026", expected: "2026-04-03T00:00:00Z" },
  { format: "day-first", input: "31.12.99", expected: "1999-12-31T00:00:00Z" },
  { format: "month-first", input: "03/04/2026", expected: "2026-03-04T00:00:00Z" },
  { format: "month-first", input: "03/01/26 01:00:00 AM", expected: "2026-03-01T01:00:00Z" },
  { format: "month-first", input: " 01/01  01:00:00", expected: "1972-01-01T01:00:00Z" },
  { format: "month-first", input: "02/29 24:00:00", expected: "1972-03-01T00:00:00Z" },
  { format: "day-named", input: "Sun, 06 Nov 1994 08:49:37 GMT", expected: "1994-11-06T08:49:37Z" },
  { format: "day-named", input: "Sunday, 06-Nov-94 08:49:37 GMT", expected: "1994-11-06T08:49:37Z" },
  { format: "day-named", input: "Sat, 31 Jan 2026 12:30:15 +0200", expected: "2026-01-31T10:30:15Z" },
  { format: "day-named", input: "1 Sept 2026", expected: "2026-09-01T00:00:00Z" },
  { format: "month-named", input: "Mar 1, 2026, 12:00:00 PM", expected: "2026-03-01T12:00:00Z" },
  { format: "month-named", input: "January 31, 2026", expected: "2026-01-31T00:00:00Z" },
  { format: "month-named", input: "Mar  1 12:00:00", expected: "1972-03-01T12:00:00Z" },
  { format: "month-named", input: "Sun, Mar 1, 2026 4:05pm", expected: "2026-03-01T16:05:00Z" },
  { format: "apache", input: "01/Mar/2026:12:00:00 +0100", expected: "2026-03-01T11:00:00Z" },
  { format: "apache", input: "[01/Mar/2026:12:00:00 -0800]", expected: "2026-03-01T20:00:00Z" },
  { format: "asctime", input: "Sun Nov  6 08:49:37 1994", expected: "1994-11-06T08:49:37Z" },
  { format: "asctime", input: "Sun Mar 01 12:00:00 CET 2026", expected: "2026-03-01T11:00:00Z" },
  { format: "asctime", input: "Sun Mar 01 12:00:00 XYZ 2026", expected: "2026-03-01T12:00:00Z" },
  { format: "asctime", input: "[Sun Mar 01 12:00:00.5 2026]", expected: "2026-03-01T12:00:00.500Z" },
  { format: "clock", input: "12:30", expected: "1970-01-01T12:30:00Z" },
  { format: "clock", input: "9:05:07", expected: "1970-01-01T09:05:07Z" },
  { format: "clock", input: "12:00:00:123", expected: "1970-01-01T12:00:00.123Z" },
  { format: "clock", input: "125:03:20.5", expected: "1970-01-06T05:03:20.500Z" }, // elapsed
  { format: "day-first", input: "Mo 02.03.2026 12:00", expected: "2026-03-02T12:00:00Z" },
  { format: "month-first", input: "Mon 03/02/2026", expected: "2026-03-02T00:00:00Z" },
  { format: "day-named", input: "1. März 2026", expected: "2026-03-01T00:00:00Z" },
  { format: "day-named", input: "01-Okt-26 12:00", expected: "2026-10-01T12:00:00Z" },
  { format: "clock", input: "11:30 pm", expected: "1970-01-01T23:30:00Z" },
  { format: "epoch-s", input: "1772366400.5", expected: "2026-03-01T12:00:00.500Z" },
  { format: "epoch-ms", input: "1772366400000", expected: "2026-03-01T12:00:00Z" },
  { format: "epoch-us", input: "1772366400000000", expected: "2026-03-01T12:00:00Z" },
  { format: "epoch-ns", input: "1772366400000000000", expected: "2026-03-01T12:00:00Z" },
  { format: "day-first", input: "2026-03-01", expected: "2026-03-01T00:00:00Z" }, // ISO 8601 is understood anywhere
  { format: "epoch-s", input: "2026-03-01", expected: "2026-03-01T00:00:00Z" },
];

describe("a time", () => {
  test.each(cases)("$format: $input", ({ format, input, expected }) => {
    expect(timeOf(input, { format })).toBe(Date.parse(expected));
    expect(timeOf(` ${input} `, { format })).toBe(Date.parse(expected));
  });
});

const wrong = [
  ..."2026-02-30|2025-02-29|2026-13-01|2026-00-10|2026-01-00|2026-01-31 25:00|2026-01-31 12:60|2026-01-31 12:00:61".split(
    "|",
  ),
  ..."2026-01-31 24:01|2026-01-31 99:00 am|31.02.2026|32/01/2026|31 Foo 2026|31 Marble 2026|Mayor 5, 2026|1/2-2026".split(
    "|",
  ),
  ..."1/2/026|12:3|2026|2026-01||now|2026-01-31T12:00:00+2|2026-01-31 and more|01/02|Mar 1|10.0.0.1|1.5|12345678".split(
    "|",
  ),
  ..."00:17:99|25:00|20261301|20260230|99999999|Sun Mar 32 12:00:00 2026|01/Foo/2026:12:00:00 +0100|5 apples".split(
    "|",
  ),
  "1".repeat(100),
  `${" ".repeat(25_000)}x`,
  "12:".repeat(10_000),
];

test.each(wrong)("that is none: %s", (input) => {
  expect(WRITTEN_FORMATS.filter((format) => writtenTime(input, format))).toEqual([]);
});

test("days are those of the Gregorian calendar", () => {
  forSeeds(2_000, (random) => {
    const day = random.below(4_000_000) - 719_162; // from the year 1 on
    const date = new Date(day * 86_400_000);
    expect(dayNumber(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())).toBe(day);
  });
});

test("dates and times of day are told apart", () => {
  expect(writtenTime("2026-03-01", "iso")?.hasClock).toBe(false);
  expect(writtenTime("2026-03-01 12:00", "iso")?.hasClock).toBe(true);
});

describe("numbers may be times since 1970", () => {
  const ranges: { name: string; input: [low: number, high: number]; expected: string | undefined }[] = [
    { name: "in seconds", input: [1_700_000_000, 1_800_000_000], expected: "epoch-s" },
    { name: "in ms", input: [1.7e12, 1.8e12], expected: "epoch-ms" },
    { name: "in µs", input: [1.7e15, 1.8e15], expected: "epoch-us" },
    { name: "in ns", input: [1.7e18, 1.8e18], expected: "epoch-ns" },
    { name: "from 2001 on", input: [1e9, 1e9], expected: "epoch-s" },
    { name: "from 2001 on, in ns", input: [1e18, 1e18], expected: "epoch-ns" },
    { name: "not if one is small", input: [0, 1_700_000_000], expected: undefined },
    { name: "not if they are seconds and ms", input: [1.7e9, 1.7e12], expected: undefined },
    { name: "not after 2096", input: [3.9e9, 4e9], expected: undefined },
    { name: "not below zero", input: [-1.7e12, -1.6e12], expected: undefined },
  ];
  test.each(ranges)("$name", ({ input: [low, high], expected }) => {
    expect(epochFormat(low, high)).toBe(expected as "epoch-s");
  });
});
