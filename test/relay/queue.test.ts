// What is pending, and what of the stream may go.
import { describe, expect, test } from "bun:test";
import { type Delta, newBudget, openLedger, openQueue } from "../../src/relay/publish/queue.ts";

const delta = (from: number, splices = "[]", epoch = "e"): Delta => ({
  kind: "delta",
  epoch,
  from,
  to: from + 1,
  count: 0,
  splices,
  warnings: [],
});
const at = (version: number) => ({ epoch: "e", version });

describe("what is pending", () => {
  test("leads on from where the stream has come to, and what is behind that is done", () => {
    const queue = openQueue(newBudget());
    for (const from of [1, 2, 3]) queue.add(delta(from));
    expect(queue.settle("e:2", at(4))).toBe(true);
    expect(queue.batch(1000).map(({ from }) => from)).toEqual([2, 3]);
    expect(queue.settle("e:4", at(4))).toBe(true);
    expect(queue.entries()).toBe(0);
    expect(queue.bytes()).toBe(0);
  });

  test("does not follow another epoch, an older state, or none", () => {
    const queue = openQueue(newBudget());
    queue.add(delta(5));
    for (const head of ["e:4", "f:5", ""]) expect(queue.settle(head, at(6))).toBe(false);
    expect(queue.entries()).toBe(1);
  });

  test("counts with what is pending of all tables, until it is written or dropped", () => {
    const budget = newBudget();
    const [one, other] = [openQueue(budget), openQueue(budget)];
    for (const from of [1, 2]) one.add(delta(from, "[1234567]"));
    other.add(delta(1));
    expect(budget.pending).toEqual({ bytes: 20, entries: 3 });
    one.settle("e:2", at(3));
    expect(budget.pending).toEqual({ bytes: 11, entries: 2 });
    one.clear();
    other.clear();
    expect(budget.pending).toEqual({ bytes: 0, entries: 0 });
  });

  test("goes in batches, a large one alone", () => {
    const queue = openQueue(newBudget());
    for (const from of [1, 2, 3]) queue.add(delta(from, "x".repeat(100)));
    expect(queue.batch(50)).toHaveLength(1);
    expect(queue.batch(100)).toHaveLength(2);
    expect(queue.batch(1000)).toHaveLength(3);
  });
});

describe("what was written", () => {
  test("goes from its beginning when it is too much, but nothing that the snapshot needs", () => {
    const ledger = openLedger(newBudget());
    for (let n = 1; n <= 10; n++) ledger.add(`${n}-0`, 36); // 100 bytes each, with what an entry takes
    expect(ledger.since("7-0")).toBe(300);
    expect(ledger.since("10-0")).toBe(0);
    expect(ledger.trim(2_000, 0, "9-0")).toBe("");
    expect(ledger.trim(400, 0, "2-0")).toBe("3-0");
    expect(ledger.trim(400, 0, "9-0")).toBe("7-0");
    expect(ledger.trim(400, 0, "9-0")).toBe("");
    ledger.clear();
    expect(ledger.trim(0, 0, "9-0")).toBe("");
  });

  test("is within one measure for all tables: who writes makes room, but keeps its own share", () => {
    const budget = newBudget();
    const [busy, quiet] = [openLedger(budget), openLedger(budget)];
    for (let n = 1; n <= 4; n++) quiet.add(`${n}-0`, 36);
    for (let n = 1; n <= 10; n++) busy.add(`${n}-0`, 36);
    expect(busy.trim(1_000, 0, "9-0")).toBe("5-0"); // 600 beside the 400 of the other
    expect(budget.streams.bytes).toBe(1_000);
    expect(busy.trim(0, 500, "9-0")).toBe("6-0");
    quiet.clear();
    expect(budget.streams.bytes).toBe(500);
  });
});
