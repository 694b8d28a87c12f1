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

type Settings = { readonly dueIn?: () => number; readonly takes?: number; readonly isBehind?: () => boolean };

/** Looks and when they were, in ms; each takes so many ms, and says in how many it is due again. */
function openTestSchedule({ dueIn, takes = 0, isBehind }: Settings = {}) {
  let taken = 0;
  const clock = () => performance.now() + taken;
  const begin = clock();
  const looks: number[] = [];
  const look = (now: number) => {
    looks.push(Math.round(now - begin));
    taken += takes;
    const ms = dueIn?.();
    return ms === undefined ? undefined : clock() + ms;
  };
  const schedule = openSchedule(look, isBehind, soon, clock);
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

/** Hints in each of so many ms. */
function hintFor(ms: number, { hint }: { hint(): void }): void {
  for (; ms > 0; ms--) {
    hint();
    hint();
    jest.advanceTimersByTime(1);
  }
}

const gapsOf = (looks: readonly number[]) => looks.slice(1).map((at, n) => at - looks[n]!);

test("many hints are one look, and between two there is four times what one takes", () => {
  const schedule = openTestSchedule({ takes: 2 });
  hintFor(100, schedule);
  const { looks } = schedule;
  expect(looks.length).toBeGreaterThan(5);
  for (const gap of gapsOf(looks)) expect(gap).toBeWithin(2 + 8, 2 + 10);
  const { length } = looks;
  schedule.hint();
  jest.advanceTimersByTime(1_000);
  expect(looks).toHaveLength(length + 1); // the last hint is not forgotten
});

test("the gap is 20 ms at most", () => {
  const schedule = openTestSchedule({ takes: 50 });
  hintFor(200, schedule);
  for (const gap of gapsOf(schedule.looks)) expect(gap).toBeWithin(50 + 20, 50 + 22);
});

test("while who is told is behind looks are 20 ms apart, and soon after it is not", () => {
  let isBehind = false;
  const schedule = openTestSchedule({ isBehind: () => isBehind });
  const { looks } = schedule;
  hintFor(1, schedule);
  isBehind = true;
  hintFor(30, schedule);
  expect(looks).toHaveLength(2);
  expect(gapsOf(looks)[0]).toBeWithin(20, 23);
  isBehind = false;
  jest.advanceTimersByTime(2);
  expect(looks).toHaveLength(3);
  jest.advanceTimersByTime(1_000);
  expect(looks).toHaveLength(3); // without a hint there is no reason
});

test("what is due is looked at then", () => {
  const { looks, hint } = openTestSchedule({ dueIn: () => 500 });
  hint();
  jest.advanceTimersByTime(1);
  const [first] = looks as [number];
  for (let ms = 0; ms < 1_900; ms++) jest.advanceTimersByTime(1);
  expect(looks).toEqual([first, first + 500, first + 1_000, first + 1_500]);
});

test("what is due at once, or was already, is looked at after the gap", () => {
  const { looks, hint } = openTestSchedule({ dueIn: () => -100, takes: 5 });
  hint();
  for (let ms = 0; ms < 100; ms++) jest.advanceTimersByTime(1);
  for (const gap of gapsOf(looks)) expect(gap).toBeWithin(25, 27);
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
