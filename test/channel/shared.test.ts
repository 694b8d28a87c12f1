// Snapshots that several take: each lets go of it once, whatever happens to it, and the last of them closes it.
import { expect, test } from "bun:test";
import type { Backlog, Consumer } from "../../src/channel/client.ts";
import { openDocuments } from "../../src/channel/documents.ts";
import { openShared } from "../../src/channel/shared.ts";
import { CsvError } from "../../src/csv/error.ts";
import { snapshotOf } from "../../src/source/source.ts";

const CURSOR = { epoch: "e", version: 1 };
const PARTS = 20;

/** A document of many parts; `closed` tells how often it was, and `made` which parts were made. */
function openScene(keptBytes?: number) {
  const made: number[] = [];
  let closed = 0;
  let failure: CsvError | undefined;
  const snapshot = async () =>
    snapshotOf<"csv">({
      cursor: CURSOR,
      columns: { count: 1, json: '["a"]' },
      rows: PARTS,
      async part(at) {
        await Bun.sleep(1);
        if (failure) throw failure;
        made.push(at);
        return { at, next: at + 1, data: new Uint8Array([97 + at]) };
      },
      close: () => void closed++,
    });
  const owing = new Set<Consumer>();
  const queue: (() => void)[] = [];
  let isFull = false;
  const backlog: Backlog = {
    add: (consumer) => void owing.add(consumer),
    settle: (consumer) => void owing.delete(consumer),
    waits: (_consumer, resume) => isFull && queue.push(resume) > 0,
  };
  const documents = openDocuments({
    ...{ cursor: () => CURSOR, why: () => "", snapshot: snapshot as never, backlog, waitMs: 5 },
  });
  let ended = 0;
  const reader = { peer: { address: "10.0.0.7", port: 1 }, setTimeout() {}, onEnd: () => void ended++ };
  const get = () => documents.answer(new Request("http://localhost/csv.csv"), "csv", reader);
  const shared = openShared(snapshot, () => 0, keptBytes);
  return {
    ...{ documents, get, shared, made, owing, queue },
    closed: () => closed,
    ended: () => ended,
    fail: (error: CsvError) => void (failure = error),
    setFull: (full: boolean) => void (isFull = full),
  };
}

const TEXT = Buffer.from(Array.from({ length: PARTS }, (_, at) => 97 + at)).toString();

test("one that leaves in the middle of its last part takes it from nobody else", async () => {
  const { get, documents, closed } = openScene();
  const [staying, leaving] = [await get(), await get()];
  const reader = leaving.body!.getReader();
  for (let taken = 1; taken < PARTS; taken++) await reader.read();
  const pending = reader.read().catch(() => {});
  await reader.cancel();
  await pending;
  await Bun.sleep(5);
  documents.expire(Infinity);
  expect(closed()).toBe(0);
  expect(await staying.text()).toBe(TEXT);
  expect(closed()).toBe(1);
});

test("a document that cannot be had any more is broken off", async () => {
  const { get, fail, documents, closed } = openScene();
  const reader = (await get()).body!.getReader();
  await reader.read();
  const outdated = new CsvError("outdated", "the table has changed too much meanwhile: try again");
  fail(outdated);
  expect(await reader.read().catch((error: unknown) => error)).toBe(outdated);
  documents.expire(Infinity);
  expect(closed()).toBe(1);
});

test("parts are made once for all, as long as there is room for them", async () => {
  const roomy = openScene();
  const one = await roomy.shared.renew();
  await Promise.all([one.part(0), one.part(0), one.part(1)]);
  expect([await one.part(0), roomy.made]).toEqual([one.kept(0)!, [0, 1]]);
  const narrow = openScene(2);
  const other = await narrow.shared.renew();
  for (const at of [0, 1, 2, 0]) await other.part(at);
  expect([narrow.made, other.kept(1)]).toEqual([[0, 1, 2, 0], undefined]);
});

test("who lets go twice lets go once", async () => {
  const { shared, closed } = openScene();
  const one = await shared.renew();
  const release = one.acquire();
  const other = one.acquire();
  release();
  release();
  shared.expire(Infinity);
  expect(closed()).toBe(0);
  other();
  expect(closed()).toBe(1);
});

test("whoever takes a document is owed the chunk that is under way, and a client, until it has all", async () => {
  const { get, owing, ended } = openScene();
  const reader = (await get()).body!.getReader();
  expect([owing.size, ended()]).toEqual([1, 0]);
  await reader.read();
  expect([...owing].map((consumer) => consumer.buffered())).toEqual([1]);
  for (let taken = 1; taken < PARTS; taken++) await reader.read();
  expect([owing.size, ended()]).toEqual([0, 1]);
  expect((await reader.read()).done).toBe(true);
});

test("one who takes nothing is broken off, and no client any more", async () => {
  const { get, owing, documents, closed, ended } = openScene();
  const reader = (await get()).body!.getReader();
  await reader.read();
  for (const consumer of owing) consumer.close(1013, "too slow");
  expect(await reader.read().catch((error: unknown) => error)).toEqual(new Error("too slow"));
  documents.expire(Infinity);
  expect([closed(), ended(), owing.size]).toEqual([1, 1, 0]);
});

test("while there is no room in the backlog newcomers wait, and then are told to come again", async () => {
  const { get, queue, setFull, ended } = openScene();
  setFull(true);
  const busy = await get();
  expect([busy.status, busy.headers.get("retry-after"), ended()]).toEqual([503, "5", 1]);
  const waiting = get();
  queue.at(-1)!();
  expect((await waiting).status).toBe(200);
});

test("parts of all snapshots are kept within one budget", async () => {
  const { shared, made } = openScene(3);
  const first = await shared.renew();
  first.acquire();
  for (let at = 0; at < 3; at++) await first.part(at);
  const second = await shared.renew();
  for (let at = 0; at < 3; at++) await second.part(at);
  expect([first.kept(2), second.kept(0) !== undefined]).toEqual([undefined, true]);
  expect(made).toEqual([0, 1, 2, 0, 1, 2]);
});

test("parts of a snapshot that nobody takes any more are not kept", async () => {
  const { shared } = openScene(3);
  const first = await shared.renew();
  const [part] = await Promise.all([first.part(0), first.part(1)]);
  expect(first.kept(0)).toBe(part);
  const late = first.part(2);
  shared.expire(Infinity);
  await late;
  expect([first.kept(0), first.kept(2)]).toEqual([undefined, undefined]);
  const second = await shared.renew();
  for (let at = 0; at < 3; at++) await second.part(at);
  expect(second.kept(0)).toBeDefined();
});

test("the next part is made while one is on its way, and no further one", async () => {
  const { get, made } = openScene();
  const reader = (await get()).body!.getReader();
  await reader.read();
  while (made.length < 2) await Bun.sleep(1);
  expect(made).toEqual([0, 1]);
  await reader.read();
  while (made.length < 3) await Bun.sleep(1);
  expect(made).toEqual([0, 1, 2]);
});

test("nothing is made ahead behind the end, or for so many that it would not be kept; a failure is that of whoever asks", async () => {
  const { shared, made, fail } = openScene();
  const one = await shared.renew();
  one.prepare(PARTS);
  const releases = Array.from({ length: 8 }, () => one.acquire());
  one.prepare(3);
  await one.part(0);
  expect(made).toEqual([0]);
  releases[0]!();
  one.prepare(3);
  await one.part(3);
  expect(made).toEqual([0, 3]);
  const outdated = new CsvError("outdated", "the table has changed too much meanwhile: try again");
  fail(outdated);
  one.prepare(4);
  expect(await one.part(4).catch((error: unknown) => error)).toBe(outdated);
});

test("however many readers take all at once, there is a turn of the event loop between any two chunks", async () => {
  const READERS = 20;
  const scene = openScene();
  await (await scene.get()).text(); // from now on all parts are there
  let turn = 0;
  let isOver = false;
  const count = () => void (turn++, isOver || setImmediate(count));
  setImmediate(count);
  const chunksIn = new Map<number, number>();
  const bodies = await Promise.all(Array.from({ length: READERS }, async () => (await scene.get()).body!));
  await Promise.all(
    bodies.map(async (body) => {
      for await (const _chunk of body) chunksIn.set(turn, (chunksIn.get(turn) ?? 0) + 1);
    }),
  );
  isOver = true;
  expect([...chunksIn.values()].reduce((sum, chunks) => sum + chunks)).toBe(READERS * PARTS);
  expect(Math.max(...chunksIn.values())).toBeLessThanOrEqual(2);
});
