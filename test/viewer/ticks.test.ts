// Labels of ticks: whole, short, and different from each other where the ticks are.
import { describe, expect, test } from "bun:test";
import { drawnPower, lonelyLabels, tickLabels, timesPowerOfTen } from "../../src/viewer/ticks.ts";
import { forSeeds } from "../fuzz/random.ts";

describe("ticks are labelled", () => {
  const cases: { name: string; ticks: (number | null)[]; step: number; expected: string[] }[] = [
    {
      name: "in full up to a million",
      ticks: [0, 250_000, 500_000],
      step: 250_000,
      expected: ["0", "250,000", "500,000"],
    },
    { name: "with a prefix above", ticks: [0, 500_000, 2_500_000], step: 500_000, expected: ["0", "0.5M", "2.5M"] },
    { name: "with the next prefix", ticks: [2e9, 4e9], step: 2e9, expected: ["2G", "4G"] },
    {
      name: "in full where a prefix would hide what differs",
      ticks: [1_000_000_000, 1_000_000_002],
      step: 2,
      expected: ["1,000,000,000", "1,000,000,002"],
    },
    { name: "with as many decimals as the step has", ticks: [-0.5, 0.25], step: 0.25, expected: ["-0.50", "0.25"] },
    { name: "with decimals down to thousandths", ticks: [0.002, 0.004], step: 0.002, expected: ["0.002", "0.004"] },
    { name: "with an exponent below", ticks: [0, 1e-7, 2e-7], step: 1e-7, expected: ["0", "1e-7", "2e-7"] },
    { name: "with an exponent far above", ticks: [1e300, 1.5e300], step: 5e299, expected: ["1e300", "1.5e300"] },
    { name: "without the noise of binary fractions", ticks: [0.1 + 0.2], step: 0.1, expected: ["0.3"] },
    { name: "not, where none is wanted", ticks: [1, null, 3], step: 1, expected: ["1", "", "3"] },
    { name: "not, beyond all numbers", ticks: [Infinity], step: 1, expected: [""] },
    { name: "none, of none", ticks: [], step: 0, expected: [] },
  ];
  test.each(cases)("$name", ({ ticks, step, expected }) => {
    expect(tickLabels(ticks, step)).toEqual(expected);
  });

  test("each for itself on a logarithmic axis", () => {
    expect(lonelyLabels([1e-7, null, 0.01, 1, 1000, 1e6])).toEqual(["1e-7", "", "0.01", "1", "1,000", "1M"]);
  });

  test("so that different ticks have different labels, and each says its own value", () => {
    const sizes: Record<string, number> = { "": 1, M: 1e6, G: 1e9, T: 1e12 };
    forSeeds(2_000, (random) => {
      const step = [1, 2, 2.5, 5][random.below(4)]! * 10 ** (random.below(30) - 15);
      const first = (random.below(40) - 20) * step;
      const ticks = Array.from({ length: 6 }, (_, i) => Number((first + i * step).toPrecision(12)));
      const labels = tickLabels(ticks, step);
      expect(new Set(labels).size).toBe(ticks.length);
      labels.forEach((label, i) => {
        const [, digits = "", prefix = ""] = /^(.*?)([MGT]?)$/.exec(label)!;
        expect(Math.abs(Number(digits.replaceAll(",", "")) * sizes[prefix]! - ticks[i]!)).toBeLessThan(step * 0.01);
      });
    });
  });
});

test("values of any size are drawn as numbers of a size that is", () => {
  expect([0, 1, 1e-7, 1e15, 1e300, 3e-200].map(drawnPower)).toEqual([0, 0, 0, 0, 300, -200]);
  expect(timesPowerOfTen(timesPowerOfTen(1.5e300, -300), 300)).toBe(1.5e300);
  expect(timesPowerOfTen(0.2, 300)).toBe(2e299);
  expect(timesPowerOfTen(0, 300)).toBe(0);
});
