// How much of the table is drawn, and which part of that.
import { describe, expect, test } from "bun:test";
import { ALL_ROWS, moved, pinched, type Window, windowOf, windowText, zoomed } from "../../src/viewer/plot-view.ts";
import { openPlaces } from "../../src/viewer/colours.ts";

const rows = (last: number): Window => ({ last, lastMs: undefined });
const time = (lastMs: number): Window => ({ last: Infinity, lastMs });

describe("how much is drawn is written as", () => {
  test.each([
    { text: "500rows", window: rows(500) },
    { text: "5min", window: time(300_000) },
    { text: "1h", window: time(3_600_000) },
    { text: "90s", window: time(90_000) },
    { text: "2d", window: time(172_800_000) },
    { text: "1500ms", window: time(1_500) },
  ])("$text", ({ text, window }) => {
    expect([windowOf(text), windowText(window)]).toEqual([window, text]);
  });

  test("all", () => {
    expect([windowOf("all"), windowText(ALL_ROWS)]).toEqual([undefined, "all"]);
  });

  test.each([
    { text: "500", window: rows(500) },
    { text: " 1 row ", window: rows(1) },
    { text: "90 min", window: time(5_400_000) },
    { text: "1.5h", window: time(5_400_000) },
    { text: "2 W", window: time(1_209_600_000) },
  ])("and may be typed as $text", ({ text, window }) => {
    expect(windowOf(text)).toEqual(window);
  });

  test.each(["", "0", "0 s", "-5 min", "5 lightyears", "abc", "1e9"])("and not as %j", (text) => {
    expect(windowOf(text)).toBeUndefined();
  });
});

test("a range gets nearer, and moves", () => {
  expect(zoomed({ min: 0, max: 10 }, 0.5)).toEqual({ min: 2.5, max: 7.5 });
  expect(zoomed({ min: 0, max: 10 }, 2)).toEqual({ min: -5, max: 15 });
  expect(zoomed({ min: 0, max: 10 }, 0.5, 0)).toEqual({ min: 0, max: 5 });
  expect(moved({ min: 0, max: 10 }, 0.2)).toEqual({ min: 2, max: 12 });
});

test("what is under each of two fingers stays there", () => {
  const before = { from: 0.25, to: 0.75 };
  expect(pinched({ min: 0, max: 100 }, before, { from: 0, to: 1 })).toEqual({ min: 25, max: 75 });
  expect(pinched({ min: 0, max: 100 }, before, before)).toEqual({ min: 0, max: 100 });
  const { min, max } = pinched({ min: 0, max: 100 }, before, { from: 0.4, to: 0.6 });
  expect([min + (max - min) * 0.4, min + (max - min) * 0.6].map(Math.round)).toEqual([25, 75]);
});

test("a line keeps its colour as long as it is drawn, whatever comes and goes", () => {
  const places = openPlaces(3);
  expect(places(["a", "b"])).toEqual([0, 1]);
  expect(places(["b"])).toEqual([1]);
  expect(places(["c", "b"])).toEqual([0, 1]);
  expect(places(["b", "a", "c"])).toEqual([1, 2, 0]);
  expect(new Set(places(["b", "a", "c", "d"])).size).toBe(3);
});
