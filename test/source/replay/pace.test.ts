// When the rows of a replay are due, and by which column: cells in, milliseconds out.
import { describe, expect, test } from "bun:test";
import { openColumns } from "../../../src/csv/columns.ts";
import { rowClock } from "../../../src/source/replay/clock.ts";
import { openPace } from "../../../src/source/replay/pace.ts";
import { parseSpeed, replayFault, speedText } from "../../../src/source/replay/speed.ts";

describe("by its times", () => {
  const cases: { name: string; times: (number | string)[]; expected: number[]; oddities?: string[] }[] = [
    { name: "as written, ten times as fast", times: [1000, 2000, 2000, 5000], expected: [0, 100, 100, 400] },
    {
      name: "one that is before the others comes with the row in front",
      times: [1000, 2000, 10, 3000],
      expected: [0, 100, 100, 200],
      oddities: ["1 time before the one in front: such a row comes with that one"],
    },
    {
      name: "that begin anew count from there",
      times: [1000, 2000, 0, 1000, 2000, 0, 500],
      expected: [0, 100, 100, 200, 300, 300, 350],
      oddities: ["2 times before the one in front: such a row comes with that one"],
    },
    {
      name: "that go back step by step come at once, until they go on",
      times: [1000, 900, 800, 850, 900],
      expected: [0, 0, 0, 5, 10],
      oddities: ["2 times before the one in front: such a row comes with that one"],
    },
    {
      name: "a row without one comes with the row in front",
      times: ["", 1000, "n/a", 2000],
      expected: [0, 0, 0, 100],
      oddities: ["2 rows without a time: such a row comes with the one in front"],
    },
    { name: "a century between two is a long wait", times: [0, 3.2e12], expected: [0, 3.2e11] },
  ];
  test.each(cases)("$name", ({ times, expected, oddities = [] }) => {
    const pace = openPace({ times: 10 }, ([cell]) => (cell === "" ? Number.NaN : Number(cell)));
    expect(times.map((time) => pace.next(() => [String(time)]))).toEqual(expected);
    expect(pace.oddities()).toEqual(oddities);
  });
});

test("by rows, whatever is in them", () => {
  const pace = openPace({ rowsPerSecond: 4 }, () => 1);
  expect([0, 0, 0].map(() => pace.next(() => []))).toEqual([0, 250, 500]);
});

describe("the column", () => {
  const NAMES = ["id", "day", "time", "t [ms]", "elapsed", "word", "stamp"];
  const ROWS = [
    ["1", "2026-03-01", "12:00:00", "500", "0.5", "a", "2026-03-01T12:00:00Z"],
    ["2", "2026-03-01", "12:00:01.5", "1500", "1.5", "b", "2026-03-01T12:00:01Z"],
  ];
  const verdicts = (names: string[], rows: string[][]) => {
    const columns = openColumns(names);
    columns.refine(rows);
    return columns.verdicts();
  };
  const cases: { by: string | undefined; expected: number }[] = [
    { by: undefined, expected: 1_500 },
    { by: "stamp", expected: 1_000 },
    { by: "t [ms]", expected: 1_000 },
    { by: "elapsed", expected: 1_000 },
    { by: "time", expected: 1_500 },
  ];
  test.each(cases)("$by: from the first row to the second $expected ms", ({ by, expected }) => {
    const clock = rowClock(NAMES, verdicts(NAMES, ROWS), by);
    expect(clock(ROWS[1]!) - clock(ROWS[0]!)).toBe(expected);
  });

  const faults: { by: string | undefined; names: string[]; expected: string }[] = [
    {
      by: undefined,
      names: ["id", "elapsed"],
      expected:
        "has no column of times to be replayed by: --replay-by COLUMN names one of numbers, --replay 100/s goes by rows",
    },
    { by: "when", names: ["id", "elapsed"], expected: "--replay-by when: no such column; there are id, elapsed" },
    {
      by: "word",
      names: ["id", "word"],
      expected: "--replay-by word: is a column of text; name one of times or numbers, or play by rows: --replay 100/s",
    },
  ];
  test.each(faults)("$by of $names is none", ({ by, names, expected }) => {
    const rows = ROWS.map((row) => names.map((name) => row[NAMES.indexOf(name)]!));
    expect(() => rowClock(names, verdicts(names, rows), by)).toThrow(expected);
  });
});

describe("a speed", () => {
  const cases: { text: string; expected: string | undefined }[] = [
    { text: "10x", expected: "10x" },
    { text: " 0.5x ", expected: "0.5x" },
    { text: "100/s", expected: "100/s" },
    { text: "0x", expected: undefined },
    { text: "-1x", expected: undefined },
    { text: "10", expected: undefined },
    { text: "x", expected: undefined },
    { text: "1e3x", expected: undefined },
    { text: "9999999999x", expected: undefined },
  ];
  test.each(cases)("'$text' is $expected", ({ text, expected }) => {
    const speed = parseSpeed(text);
    expect(speed && speedText(speed)).toBe(expected);
  });

  const faults: { options: Parameters<typeof replayFault>[0]; location?: string; expected: string | undefined }[] = [
    { options: {}, location: "-", expected: undefined },
    { options: { replay: { times: 10 }, replayBy: "t", loops: true }, location: "a.csv", expected: undefined },
    { options: { replay: { times: 10 } }, expected: undefined },
    { options: { loops: true }, expected: "--loop: needs --replay, such as --replay 10x" },
    { options: { replayBy: "t" }, expected: "--replay-by t: needs --replay, such as --replay 10x" },
    {
      options: { replay: { rowsPerSecond: 5 }, replayBy: "t" },
      expected: "--replay-by t: --replay 5/s goes by rows; --replay 10x goes by times",
    },
    {
      options: { replay: { times: 10 } },
      location: "-",
      expected: "--replay 10x: plays a file that is finished, and FILE is standard input",
    },
    {
      options: { replay: { times: 10 } },
      location: "https://h/a.csv",
      expected: "--replay 10x: plays a file that is finished, and FILE is no file",
    },
    { options: { replay: { times: 0 } }, expected: "--replay 0x: a speed is over 0, and at most 1000000000" },
  ];
  test.each(faults)("$options with $location: $expected", ({ options, location, expected }) => {
    expect(replayFault(options, location)).toBe(expected);
  });
});
