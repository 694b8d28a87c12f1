// How much may be pending for whom, and for how long: with a clock of the test's own.
import { expect, test } from "bun:test";
import type { Consumer } from "../../src/channel/client.ts";
import { openBacklog } from "../../src/hub/backlog.ts";

function openTestBacklog(maxBytes: number, stallMs = 1_000) {
  let now = 0;
  let asked = 0;
  const closes: string[] = [];
  const inKernel = new Map<number, number>();
  const backlog = openBacklog({
    maxBytes,
    stallMs,
    now: () => now,
    async unacknowledged() {
      asked++;
      return (peer) => inKernel.get(peer.port);
    },
  });
  let port = 0;
  const consumer = (name: string, unsent = 1) => {
    const state = { unsent };
    const made: Consumer = {
      pendingBytes: 0,
      progressAt: 0,
      peer: { address: "10.0.0.7", port: ++port },
      buffered: () => state.unsent,
      close: (code) => void closes.push(`${name} ${code}`),
    };
    inKernel.set(port, 1000);
    const { port: own } = made.peer!;
    return {
      made,
      take: (bytes: number) => void (state.unsent -= bytes),
      acknowledge: (bytes: number) => void inKernel.set(own, inKernel.get(own)! - bytes),
      hide: () => void inKernel.delete(own),
    };
  };
  return { ...backlog, closes, consumer, asked: () => asked, pass: (ms: number) => void (now += ms) };
}

test("who takes nothing for too long is closed; who takes a little now and then is not", async () => {
  const backlog = openTestBacklog(1_000);
  const stalled = backlog.consumer("stalled", 100);
  const slow = backlog.consumer("slow", 100);
  backlog.add(stalled.made, 100);
  backlog.add(slow.made, 100);
  await backlog.check();
  for (let second = 0; second < 5; second++) {
    backlog.pass(600);
    slow.take(1);
    await backlog.check();
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

test("who is slow takes what the kernel holds, which counts as well as what is here", async () => {
  const backlog = openTestBacklog(1_000);
  const [slow, stalled] = [backlog.consumer("slow", 100), backlog.consumer("stalled", 100)];
  for (const { made } of [slow, stalled]) backlog.add(made, 100);
  await backlog.check();
  for (let second = 0; second < 10; second++) {
    backlog.pass(600);
    slow.acknowledge(1);
    await backlog.check();
  }
  expect(backlog.closes).toEqual(["stalled 1013"]);
});

test("where the kernel does not say, patience grows with what is owed", async () => {
  const backlog = openTestBacklog(1_000_000);
  const [large, small] = [backlog.consumer("large"), backlog.consumer("small")];
  for (const { hide } of [large, small]) hide();
  backlog.add(large.made, 100_000);
  backlog.add(small.made, 1_000);
  await backlog.check();
  backlog.pass(1_200);
  await backlog.check();
  expect(backlog.closes).toEqual(["small 1013"]);
  backlog.pass(10_000);
  await backlog.check();
  expect(backlog.closes).toEqual(["small 1013", "large 1013"]);
});

test("while half of the budget is used newcomers wait their turn, first come, first served; nobody is closed for it", () => {
  const backlog = openTestBacklog(1_000);
  const order: string[] = [];
  const waits = (name: string, made: Consumer) => backlog.waits(made, () => void order.push(name));
  const [first, second, third, fourth] = ["1", "2", "3", "4"].map((name) => backlog.consumer(name).made);
  expect(waits("first", first!)).toBe(false);
  backlog.add(first!, 600);
  expect([waits("second", second!), waits("third", third!), waits("fourth", fourth!)]).toEqual([true, true, true]);
  backlog.settle(third!); // which is gone
  expect([backlog.waiting(), backlog.closes]).toEqual([2, []]);
  backlog.settle(first!);
  return Promise.resolve().then(() => expect([order, backlog.waiting()]).toEqual([["second", "fourth"], 0]));
});

test("the kernel is not asked about those who take what they are sent within a second", async () => {
  const backlog = openTestBacklog(1_000, 20_000);
  const quick = backlog.consumer("quick");
  for (let frame = 0; frame < 5; frame++) {
    backlog.add(quick.made, 100);
    backlog.pass(900);
    await backlog.check();
    backlog.settle(quick.made);
    backlog.pass(100);
  }
  expect(backlog.asked()).toBe(0);
  backlog.add(quick.made, 100);
  for (let second = 0; second < 25; second++) {
    backlog.pass(1_000);
    if (second < 4) quick.acknowledge(1);
    await backlog.check();
    expect(backlog.closes).toEqual(second < 24 ? [] : ["quick 1013"]);
  }
});
