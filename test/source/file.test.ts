import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, utimesSync, writeFileSync } from "node:fs";
import type { Publication } from "../../src/feed/publication.ts";
import { openThread } from "../../src/source/thread.ts";
import { until } from "../support.ts";
import { follow, NO_EVENTS, settingsOf, temporaryFolder, WORKER } from "./writer.ts";

setDefaultTimeout(30_000);

test("a Worker that dies is started again, and the feed goes on", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, "a,b\n1,2\n");
  await using followed = follow(path);
  await followed.converges(path);
  followed.crash();
  await followed.until(() => followed.states().includes("stale"), "told of the crash");
  expect(followed.message()).toContain("the reader failed and is started again");
  expect(followed.rows()).toEqual([["1", "2"]]);
  appendFileSync(path, "3,4\n");
  await followed.converges(path);
  expect(followed.state()).toBe("live");
});

test("a file that is not there is refused, with the name that may be meant", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.path("prices.csv"), "a\n1\n");
  await using followed = follow(folder.path("price.csv"));
  await followed.until(() => followed.message() !== "", "refused");
  expect(followed.message()).toBe("price.csv: no such file; is prices.csv meant?");
});

test("a file that is no CSV is refused, once, and not followed", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  await using followed = follow(path);
  await followed.until(() => followed.message() !== "", "refused");
  expect(followed.message()).toBe("f.csv: not a CSV but a PNG image");
  expect(followed.publications()).toEqual([]);
});

test.concurrent.each([
  { name: "long ago", modifiedAt: 1_700_000_000_000, isOld: true },
  { name: "in the future, by a clock that is ahead", modifiedAt: Date.now() + 86_400_000, isOld: false },
])("a first table changed when the file says: $name", async ({ modifiedAt, isOld }) => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, "a\n1\n");
  utimesSync(path, modifiedAt / 1000, modifiedAt / 1000);
  const published: Publication[] = [];
  const thread = openThread(WORKER);
  try {
    const openedAt = Date.now();
    thread.open(settingsOf(path), { ...NO_EVENTS, onPublication: (publication) => published.push(publication) });
    await until("the first table", () => published.length > 0);
    const { changedAt } = published[0]!.about;
    if (isOld) expect(changedAt).toBe(modifiedAt);
    else expect(changedAt).toBeWithin(openedAt, Date.now() + 1);
    appendFileSync(path, "2\n");
    await until("the next one", () => published.length > 1);
    expect(published[1]!.about.changedAt).toBeWithin(openedAt, Date.now() + 1);
  } finally {
    thread.close();
  }
});

test.concurrent("a name with control characters is written out, and never with its folder", async () => {
  using folder = temporaryFolder();
  const path = folder.path("a\t$&\u001b[1m.csv");
  writeFileSync(path, "a\n1\n");
  const names: string[] = [];
  const thread = openThread(WORKER);
  try {
    thread.open(settingsOf(path), { ...NO_EVENTS, onPublication: ({ about }) => void names.push(about.name) });
    await until("the first table", () => names.length > 0);
    expect(names).toEqual(['"a\\t$&\\u001b[1m.csv"']);
  } finally {
    thread.close();
  }
});
