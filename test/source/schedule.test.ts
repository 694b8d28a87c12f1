// When a source is looked at, with a clock of our own.
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { openSchedule } from "../../src/source/schedule.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Fake timers know no immediates. */
function soon(run: () => void): () => void {
  const timer = setTimeout(run, 0);
  return () => clearTimeout(timer);
}

/** Looks and when they were, in ms; each says in how many ms it is due again, as `dueIn` does. */
function openTestSchedule({ dueIn }: { dueIn?: () => number } = {}) {
  const begin = performance.now();
  const looks: number[] = [];
  const look = (now: number) => {
    looks.push(Math.round(now - begin));
    const ms = dueIn?.();
    return ms === undefined ? undefined : performance.now() + ms;
  };
  const schedule = openSchedule(look, soon);
  return { ...schedule, looks };
}

test("nothing is looked at before the first hint, nor without a reason", () => {
  const { looks, hint } = openTestSchedule();
  jest.advanceTimersByTime(10_000);
  expect(looks).toEqual([]);
  hint();
  expect(looks).toEqual([]); // not within the call
  jest.advanceTimersByTime(10_000);
  expect(looks).toEqual([10_001]); // in the next millisecond
});

test("many hints are one look, and looks are 20 ms apart", () => {
  const { looks, hint } = openTestSchedule();
  for (let ms = 0; ms < 100; ms++) {
    hint();
    hint();
    jest.advanceTimersByTime(1);
  }
  jest.advanceTimersByTime(1_000);
  expect(looks.length).toBeWithin(5, 7);
  for (const [n, at] of looks.entries()) if (n > 0) expect(at - looks[n - 1]!).toBeGreaterThanOrEqual(20);
  expect(looks.at(-1)).toBeLessThanOrEqual(120); // the last hint is not forgotten
});

test("what is due is looked at then", () => {
  const { looks, hint } = openTestSchedule({ dueIn: () => 500 });
  hint();
  jest.advanceTimersByTime(1);
  const [first] = looks as [number];
  for (let ms = 0; ms < 1_900; ms++) jest.advanceTimersByTime(1);
  expect(looks).toEqual([first, first + 500, first + 1_000, first + 1_500]);
});

test("what is due at once, or was already, is looked at after 20 ms", () => {
  const { looks, hint } = openTestSchedule({ dueIn: () => -100 });
  hint();
  for (let ms = 0; ms < 100; ms++) jest.advanceTimersByTime(1);
  for (const [n, at] of looks.entries()) if (n > 0) expect(at - looks[n - 1]!).toBe(20);
  expect(looks.length).toBeWithin(4, 7);
});

test("a hint comes before what is due later, which is then due anew", () => {
  let due = 1_000;
  const { looks, hint } = openTestSchedule({ dueIn: () => due });
  hint();
  jest.advanceTimersByTime(1);
  for (let ms = 0; ms < 300; ms++) jest.advanceTimersByTime(1);
  const [first] = looks as [number];
  hint();
  due = 2_000;
  for (let ms = 0; ms < 1_000; ms++) jest.advanceTimersByTime(1);
  expect(looks).toHaveLength(2);
  expect(looks[1]).toBeWithin(first + 299, first + 303);
  for (let ms = 0; ms < 1_400; ms++) jest.advanceTimersByTime(1);
  expect(looks).toEqual([first, looks[1]!, looks[1]! + 2_000]);
});

test("after close nothing is looked at, whatever was due or is hinted at", () => {
  const { looks, hint, close } = openTestSchedule({ dueIn: () => 100 });
  hint();
  jest.advanceTimersByTime(1);
  expect(looks).toHaveLength(1);
  close();
  hint();
  jest.advanceTimersByTime(10_000);
  expect(looks).toHaveLength(1);
});

test("close within a look is the end of it, too", () => {
  const closing = openTestSchedule({
    dueIn() {
      closing.close();
      return 100;
    },
  });
  closing.hint();
  jest.advanceTimersByTime(10_000);
  expect(closing.looks).toHaveLength(1);
});
