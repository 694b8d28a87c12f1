// In which zone times are, and times as text.
import { describe, expect, test } from "bun:test";
import { type FileZone, spanText, timeText, type ZoneChoice, zoneFor, zoneIn } from "../../src/viewer/zones.ts";

describe("the zone of a cell is", () => {
  const cases: { cell: string; expected: FileZone | undefined }[] = [
    { cell: "2026-11-24T09:00:00Z", expected: { name: "UTC", offsetMs: 0 } },
    { cell: "2026-11-24 09:00:00.123+01:00", expected: { name: "+01:00", offsetMs: 3_600_000 } },
    { cell: "[24/Nov/2026:09:00:00 -0530]", expected: { name: "-0530", offsetMs: -19_800_000 } },
    { cell: "Sun Mar 01 12:00:00 CET 2026", expected: { name: "CET", offsetMs: 3_600_000 } },
    { cell: "Sun, 01 Mar 2026 12:00:00 GMT", expected: { name: "UTC", offsetMs: 0 } },
    { cell: "2026-11-24 09:00:00", expected: undefined },
    { cell: "2026-11-24", expected: undefined },
    { cell: "", expected: undefined },
    { cell: `12:00 ${"x".repeat(100)}`, expected: undefined },
  ];
  test.each(cases)("$cell: $expected", ({ cell, expected }) => {
    expect(zoneIn(cell)).toEqual(expected);
  });
});

describe("a time is shown", () => {
  const NOON = Date.UTC(2026, 10, 24, 12);
  const BERLIN: FileZone = { name: "+01:00", offsetMs: 3_600_000 };
  const cases: { name: string; choice: ZoneChoice; file: FileZone; text: string; label: string }[] = [
    { name: "as the file has it", choice: "file", file: BERLIN, text: "2026-11-24 13:00:00", label: "+01:00" },
    { name: "in UTC", choice: "utc", file: BERLIN, text: "2026-11-24 12:00:00", label: "UTC" },
    {
      name: "as it is written, without a zone",
      choice: "file",
      file: "none",
      text: "2026-11-24 12:00:00",
      label: "as in the file, which names no zone",
    },
    {
      name: "said to be taken for UTC",
      choice: "utc",
      file: "none",
      text: "2026-11-24 12:00:00",
      label: "taken for UTC",
    },
    {
      name: "of day, whatever is chosen",
      choice: "utc",
      file: "of day",
      text: "2026-11-24 12:00:00",
      label: "time of day",
    },
  ];
  test.each(cases)("$name", ({ choice, file, text, label }) => {
    const zone = zoneFor(choice, file, () => "here");
    expect([timeText(NOON, zone), zone.label]).toEqual([text, label]);
  });

  test("as on this machine", () => {
    const zone = zoneFor("local", "none", () => "here");
    expect([zone.label, zone.offsetAt(NOON)]).toEqual(["here", -new Date(NOON).getTimezoneOffset() * 60_000]);
  });

  const utc = zoneFor("utc", "none", () => "");
  test("with its ms, if it has some", () => {
    expect(timeText(NOON + 7, utc)).toBe("2026-11-24 12:00:00.007");
  });

  test("of day without a day, also beyond one", () => {
    expect([timeText(43_200_500, utc, true), timeText(450_200_000, utc, true)]).toEqual(["12:00:00.500", "125:03:20"]);
  });

  test("as a dash, if there is none", () => {
    expect(timeText(Number.NaN, utc)).toBe("–");
  });

  test("to another, with the day once", () => {
    expect(spanText("2026-11-24 12:00:00", "2026-11-24 12:00:05")).toBe("2026-11-24 12:00:00 – 12:00:05");
    expect(spanText("2026-11-24 23:00:00", "2026-11-25 01:00:00")).toBe("2026-11-24 23:00:00 – 2026-11-25 01:00:00");
    expect(spanText("a", "a")).toBe("a");
  });
});
