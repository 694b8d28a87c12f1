// How much may be pending for whom, and for how long: with a clock of the test's own.
import { expect, test } from "bun:test";
import type { Consumer } from "../../src/channel/client.ts";
import { openBacklog } from "../../src/hub/backlog.ts";

function openTestBacklog(maxBytes: number) {
  let now = 0;
  const closes: string[] = [];
  const backlog = openBacklog(maxBytes, 1_000, () => now);
  const consumer = (name: string, unsent = 1) => {
    const state = { unsent };
    const made: Consumer = {
      pendingBytes: 0,
      unsentBytes: 0,
      progressAt: 0,
      buffered: () => state.unsent,
      close: (code) => void closes.push(`${name} ${code}`),
    };
    return { ...state, made, take: (bytes: number) => void (state.unsent -= bytes) };
  };
  return { ...backlog, closes, consumer, pass: (ms: number) => void (now += ms) };
}

test("who takes nothing for too long is closed; who takes a little now and then is not", () => {
  const backlog = openTestBacklog(1_000);
  const stalled = backlog.consumer("stalled", 100);
  const slow = backlog.consumer("slow", 100);
  backlog.add(stalled.made, 100);
  backlog.add(slow.made, 100);
  backlog.check();
  for (let second = 0; second < 5; second++) {
    backlog.pass(600);
    slow.take(1);
    backlog.check();
  }
  expect(backlog.closes).toEqual(["stalled 1013"]);
  expect(backlog.bytes()).toBe(100);
  expect(backlog.closed).toEqual({ stalled: 1, overBudget: 0 });
  backlog.settle(slow.made);
  backlog.settle(slow.made);
  expect(backlog.bytes()).toBe(0);
});

test("over the budget those go that have taken nothing for longest, until it fits", () => {
  const backlog = openTestBacklog(250);
  const [first, second, third] = ["first", "second", "third"].map((name) => backlog.consumer(name));
  backlog.add(first!.made, 100);
  backlog.pass(1);
  backlog.add(second!.made, 100);
  backlog.add(first!.made, 50); // the next frame in place of the one before
  expect(backlog.bytes()).toBe(150);
  backlog.pass(1);
  backlog.add(third!.made, 200);
  expect(backlog.closes).toEqual(["first 1013", "second 1013"]);
  expect(backlog.bytes()).toBe(200);
  expect(backlog.closed).toEqual({ stalled: 0, overBudget: 2 });
});

test("a frame that is over the budget alone ends its own client", () => {
  const backlog = openTestBacklog(250);
  const large = backlog.consumer("large");
  backlog.add(large.made, 300);
  expect(backlog.closes).toEqual(["large 1013"]);
  expect(backlog.bytes()).toBe(0);
});
