// Where the columns are: a text is as wide here as it has letters, by ten.
import { describe, expect, test } from "bun:test";
import { type Layout, MAX_WIDTH, MIN_WIDTH, openLayout } from "../../src/viewer/layout.ts";
import type { ColumnFacts } from "../../src/viewer/messages.ts";
import { forSeeds } from "../fuzz/random.ts";

const factsOf = (...names: string[]): ColumnFacts[] => names.map((name) => ({ name, type: "text", longest: "" }));
const widths = (layout: Layout) => layout.columns.map(({ width }) => width);
const shownNames = (layout: Layout) => layout.shown().map(({ name }) => name);

function opened(...names: string[]): Layout {
  const layout = openLayout((text, bold) => text.length * (bold ? 12 : 10));
  layout.take(factsOf(...names));
  return layout;
}

describe("a column is as wide as", () => {
  const cases: { name: string; input: ColumnFacts; expected: number }[] = [
    { name: "its longest cell", input: { name: "a", type: "text", longest: "x".repeat(20) }, expected: 218 },
    {
      name: "its name, with room for the arrow",
      input: { name: "a".repeat(10), type: "text", longest: "x" },
      expected: 164,
    },
    { name: "it must be, to be seen", input: { name: "", type: "number", longest: "" }, expected: MIN_WIDTH },
    {
      name: "there is room beside others",
      input: { name: "a", type: "text", longest: "x".repeat(400) },
      expected: 340,
    },
  ];
  test.each(cases)("$name", ({ input, expected }) => {
    const layout = opened();
    layout.take([input]);
    expect(widths(layout)).toEqual([expected]);
  });

  test("somebody has dragged it, within bounds, until it is fitted again", () => {
    const layout = opened("a", "b");
    const before = widths(layout);
    for (const [width, expected] of [
      [100.4, 100],
      [0, MIN_WIDTH],
      [-5, MIN_WIDTH],
      [9_999, MAX_WIDTH],
    ] as const) {
      layout.setWidth(1, width);
      expect(widths(layout)).toEqual([before[0]!, expected]);
    }
    layout.fit(1);
    expect(widths(layout)).toEqual(before);
    layout.take(factsOf("a", "b"));
    expect(widths(layout)).toEqual(before);
  });

  test("nothing, if there is no such column", () => {
    const layout = opened("a");
    layout.setWidth(7, 100);
    layout.fit(7);
    layout.setHidden(7, true);
    expect([widths(layout), shownNames(layout)]).toEqual([[56], ["a"]]);
  });
});

describe("columns that are hidden", () => {
  test("leave their place to the next", () => {
    const layout = opened("a", "b", "c");
    layout.setWidth(0, 100);
    layout.setWidth(2, 300);
    layout.setHidden(1, true);
    expect(shownNames(layout)).toEqual(["a", "c"]);
    expect([0, 1, 2, 3, -1].map((place) => layout.left(place))).toEqual([0, 100, 400, 400, 0]);
    expect([0, 1, 2, 3].map((column) => layout.placeOf(column))).toEqual([0, 1, 1, 1]);
    layout.setHidden(1, false);
    expect(shownNames(layout)).toEqual(["a", "b", "c"]);
  });

  test("are never all", () => {
    const layout = opened("a", "b");
    layout.setHidden(0, true);
    layout.setHidden(1, true);
    expect(shownNames(layout)).toEqual(["b"]);
  });

  test("are never all of another table either", () => {
    const layout = opened("a", "b");
    layout.setHidden(0, true);
    layout.take(factsOf("a"));
    expect(shownNames(layout)).toEqual(["a"]);
    layout.take(factsOf("a", "b"));
    expect(shownNames(layout)).toEqual(["b"]);
  });
});

test("columns of another table are as wide, and hidden, as those of their name were", () => {
  const layout = opened("a", "b", "c");
  layout.setWidth(1, 222);
  layout.setHidden(2, true);
  layout.take(factsOf("c", "new", "b"));
  expect([shownNames(layout), widths(layout)[2]]).toEqual([["new", "b"], 222]);
  expect(layout.shown().map(({ index }) => index)).toEqual([1, 2]);
});

describe("of columns of 100 px are in view", () => {
  const cases: { name: string; input: [left: number, width: number]; expected: [from: number, to: number] }[] = [
    { name: "the first", input: [0, 50], expected: [0, 1] },
    { name: "those that begin and end there", input: [100, 199], expected: [1, 3] },
    { name: "those of which a px is there", input: [99, 102], expected: [0, 3] },
    { name: "all", input: [0, 5_000], expected: [0, 5] },
    { name: "the last", input: [499, 50], expected: [4, 5] },
    { name: "none behind the last", input: [900, 100], expected: [5, 5] },
  ];
  test.each(cases)("$name", ({ input: [left, width], expected: [from, to] }) => {
    const layout = opened("a", "b", "c", "d", "e");
    for (let column = 0; column < 5; column++) layout.setWidth(column, 100);
    expect(layout.inView(left, width)).toEqual({ from, to });
  });

  test("none of none", () => {
    const layout = opened();
    expect([layout.inView(0, 100), layout.left(0), layout.placeOf(0)]).toEqual([{ from: 0, to: 0 }, 0, 0]);
  });
});

test("what is in view is what reaches into it, whatever is dragged and hidden", () => {
  forSeeds(100, (random) => {
    const layout = opened(...Array.from({ length: 1 + random.below(30) }, (_, i) => `c${i}`));
    for (let i = 0; i < 20; i++) {
      const column = random.below(30);
      if (random.chance(0.5)) layout.setWidth(column, random.below(400));
      else layout.setHidden(column, random.chance(0.6));
    }
    const shown = layout.shown();
    expect(layout.left(shown.length)).toBe(shown.reduce((sum, { width }) => sum + width, 0));
    const [scrollLeft, width] = [random.below(layout.left(shown.length)), 1 + random.below(1_000)];
    const { from, to } = layout.inView(scrollLeft, width);
    for (const place of shown.keys()) {
      const reachesIn = layout.left(place + 1) > scrollLeft && layout.left(place) < scrollLeft + width;
      if (reachesIn) expect(place >= from && place < to).toBe(true);
      expect(layout.placeOf(shown[place]!.index)).toBe(place);
    }
    expect(to - from).toBeLessThanOrEqual(width / MIN_WIDTH + 3);
  });
});

test("a column of numbers grows with what comes, so that none is cut; one of text, or of a given width, does not", () => {
  const layout = openLayout((text) => text.length * 10);
  const names = ["n", "text", "given"];
  layout.take(names.map((name, i) => ({ name, type: i === 1 ? "text" : "number", longest: "1" })));
  layout.setWidth(2, 50);
  const before = layout.columns.map(({ width }) => width);
  for (const index of [0, 1, 2]) layout.widen(index, ["1", "1234567890"]);
  expect(layout.columns.map(({ width }, i) => width > before[i]!)).toEqual([true, false, false]);
  layout.widen(0, ["12"]);
  expect(layout.columns[0]!.width).toBeGreaterThan(100);
});

describe("columns that are pinned", () => {
  test("come first, stay in view, and the others are in view beside them", () => {
    const layout = opened("a", "b", "c", "d");
    for (const column of [0, 1, 2, 3]) layout.setWidth(column, 100);
    layout.setPinned(2, true);
    expect(shownNames(layout)).toEqual(["c", "a", "b", "d"]);
    expect([layout.pinned(), layout.pinnedWidth(), layout.placeOf(2), layout.placeOf(0)]).toEqual([1, 100, 0, 1]);
    expect(layout.inView(0, 250)).toEqual({ from: 1, to: 3 });
    expect(layout.inView(100, 250)).toEqual({ from: 2, to: 4 });
    layout.setPinned(2, false);
    expect(shownNames(layout)).toEqual(["a", "b", "c", "d"]);
  });

  test("that are hidden are not there", () => {
    const layout = opened("a", "b");
    layout.setPinned(1, true);
    layout.setHidden(1, true);
    expect([shownNames(layout), layout.pinned()]).toEqual([["a"], 0]);
  });
});

test("what was chosen is kept by name, for columns that come later too", () => {
  const chosen = { hidden: ["b"], pinned: ["c"], widths: [["a", 120] as const] };
  const layout = opened();
  layout.choose(chosen);
  expect(layout.chosen()).toEqual({ hidden: ["b"], pinned: ["c"], widths: [["a", 120]] });
  layout.take(factsOf("a", "b", "c"));
  expect([shownNames(layout), layout.columns[0]!.width]).toEqual([["c", "a"], 120]);
  layout.choose({ hidden: [], pinned: [], widths: [] });
  expect(shownNames(layout)).toEqual(["a", "b", "c"]);
});
