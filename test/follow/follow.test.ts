// Tables one after the other, for a loop.
import { expect, setDefaultTimeout, test } from "bun:test";
import { FeedError, follow } from "../../src/follow/follow.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { openScriptedServer, rowsOf, speaker, statusOf } from "./scripted-server.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const a = speaker("k3f9");
const LIVE = statusOf("live");
const quick = { firstDelayMs: 1, maxDelayMs: 20 };

test("a loop gets the table once it is all there, and again after each change, until it breaks", async () => {
  await using server = openScriptedServer();
  const visiting = server.visit();
  const seen: string[] = [];
  void visiting.then((visit) => visit.send(a.snapshot(1, rowsOf("x")), a.delta(1, [[1, 0, rowsOf("y")]], 2), LIVE));
  for await (const { rows, columns } of follow(server.url, quick)) {
    seen.push(`${columns}: ${rows.flat()}`);
    if (rows.length === 3) break;
    (await visiting).send(a.delta(2, [[2, 0, rowsOf("z")]], 3));
  }
  expect(seen).toEqual(["a: x,y", "a: x,y,z"]);
  const visit = await visiting;
  await until("the connection to end", visit.isOver);
});

test("a slow body skips what comes in between, and what it holds does not change under it", async () => {
  await using server = openScriptedServer();
  const visiting = server.visit();
  void visiting.then((visit) => visit.send(a.snapshot(1, rowsOf("0")), LIVE));
  const seen: number[] = [];
  let version = 1;
  for await (const { rows } of follow(server.url, {
    ...quick,
    onChange: ({ rows: now }) => void (version = now.length),
  })) {
    seen.push(rows.length);
    if (rows.length === 4) break;
    for (let from = 1; from <= 3; from++) (await visiting).send(a.delta(from, [[from, 0, rowsOf("n")]], from + 1));
    await until("three changes", () => version === 4);
    expect(rows).toHaveLength(1);
  }
  expect(seen).toEqual([1, 4]);
});

test("a lost connection is no end, and no table comes twice", async () => {
  await using server = openScriptedServer();
  const seen: string[] = [];
  const loop = (async () => {
    for await (const { rows } of follow(server.url, quick)) {
      seen.push(String(rows.flat()));
      if (rows.length === 2) break;
    }
  })();
  const first = await server.visit();
  first.send(a.snapshot(1, rowsOf("x")), LIVE);
  await until("a table", () => seen.length === 1);
  first.close();
  (await server.visit()).send(LIVE, a.sync(1, 1), a.delta(1, [[1, 0, rowsOf("y")]], 2));
  await loop;
  expect(seen).toEqual(["x", "x,y"]);
});

test("a signal ends the loop, also while it waits, and at once if it was given before", async () => {
  await using server = openScriptedServer();
  const ending = new AbortController();
  const loop = Array.fromAsync(follow(server.url, { ...quick, signal: ending.signal }));
  const visit = await server.visit();
  ending.abort();
  expect(await loop).toEqual([]);
  await until("the connection to end", visit.isOver);
  expect(await Array.fromAsync(follow(server.url, { signal: AbortSignal.abort() }))).toEqual([]);
  expect(server.count()).toBe(1);
});

test("the loop throws when it is of no use to go on", async () => {
  await using server = openScriptedServer();
  void server.visit().then((visit) => visit.close(1008, "not you"));
  const failure = await Array.fromAsync(follow(server.url)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(FeedError);
  expect(failure).toMatchObject({ name: "FeedError", message: "not you" });
});
