// A bar that stands for more than a browser can scroll over, in front of a browser that does with it what browsers do.
import { describe, expect, test } from "bun:test";
import { MAX_HEIGHT, openScroll, type Scroll } from "../../src/viewer/scroll.ts";
import { forSeeds } from "../fuzz/random.ts";

const VIEWPORT = 700;
const WHEEL = 100;

/** The bar is kept within its bounds, and rounded; it is put right as the page does it: after each move, and at rest. */
function browserOf(total: number, viewport = VIEWPORT) {
  const scroll = openScroll();
  let bar = 0;
  const put = (to: number) => {
    bar = Math.round(Math.max(0, Math.min(to, scroll.height() - viewport)));
    scroll.barPut(bar);
  };
  const correct = (isResting: boolean) => {
    const wanted = scroll.correction(isResting);
    if (wanted !== undefined) put(wanted);
  };
  const moveTo = (to: number) => {
    const bounded = Math.max(0, Math.min(to, scroll.height() - viewport));
    if (bounded === bar) return; // a bar that does not move says nothing
    bar = bounded;
    scroll.barMoved(bar);
    correct(false);
  };
  scroll.resize(total, viewport);
  return {
    scroll,
    bar: () => bar,
    barEnd: () => Math.max(0, scroll.height() - viewport),
    moveTo,
    moveBy: (step: number) => moveTo(bar + step),
    goTo: (top: number) => put(scroll.goTo(top)),
    rest: () => correct(true),
    resize(to: number) {
      scroll.resize(to, viewport);
      bar = Math.max(0, Math.min(bar, scroll.height() - viewport));
      correct(true);
    },
  };
}

/** Moves by small steps until nothing moves any more, or something has moved for too long. */
function moveByWheel(browser: ReturnType<typeof browserOf>, step: number): number {
  const { scroll } = browser;
  const most = (2 * scroll.end()) / Math.abs(step) + 10_000;
  for (let moves = 0, still = 0; moves < most; moves++) {
    const before = scroll.top();
    browser.moveBy(step);
    if (moves % 50 === 0) browser.rest();
    still = scroll.top() === before ? still + 1 : 0;
    if (still > 60) return moves;
  }
  return most;
}

const near = (scroll: Scroll) => ({ atStart: scroll.top() === 0, atEnd: scroll.top() === scroll.end() });

describe("a table that a browser can scroll over", () => {
  test.each([0, 10, VIEWPORT, VIEWPORT + 1, 5_000, MAX_HEIGHT])("of %d px is scrolled px by px", (total) => {
    const browser = browserOf(total);
    const end = Math.max(0, total - VIEWPORT);
    expect([browser.scroll.height(), browser.scroll.end(), browser.barEnd()]).toEqual([total, end, end]);
    for (const to of [0, 1, 350, end / 2, end, end / 3, 0]) {
      browser.moveTo(to);
      expect(browser.scroll.top()).toBe(browser.bar());
      expect([browser.scroll.correction(false), browser.scroll.correction(true)]).toEqual([undefined, undefined]);
    }
    for (const to of [-5, 0, end / 2, end, end + 100]) {
      browser.goTo(to);
      expect(browser.scroll.top()).toBe(Math.max(0, Math.min(to, end)));
    }
  });

  test("that gets shorter shows its end", () => {
    const browser = browserOf(5_000);
    browser.moveTo(4_300);
    browser.resize(2_000);
    expect([browser.scroll.top(), browser.bar()]).toEqual([1_300, 1_300]);
    browser.resize(100);
    expect([browser.scroll.top(), browser.scroll.end(), browser.bar()]).toEqual([0, 0, 0]);
  });

  test("that gets longer stays where it is", () => {
    const browser = browserOf(5_000);
    browser.moveTo(300);
    browser.resize(50_000);
    expect([browser.scroll.top(), browser.scroll.end()]).toEqual([300, 49_300]);
  });
});

describe("a table of 26 million px", () => {
  const TOTAL = 26_000_000;

  test("is no higher than a browser takes", () => {
    expect(browserOf(TOTAL).scroll.height()).toBe(MAX_HEIGHT);
  });

  test("moves by what the wheel moves", () => {
    const browser = browserOf(TOTAL);
    browser.goTo(13_000_000);
    for (const step of [WHEEL, WHEEL, -WHEEL, 1, -1, 3, 2 * VIEWPORT, -2 * VIEWPORT]) {
      const before = browser.scroll.top();
      browser.moveBy(step);
      expect(browser.scroll.top() - before).toBe(step);
    }
  });

  test("moves by fractions of px too, as fine wheels and screens have them", () => {
    const browser = browserOf(TOTAL);
    browser.goTo(13_000_000);
    const before = browser.scroll.top();
    for (let i = 0; i < 200; i++) browser.moveBy(0.5);
    expect(Math.abs(browser.scroll.top() - before - 100)).toBeLessThanOrEqual(1);
  });

  test.each([WHEEL, 26, 1_300])("is at its last row after enough steps of %d px", (step) => {
    const browser = browserOf(TOTAL);
    if (step < WHEEL) browser.goTo(TOTAL - 300_000);
    moveByWheel(browser, step);
    expect(near(browser.scroll).atEnd).toBe(true);
  });

  test.each([WHEEL, 26, 1_300])("is at its first row after enough steps of %d px back", (step) => {
    const browser = browserOf(TOTAL);
    browser.goTo(step < WHEEL ? 300_000 : TOTAL);
    moveByWheel(browser, -step);
    expect(near(browser.scroll).atStart).toBe(true);
  });

  test("takes about as many steps as there is to go", () => {
    const browser = browserOf(TOTAL);
    browser.goTo(TOTAL - 500_000);
    const moves = moveByWheel(browser, WHEEL) - 60;
    expect(moves).toBeLessThan(2 * 5_000);
  });

  test("is where the bar is after a long jump", () => {
    const browser = browserOf(TOTAL);
    for (const share of [0.5, 0.9, 0.1, 0.333, 1, 0]) {
      browser.moveTo(share * browser.barEnd());
      expect(Math.abs(browser.scroll.top() - share * browser.scroll.end())).toBeLessThan(1);
    }
    expect(near(browser.scroll).atStart).toBe(true);
  });

  test("is at its end and at its beginning after jumps there, from anywhere", () => {
    for (const from of [0, 5_000, 1_000_000, 25_000_000, TOTAL]) {
      const browser = browserOf(TOTAL);
      browser.goTo(from);
      browser.moveTo(Infinity);
      browser.rest();
      moveByWheel(browser, WHEEL);
      const isAtEnd = near(browser.scroll).atEnd;
      browser.moveTo(0);
      expect({ from, isAtEnd, isAtStart: near(browser.scroll).atStart }).toEqual({
        from,
        isAtEnd: true,
        isAtStart: true,
      });
    }
  });

  test("is where it is told to go, to the px", () => {
    const browser = browserOf(TOTAL);
    for (const to of [0, 26, 12_345_678, TOTAL - VIEWPORT, TOTAL, -1, 7]) {
      browser.goTo(to);
      expect(browser.scroll.top()).toBe(Math.max(0, Math.min(to, TOTAL - VIEWPORT)));
      browser.rest();
      expect(browser.scroll.top()).toBe(Math.max(0, Math.min(to, TOTAL - VIEWPORT)));
    }
  });
});

// Ten and a hundred times as long: what is nothing on the bar is many rows.
test.each([260_000_000, 2_600_000_000])("both ends of a table of %d px are reached by the wheel", (total) => {
  const browser = browserOf(total);
  browser.goTo(total - 20_000);
  moveByWheel(browser, WHEEL);
  const { atEnd } = near(browser.scroll);
  browser.goTo(20_000);
  moveByWheel(browser, -WHEEL);
  expect({ atEnd, atStart: near(browser.scroll).atStart }).toEqual({ atEnd: true, atStart: true });
});

describe("putting the bar right", () => {
  test("never moves the table, ends at once, and keeps the table within its bounds, whatever is done", () => {
    forSeeds(200, (random) => {
      const browser = browserOf(random.pick([500, 50_000, MAX_HEIGHT + 1, 26_000_000, 900_000_000]));
      for (let i = 0; i < 60; i++) {
        const chance = random.next();
        if (chance < 0.6) browser.moveBy(random.below(2 * WHEEL) - WHEEL);
        else if (chance < 0.75) browser.moveTo(random.next() * browser.barEnd());
        else if (chance < 0.85) browser.goTo(random.next() * browser.scroll.end());
        else if (chance < 0.9) browser.resize(random.pick([500, 50_000, MAX_HEIGHT + 1, 26_000_000]));
        else browser.moveTo(random.pick([0, Infinity]));
        const top = browser.scroll.top();
        expect(top >= 0 && top <= browser.scroll.end()).toBe(true);
        browser.rest();
        expect([browser.scroll.top(), browser.scroll.correction(true), browser.scroll.correction(false)]).toEqual([
          top,
          undefined,
          undefined,
        ]);
        browser.moveTo(browser.bar());
        expect(browser.scroll.top()).toBe(top);
      }
    });
  });

  test("waits while somebody scrolls, unless the bar has no room left", () => {
    const browser = browserOf(26_000_000);
    browser.goTo(13_000_000);
    for (let i = 0; i < 100; i++) browser.moveBy(WHEEL);
    expect(browser.scroll.correction(false)).toBeUndefined();
    expect(browser.scroll.correction(true)).toBeLessThan(browser.bar());
  });

  test("happens where the bar stands for another place since the table has grown", () => {
    const browser = browserOf(26_000_000);
    browser.goTo(13_000_000);
    const before = browser.bar();
    browser.scroll.resize(52_000_000, VIEWPORT);
    expect(browser.scroll.correction(true)).toBeLessThan(before * 0.6);
    expect(browser.scroll.top()).toBe(13_000_000);
  });
});
