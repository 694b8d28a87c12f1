import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { follow, temporaryFolder } from "./writer.ts";

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

test("a file that is no CSV is refused, once, and not followed", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  await using followed = follow(path);
  await followed.until(() => followed.message() !== "", "refused");
  expect(followed.message()).toBe(`${path}: not a CSV but a PNG image`);
  expect(followed.publications()).toEqual([]);
});
