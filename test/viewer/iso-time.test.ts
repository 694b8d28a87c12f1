// The plain forms of a time and of a number are read as the patterns for all forms read them.
import { describe, expect, test } from "bun:test";
import { numberOf } from "../../src/values/numbers.ts";
import { timeOf } from "../../src/values/times.ts";
import { plainIsoTime, plainNumber } from "../../src/viewer/iso-time.ts";
import { forSeeds } from "../fuzz/random.ts";

describe("a time is read at once as what the pattern reads", () => {
  test.each([
    "2026-11-24",
    "2026-11-24 16:03",
    "2026-11-24T16:03:20",
    "2026-11-24T16:03:20Z",
    "2026-11-24 16:03:20.1",
    "2026-11-24 16:03:20.123456789",
    "2026-11-24T16:03:20.123+01:00",
    "2026-11-24T16:03-05:30",
    "1969-12-31T23:59:59.5Z",
    "2024-02-29",
  ])("%s", (text) => {
    expect(plainIsoTime(text)).toBe(timeOf(text, { format: "iso" }));
  });
});

test.each([
  "2026-02-29",
  "2026-13-01",
  "2026-1-1",
  "2026/11/24",
  "24.11.2026",
  "2026-11-24 24:00:00",
  "2026-11-24 16:03:60",
  "2026-11-24 16",
  "2026-11-24 16:3",
  "2026-11-24 16:03:20.",
  "2026-11-24 16:03:20.1234567890",
  "2026-11-24 16:03:20,5",
  "2026-11-24 4:03 PM",
  "2026-11-24 16:03:20 CET",
  "2026-11-24 16:03:20+01",
  " 2026-11-24",
  "",
  "x",
])("%j is left to the pattern", (text) => {
  expect(plainIsoTime(text)).toBeUndefined();
});

test("whatever is read at once is what the pattern reads", () => {
  const pick = "2026-11-24T16:03:20.123+01:00 Z".split("");
  forSeeds(3_000, (random) => {
    const text = "2026-11-24T16:03:20.123+01:00".split("");
    for (let i = random.below(3); i > 0; i--) text[random.below(text.length)] = random.pick([...pick, ""]);
    const cell = text.join("").slice(0, 10 + random.below(22));
    const time = plainIsoTime(cell);
    if (time !== undefined) expect([cell, time]).toEqual([cell, timeOf(cell, { format: "iso" })]);
  });
});

describe.each([".", ","] as const)("a number with the decimal sign %s", (decimal) => {
  const point = decimal.charCodeAt(0);
  const read = (cell: string) => numberOf(cell, { decimal, thousands: "" });

  test("is read at once as what the pattern reads, to the last bit", () => {
    forSeeds(20_000, (random) => {
      const digits = String(random.below(2 ** 31)) + String(random.below(2 ** 20));
      const length = 1 + random.below(15);
      const at = random.below(length + 1);
      const cell = `${random.pick(["", "-"])}${digits.slice(0, at)}${random.pick(["", decimal])}${digits.slice(at, length)}`;
      const value = plainNumber(cell, point);
      if (value !== undefined) expect([cell, value]).toEqual([cell, read(cell)]);
    });
    for (const cell of ["0", "-0.1", "0.30", "123456789.12345", ".5", "007"]) {
      const written = cell.replace(".", decimal);
      expect(plainNumber(written, point)).toBe(read(written));
    }
  });

  test.each(["", "-", decimal, `5${decimal}`, "+5", "1e5", " 5", "5 %", "1.2,3", "0x1F", "1234567890123456", "nan"])(
    "%j is left to the pattern",
    (cell) => expect(plainNumber(cell, point)).toBeUndefined(),
  );
});
