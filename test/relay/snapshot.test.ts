// Which lists of snapshots stay in Redis for those who still read them.
import { expect, test } from "bun:test";
import { retire } from "../../src/relay/publish/snapshot.ts";

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
