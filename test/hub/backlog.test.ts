// Who may owe how much for how long: with a clock of the test's own.
import { expect, test } from "bun:test";
import { type Debtor, openBacklog } from "../../src/hub/backlog.ts";

function openTestBacklog(maxBytes: number) {
  let now = 0;
  const closes: string[] = [];
  const backlog = openBacklog(maxBytes, 1_000, () => now);
  const debtor = (name: string, unsent = 1) => {
    const state = { unsent };
    const made: Debtor = {
      debt: 0,
      unsent: 0,
      takenAt: 0,
      backlog: () => state.unsent,
      close: (code) => void closes.push(`${name} ${code}`),
    };
    return { ...state, made, take: (bytes: number) => void (state.unsent -= bytes) };
  };
  return { ...backlog, closes, debtor, pass: (ms: number) => void (now += ms) };
}

test("who takes nothing for too long is closed; who takes a little now and then is not", () => {
  const backlog = openTestBacklog(1_000);
  const stalled = backlog.debtor("stalled", 100);
  const slow = backlog.debtor("slow", 100);
  backlog.owe(stalled.made, 100);
  backlog.owe(slow.made, 100);
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
  const [first, second, third] = ["first", "second", "third"].map((name) => backlog.debtor(name));
  backlog.owe(first!.made, 100);
  backlog.pass(1);
  backlog.owe(second!.made, 100);
  backlog.owe(first!.made, 50); // the next frame in place of the one before
  expect(backlog.bytes()).toBe(150);
  backlog.pass(1);
  backlog.owe(third!.made, 200);
  expect(backlog.closes).toEqual(["first 1013", "second 1013"]);
  expect(backlog.bytes()).toBe(200);
  expect(backlog.closed).toEqual({ stalled: 0, overBudget: 2 });
});

test("a frame that is over the budget alone ends its own client", () => {
  const backlog = openTestBacklog(250);
  const large = backlog.debtor("large");
  backlog.owe(large.made, 300);
  expect(backlog.closes).toEqual(["large 1013"]);
  expect(backlog.bytes()).toBe(0);
});
