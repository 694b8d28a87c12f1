// The schedule of the plain feed, on a clock of our own.
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { startTicks } from "../../src/hub/ticks.ts";

/** A clock whose timers fire `lateMs` late, as on a busy machine. */
function openClock() {
  let now = 1_000;
  let due: { run: () => void; at: number } | undefined;
  const setTimeoutSpy = spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms: number) => {
    due = { run, at: now + ms };
    return 1;
  }) as unknown as typeof setTimeout);
  const clearTimeoutSpy = spyOn(globalThis, "clearTimeout").mockImplementation(() => void (due = undefined));
  const nowSpy = spyOn(performance, "now").mockImplementation(() => now);
  return {
    now: () => now - 1_000,
    /** Time that passes while nothing else can run. */
    spend: (ms: number) => void (now += ms),
    fire(lateMs = 0) {
      const timer = due;
      if (!timer) return false;
      due = undefined;
      now = Math.max(now, timer.at) + lateMs;
      timer.run();
      return true;
    },
    restore() {
      for (const spy of [setTimeoutSpy, clearTimeoutSpy, nowSpy]) spy.mockRestore();
    },
  };
}

describe("ticks", () => {
  let clock: ReturnType<typeof openClock>;
  beforeEach(() => void (clock = openClock()));
  afterEach(() => clock.restore());

  const cases: { name: string; lateMs: number[]; workMs: number[]; expected: number[] }[] = [
    { name: "come on the grid", lateMs: [], workMs: [], expected: [100, 200, 300, 400, 500] },
    {
      name: "do not drift when timers are late",
      lateMs: [3, 7, 3, 7, 3],
      workMs: [],
      expected: [103, 207, 303, 407, 503],
    },
    {
      name: "do not drift when ticks take long",
      lateMs: [],
      workMs: [30, 60, 30, 60],
      expected: [100, 200, 300, 400, 500],
    },
    {
      name: "that were missed are skipped, not made up for",
      lateMs: [0, 250],
      workMs: [],
      expected: [100, 450, 500, 600, 700],
    },
    {
      name: "that take longer than the interval are followed at once, then by the grid",
      lateMs: [],
      workMs: [250],
      expected: [100, 350, 400, 500, 600],
    },
  ];
  test.each(cases)("$name", ({ lateMs, workMs, expected }) => {
    const at: number[] = [];
    const ticks = startTicks(100, () => {
      at.push(clock.now());
      clock.spend(workMs[at.length - 1] ?? 0);
    });
    for (let i = 0; i < expected.length; i++) clock.fire(lateMs[i]);
    ticks.stop();
    expect(at).toEqual(expected);
  });

  test("end when they are stopped, also from within a tick", () => {
    let count = 0;
    const ticks = startTicks(100, () => void (++count === 2 && ticks.stop()));
    clock.fire();
    clock.fire();
    expect(clock.fire()).toBe(false);
    expect(count).toBe(2);
  });
});
