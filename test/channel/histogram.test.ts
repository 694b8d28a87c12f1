import { expect, test } from "bun:test";
import { openHistogram } from "../../src/channel/histogram.ts";

test("a value counts for each bound that it is not larger than, the last of which is +Inf", () => {
  const histogram = openHistogram([0.0025, 0.005, 1]);
  for (const value of [0.003, 0.005, 7]) histogram.observe(value);
  expect(histogram.cumulative()).toEqual([
    ["0.0025", 0],
    ["0.005", 2],
    ["1", 2],
    ["+Inf", 3],
  ]);
  expect(histogram.sum()).toBeCloseTo(7.008);
});
