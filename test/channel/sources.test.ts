// What sources are called wherever it is shown, and when they last changed: with the real program.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, stat, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { nameOf, openSources } from "../../src/channel/sources.ts";
import type { Source } from "../../src/source/source.ts";
import { NO_EVENTS, settingsOf } from "../source/writer.ts";
import { startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { becomes, healthOf, healthText, neverTellsTheFolder } from "./sources.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

test.each([
  { location: "-", name: "standard input" },
  { location: "/a/b/c.csv", name: "c.csv" },
  { location: "c.csv", name: "c.csv" },
  { location: "/a/b\t/c\t.csv", name: '"c\\t.csv"' },
  { location: "redis://user:secret@redis.example/3?topic=line1", name: "topic line1 at redis.example:6379/3" },
])("$location is called $name", ({ location, name }) => {
  expect(nameOf(location)).toBe(name);
});

describe("the folder of a file is never told, though the file is called", () => {
  test(JSON.stringify("$`$'$1$$.csv"), () => neverTellsTheFolder("$`$'$1$$.csv"));

  test("a refused one neither", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer([], { folder, stdin: "open" });
    server.type(`${join(folder.path, "no\u0007such$&.csv")}\n`);
    await server.prints("no such file", "stderr");
    expect(await healthText(server)).not.toContain(folder.path);
    expect(server.stderr()).toContain(nameOf("no\u0007such$&.csv"));
    expect(server.stderr()).not.toContain(folder.path);
  });
});

test("standard input is called that, once, and what is wrong with it names the options by their names", async () => {
  await using folder = await temporaryFolder();
  await using server = await startServer(["-", "--max-cell=1KiB"], { folder, stdin: "open" });
  server.type("x-y\n1-2\n");
  expect((await becomes(server, "live")).file).toBe("standard input");
  server.type(`${"y".repeat(2_000)}\n`);
  const { message } = await until("its state to be another", async () => {
    const health = await healthOf(server);
    return health.state !== "live" && health;
  });
  expect(message).toStartWith("standard input: ");
  expect(message).toContain("--max-cell");
  expect(message.split("standard input").length).toBe(2);
  expect(server.stdout() + server.stderr()).not.toMatch(/standard input\S*standard input/);
});

test("a file that is three days old changed when it says, for Prometheus and in /healthz; then when it is appended to", async () => {
  const THREE_DAYS_S = 3 * 24 * 3600;
  await using folder = await temporaryFolder();
  const path = await folder.write("f.csv", "x\n1\n");
  const then = Math.floor(Date.now() / 1000) - THREE_DAYS_S;
  await utimes(path, then, then);
  await using server = await startServer([path], { folder });
  await becomes(server, "live");
  const changed = async () => {
    const text = await (await fetch(`${server.http}/metrics`)).text();
    return Number(/^csvcast_file_changed_timestamp_seconds\{table="[^"]+"\} (\S+)$/m.exec(text)?.[1]);
  };
  expect(await changed()).toBe((await stat(path)).mtimeMs / 1000);
  expect(await changed()).toBe(then);
  const { changedMs } = await healthOf(server);
  expect(Math.abs(changedMs / 1000 - THREE_DAYS_S)).toBeLessThan(60);

  await appendFile(path, "2\n");
  await until("the change", async () => Date.now() / 1000 - (await changed()) < 60);
});

test("large files share no Worker with small ones, and there are no more Workers than are needed", async () => {
  await using folder = await temporaryFolder();
  const threads: string[][] = [];
  const sources = openSources(() => {
    const opened: string[] = [];
    threads.push(opened);
    const open = ({ location }: { location: string }): Source => {
      opened.push(nameOf(location));
      return { snapshot: () => Promise.reject(new Error("none")), close: () => {} };
    };
    return { open, close: () => {} };
  });
  const open = (location: string) => sources.open(settingsOf(location), NO_EVENTS);
  const small = await folder.write("small.csv", "a\n1\n");
  const large = await folder.write("large.csv", "a\n1\n");
  await truncate(large, 80 << 20);
  const first = open(small);
  open(large);
  open(join(folder.path, "none.csv"));
  open("https://example.test/web.csv");
  open(large);
  expect(threads).toEqual([["small.csv", "web.csv"], ["large.csv"], ["none.csv"], ["large.csv"]]);
  first.close();
  open(small);
  for (let n = 0; n < 10; n++) open(large);
  expect(threads).toHaveLength(6);
  const ofLarge = threads.filter((names) => names.includes("large.csv"));
  expect(ofLarge).toHaveLength(4);
  expect(ofLarge.flat().every((name) => name === "large.csv")).toBe(true);
  sources.close();
});
