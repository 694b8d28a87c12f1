// The history check: every table that was ever published is a version that the file really had, whole; versions never go back;
// and where lines are appended none is lost, doubled or out of order.
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { RUNS } from "../fuzz/random.ts";
import { follow, temporaryFolder } from "../source/writer.ts";

setDefaultTimeout(30_000);

/** CSVCAST_RUNS asks for more. */
const VERSIONS = RUNS < 8 ? 20 : 40;
const HEAD = "id,version,again\n";

/** Every cell of version v says v, and it has a number of rows of its own: a mixture cannot look like a version. */
const WRITER = `
const fs = require("fs");
const [path, count] = [process.argv[1], Number(process.argv[2])];
const rowsOf = (v) => 20 + ((v * 7919) % 400);
const textOf = (v) => "id,version,again\\n" + Array.from({ length: rowsOf(v) }, (_, r) => r + "," + v + "," + v + "\\n").join("");
const inPieces = async (v) => {
  const fd = fs.openSync(path, "w"), text = textOf(v), step = Math.ceil(text.length / 5);
  for (let at = 0; at < text.length; at += step) { fs.writeSync(fd, text.slice(at, at + step)); await Bun.sleep(2); }
  fs.closeSync(fd);
};
const renamed = (v) => { fs.writeFileSync(path + ".new", textOf(v)); fs.renameSync(path + ".new", path); };
const atOnce = (v) => fs.writeFileSync(path, textOf(v));
const truncatedFirst = async (v) => { fs.truncateSync(path, 0); await Bun.sleep(3); atOnce(v); };
const ways = [inPieces, renamed, atOnce, truncatedFirst];
for (let v = 1; v <= count; v++) {
  await ways[v % ways.length](v);
  await Bun.sleep(v % 5 === 0 ? 400 : 10 + (v % 3) * 30);
}`;

test.concurrent.each([
  ["with file events", true],
  ["without", false],
] as const)(
  "each published table is one version of the file, and versions never go back: %s",
  async (_how, watches) => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, HEAD);
    await using followed = follow(path, { watches, settleMs: 250 });
    await followed.until(() => followed.state() === "live", "live");
    const writer = Bun.spawn([process.execPath, "-e", WRITER, path, `${VERSIONS}`], {
      stdout: "inherit",
      stderr: "inherit",
    });
    expect(await writer.exited).toBe(0);
    await followed.converges(path);
    const seen = followed.publications().filter(({ splices, rows }) => splices !== undefined && rows.length > 0);
    const versions = seen.map(({ rows }) => {
      const version = Number(rows[0]?.[1]);
      const isWhole =
        rows.length === 20 + ((version * 7919) % 400) &&
        rows.every((row, r) => row.join() === `${r},${version},${version}`);
      return isWhole ? version : `a mixture of ${rows.length} rows: ${JSON.stringify(rows).slice(0, 200)}`;
    });
    expect(versions).toEqual([...versions].sort((a, b) => Number(a) - Number(b)));
    expect(versions.every((version) => typeof version === "number")).toBe(true);
    expect(followed.rows()[0]?.[1]).toBe(`${VERSIONS}`);
  },
);

const APPENDER = `
const fs = require("fs");
const fd = fs.openSync(process.argv[1], "a");
for (let i = 0; i < 20000; ) {
  let text = "";
  for (let n = 1 + (i % 40); n > 0 && i < 20000; n--) text += i + ",x" + i + ",y\\n", i++;
  const cut = i % 3 === 0 ? text.length >> 1 : text.length;
  fs.writeSync(fd, text.slice(0, cut));
  if (i % 500 < 40) await Bun.sleep(1);
  fs.writeSync(fd, text.slice(cut));
}`;

test.concurrent("of appended lines none is lost, doubled, torn or out of order", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, HEAD);
  await using followed = follow(path, { settleMs: 250 });
  await followed.until(() => followed.state() === "live", "live");
  const writer = Bun.spawn([process.execPath, "-e", APPENDER, path], { stdout: "inherit", stderr: "inherit" });
  expect(await writer.exited).toBe(0);
  await followed.converges(path);
  for (const { rows, splices } of followed.publications()) {
    if (splices === undefined) continue;
    expect(rows.findIndex((row, r) => row.join() !== `${r},x${r},y`)).toBe(-1);
  }
  expect(followed.rows()).toHaveLength(20_000);
});
