// What is selected, while rows come and go.
import { describe, expect, test } from "bun:test";
import { openLayout } from "../../src/viewer/layout.ts";
import type { Frame, Mark } from "../../src/viewer/messages.ts";
import { HEADER, openSelection, type Selection } from "../../src/viewer/selection.ts";

/** Row 100 is shown at position 0, and so on, as far as position 49. */
const markAt = (position: number): Mark | undefined =>
  position >= 0 && position < 50 ? { row: 100 + position, version: 1 } : undefined;

function layoutOf(columns: number) {
  const layout = openLayout(() => 50);
  layout.take(Array.from({ length: columns }, (_, i) => ({ name: `c${i}`, type: "text", longest: "" })));
  return layout;
}

const frameFor = (selection: Selection, ...marks: Frame["marks"][number][]): Frame => ({
  version: 2,
  generation: 1,
  total: 1000,
  count: 1000,
  from: 0,
  isWhole: true,
  unseen: undefined,
  columns: [],
  rows: [],
  shift: 0,
  marks,
  selection: selection.id,
});

const spot = (position: number, place: number) => ({ position, place });
const spotOf = (selection: Selection) => {
  const focus = selection.focus();
  return focus && spot(focus.position, focus.place);
};

describe("a selection", () => {
  test("is nothing before there is one, and after it is cleared", () => {
    const selection = openSelection(markAt, layoutOf(20));
    const nothing = [undefined, undefined, []];
    expect([selection.focus(), selection.area(), selection.marks()]).toEqual(nothing);
    selection.put(spot(1, 1), false);
    selection.clear();
    expect([selection.focus(), selection.area(), selection.marks()]).toEqual(nothing);
  });

  test("stays with its column when others are hidden", () => {
    const layout = layoutOf(5);
    const selection = openSelection(markAt, layout);
    selection.put(spot(3, 2), false);
    layout.setHidden(0, true);
    expect(spotOf(selection)).toEqual(spot(3, 1));
    layout.setHidden(2, true);
    expect(spotOf(selection)).toEqual(spot(3, 1)); // the next one
  });

  test("is a cell", () => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(3, 2), false);
    expect(spotOf(selection)).toEqual(spot(3, 2));
    expect(selection.area()).toEqual({ top: 3, bottom: 3, left: 2, right: 2 });
    expect(selection.marks()).toEqual([
      { row: 103, version: 1 },
      { row: 103, version: 1 },
    ]);
  });

  const ends: { name: string; input: [number, number] }[] = [
    { name: "down and to the right", input: [7, 9] },
    { name: "up and to the left", input: [0, 0] },
    { name: "up and to the right", input: [1, 9] },
    { name: "nowhere", input: [3, 2] },
  ];
  test.each(ends)(
    "reaches from where it began $name, and its focus is where it ends",
    ({ input: [position, place] }) => {
      const selection = openSelection(markAt, layoutOf(20));
      selection.put(spot(3, 2), false);
      selection.put(spot(20, 20), true);
      selection.put(spot(position, place), true);
      expect(selection.area()).toEqual({
        top: Math.min(3, position),
        bottom: Math.max(3, position),
        left: Math.min(2, place),
        right: Math.max(2, place),
      });
      expect(spotOf(selection)).toEqual(spot(position, place));
      expect(selection.marks()).toEqual([
        { row: 103, version: 1 },
        { row: 100 + position, version: 1 },
      ]);
    },
  );

  test("that is extended from nothing is a cell", () => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(3, 2), true);
    expect(selection.area()).toEqual({ top: 3, bottom: 3, left: 2, right: 2 });
  });

  test("in the header has no area, and begins anew below it", () => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(5, 5), false);
    selection.put(spot(HEADER, 1), true);
    expect([spotOf(selection), selection.area()]).toEqual([spot(HEADER, 1), undefined]);
    selection.put(spot(4, 2), true);
    expect(selection.area()).toEqual({ top: 0, bottom: 4, left: 1, right: 2 });
    selection.put(spot(4, 2), false);
    expect(selection.area()).toEqual({ top: 4, bottom: 4, left: 2, right: 2 });
  });

  test("of rows that are not known yet goes by their positions", () => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(500, 0), false);
    selection.put(spot(HEADER, 0), true);
    expect(selection.marks()).toEqual([{ position: 0 }, { position: 0 }]);
    selection.put(spot(500, 0), false);
    expect(selection.marks()).toEqual([{ position: 500 }, { position: 500 }]);
  });
});

describe("a frame", () => {
  test("takes the selection to where its rows are, and keeps its columns", () => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(3, 2), false);
    selection.put(spot(5, 4), true);
    selection.take(frameFor(selection, { row: 110, position: 13 }, { row: 112, position: 9 }));
    expect(selection.area()).toEqual({ top: 9, bottom: 13, left: 2, right: 4 });
    expect(spotOf(selection)).toEqual(spot(9, 4));
    expect(selection.marks()).toEqual([
      { row: 110, version: 2 },
      { row: 112, version: 2 },
    ]);
  });

  test("gives a row to a selection that had but a position", () => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(500, 0), false);
    selection.take(frameFor(selection, { row: 600, position: 500 }, { row: 600, position: 500 }));
    expect(selection.marks()).toEqual([
      { row: 600, version: 2 },
      { row: 600, version: 2 },
    ]);
  });

  const ignored: { name: string; change: (selection: Selection) => void; frame: (selection: Selection) => Frame }[] = [
    {
      name: "for an earlier selection",
      change: (selection) => selection.put(spot(4, 4), false),
      frame: (selection) => ({
        ...frameFor(selection, { row: 1, position: 1 }, { row: 1, position: 1 }),
        selection: selection.id - 1,
      }),
    },
    {
      name: "for what was before the other end was moved",
      change: (selection) => selection.put(spot(9, 9), true),
      frame: (selection) => ({
        ...frameFor(selection, { row: 1, position: 1 }, { row: 1, position: 1 }),
        selection: selection.id - 1,
      }),
    },
    { name: "without its ends", change: () => {}, frame: (selection) => frameFor(selection) },
    { name: "with one end", change: () => {}, frame: (selection) => frameFor(selection, { row: 1, position: 1 }) },
    {
      name: "while the focus is in the header",
      change: (selection) => selection.put(spot(HEADER, 1), false),
      frame: (selection) => frameFor(selection, { row: 1, position: 1 }, { row: 1, position: 1 }),
    },
    {
      name: "while nothing is selected",
      change: (selection) => selection.clear(),
      frame: (selection) => frameFor(selection, { row: 1, position: 1 }, { row: 1, position: 1 }),
    },
  ];
  test.each(ignored)("$name changes nothing", ({ change, frame }) => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(3, 2), false);
    change(selection);
    const before = [spotOf(selection), selection.area(), selection.marks()];
    selection.take(frame(selection));
    expect([spotOf(selection), selection.area(), selection.marks()]).toEqual(before);
  });

  test("after a frame is for the same selection: only a person makes another", () => {
    const selection = openSelection(markAt, layoutOf(20));
    selection.put(spot(3, 2), false);
    const { id } = selection;
    selection.take(frameFor(selection, { row: 1, position: 1 }, { row: 1, position: 1 }));
    expect(selection.id).toBe(id);
    selection.put(spot(3, 2), false);
    expect(selection.id).not.toBe(id);
  });
});
