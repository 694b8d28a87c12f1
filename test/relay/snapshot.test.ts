// Snapshots on their way into Redis, and which lists of them stay there for those who still read them.
import { expect, test } from "bun:test";
import { retire, writeSnapshot } from "../../src/relay/publish/snapshot.ts";
import { relayKeys } from "../../src/relay/wire.ts";
import { snapshotOf } from "../../src/source/source.ts";

const MIB = 1 << 20;

test.each([
  { name: "none", bytes: [], kept: 0 },
  { name: "one of any size", bytes: [500 * MIB], kept: 1 },
  { name: "two that are small", bytes: [1, 1, 1], kept: 2 },
  { name: "two of half the room", bytes: [8 * MIB, 8 * MIB], kept: 2 },
  { name: "one where both are too much", bytes: [8 * MIB, 9 * MIB, 1], kept: 1 },
  { name: "one that is too large by itself", bytes: [17 * MIB, 1], kept: 1 },
])("of the lists before a snapshot stay $name: $kept", ({ bytes, kept }) => {
  const lists = bytes.map((size, i) => ({ id: `${i}`, bytes: size }));
  expect(retire(lists)).toEqual({ kept: lists.slice(0, kept), dropped: lists.slice(kept) });
});

test("a snapshot of an epoch that is not to be written any more is closed", async () => {
  let closed = 0;
  const columns = { count: 1, json: '["a"]' };
  const part = () => Promise.reject(new Error("nobody takes it"));
  const close = () => void closed++;
  const send = async (command: string) => (command === "XREVRANGE" ? [] : null);
  const written = await writeSnapshot({
    topic: {
      connection: { send, script: () => expect.unreachable(), close() {} },
      ...{ keys: relayKeys("t"), owner: "o", ttlMs: 1_000 },
    },
    snapshot: async () => snapshotOf({ cursor: { epoch: "e", version: 1 }, columns, rows: 1, part, close }),
    aboutOf: () => undefined,
    reached: async () => {},
    ...{ id: "i", last: undefined, unfinished: undefined, keptElsewhere: () => 0, onWritten() {} },
  });
  expect([written, closed]).toEqual([undefined, 1]);
});
