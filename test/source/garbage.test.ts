// What the memory is told, with a clock of our own.
import { afterEach, beforeEach, expect, jest, spyOn, test } from "bun:test";
import { collectAfterOpening } from "../../src/source/garbage.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test("when many tables were opened, and no more are for a while, memory is given back: once, and not for a few", () => {
  using shrink = spyOn(Bun, "shrink").mockImplementation(() => {});
  using collect = spyOn(Bun, "gc").mockImplementation(() => 0);
  const open = (tables: number) => {
    for (let table = 0; table < tables; table++) {
      collectAfterOpening();
      jest.advanceTimersByTime(100);
    }
  };
  open(3);
  jest.advanceTimersByTime(60_000);
  expect(shrink).not.toHaveBeenCalled();
  open(200);
  expect(shrink).not.toHaveBeenCalled();
  expect(collect.mock.calls.length).toBeWithin(10, 30);
  jest.advanceTimersByTime(60_000);
  expect(shrink).toHaveBeenCalledTimes(1);
});
