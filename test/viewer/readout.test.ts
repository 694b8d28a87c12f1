// What a plot says in words of the row under the cursor, of many rows that share a pixel, and of the newest one.
import { describe, expect, test } from "bun:test";
import type { Plot, PlotSeries } from "../../src/viewer/messages.ts";
import { plotLabel, type Readout, readoutAt, seriesName } from "../../src/viewer/readout.ts";
import { pointsOf } from "../../src/viewer/series.ts";
import { zoneFor } from "../../src/viewer/zones.ts";

const UTC = zoneFor("utc", { name: "UTC", offsetMs: 0 }, () => "");
const NOON = Date.UTC(2026, 10, 24, 12);

function plotOf(xs: number[], ys: number[][], more: Partial<Plot> = {}, most = 1000): Plot {
  const [x, ...lines] = [xs, ...ys].map((values) => Float64Array.from(values));
  const asked = { from: -Infinity, to: Infinity, most, hasGaps: more.isTime ?? false };
  return {
    ...pointsOf(x!, lines, asked),
    from: -Infinity,
    x: "t",
    xUnit: undefined,
    isTime: false,
    zone: "none",
    series: ys.map((_, i): PlotSeries => ({ column: "abc"[i]!, word: undefined, unit: i === 0 ? "°C" : undefined })),
    split: undefined,
    linesLeft: 0,
    xChoices: [],
    yChoices: [],
    splitChoices: [],
    ...more,
  };
}

describe("a plot says", () => {
  const two = plotOf(
    [1, 2],
    [
      [20.5, Number.NaN],
      [1e-7, 3],
    ],
  );
  const cases: { name: string; plot: Plot; index: number | undefined; expected: Readout }[] = [
    { name: "what a row says", plot: two, index: 0, expected: { x: "1", values: ["20.5 °C", "1e-7"] } },
    { name: "that a cell says nothing", plot: two, index: 1, expected: { x: "2", values: ["–", "3"] } },
    {
      name: "the last values, of nothing",
      plot: two,
      index: undefined,
      expected: { x: "2", values: ["20.5 °C", "3"] },
    },
    { name: "the last values, behind the end", plot: two, index: 9, expected: { x: "2", values: ["20.5 °C", "3"] } },
    {
      name: "numbers whose zeros are hard to count with an exponent",
      plot: plotOf([1], [[1.504179e18], [-3.31e-6]]),
      index: 0,
      expected: { x: "1", values: ["1.504179e18 °C", "-3.31e-6"] },
    },
    {
      name: "dates without a time of day, also beside a gap",
      plot: plotOf(
        [...Array.from({ length: 9 }, (_, i) => i), 90].map((day) => day * 86_400_000),
        [Array(10).fill(1)],
        {
          isTime: true,
        },
      ),
      index: 0,
      expected: { x: "1970-01-01", values: ["1 °C"] },
    },
    {
      name: "from where to where many rows reach",
      plot: plotOf([0, 1, 2, 3], [[5, 9, 1, 7]], {}, 2),
      index: 1,
      expected: { x: "0 – 3", values: ["1 – 9 °C"] },
    },
    {
      name: "one value, where all of them have it",
      plot: plotOf([0, 1, 2, 3], [[5, 5, 5, 5]], {}, 2),
      index: 0,
      expected: { x: "0 – 3", values: ["5 °C"] },
    },
    {
      name: "a time with its ms",
      plot: plotOf([NOON + 5], [[1]], { isTime: true }),
      index: 0,
      expected: { x: "2026-11-24 12:00:00.005", values: ["1 °C"] },
    },
    {
      name: "that there are no rows in a gap",
      plot: plotOf(
        [0, 1, 2, 3, 4, 5, 6, 106].map((s) => NOON + s * 1000),
        [[1, 1, 1, 1, 1, 1, 1, 1]],
        { isTime: true },
      ),
      index: 7,
      expected: { x: "2026-11-24 12:00:56: no rows", values: ["–"] },
    },
    {
      name: "the number of a row",
      plot: plotOf([1234], [[1]], { x: undefined }),
      index: 0,
      expected: { x: "row 1,234", values: ["1 °C"] },
    },
    {
      name: "the unit of what it is over",
      plot: plotOf([3], [[1]], { xUnit: "m" }),
      index: 0,
      expected: { x: "3 m", values: ["1 °C"] },
    },
    {
      name: "nothing of no rows",
      plot: plotOf([], [[]]),
      index: undefined,
      expected: { x: "–", values: ["–"] },
    },
    {
      name: "of a line whose rows are between those of others, its last value up to here",
      plot: {
        ...plotOf([0, 1], [[1, 2]]),
        data: [
          [0, 1],
          [7, undefined],
        ],
      },
      index: 1,
      expected: { x: "1", values: ["7 °C"] },
    },
  ];
  test.each(cases)("$name", ({ plot, index, expected }) => {
    expect(readoutAt(plot, index, UTC)).toEqual(expected);
  });
});

test("a line is named by its column, by its word, or by both", () => {
  const line = { column: "temp", word: undefined, unit: undefined };
  expect(seriesName(line, true)).toBe("temp");
  expect(seriesName({ ...line, column: "" }, false)).toBe("(no name)");
  expect(seriesName({ ...line, word: "roof" }, true)).toBe("roof");
  expect(seriesName({ ...line, word: "" }, true)).toBe("(empty)");
  expect(seriesName({ ...line, word: "roof" }, false)).toBe("temp, roof");
});

test("who cannot see the plot hears what it is of", () => {
  expect(plotLabel(plotOf([], [[], [], []]))).toStartWith("Plot of a, b and c over t.");
  expect(plotLabel(plotOf([], [[]], { x: undefined }))).toStartWith("Plot of a over the row number.");
  expect(plotLabel(plotOf([], []))).toStartWith("Plot of nothing over t.");
});
