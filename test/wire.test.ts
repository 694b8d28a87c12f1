// The wire of the only table of a server, and of each where there are several: of a FILE, with a name, of a folder, the newest file, of the web; and of a replica.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { engines, skipped, startRedis } from "./redis.ts";
import { serve } from "./relay/serving.ts";
import { temporaryFolder } from "./support.ts";
import { WIRE, type WireTable } from "./wire.ts";

setDefaultTimeout(60_000);

/** Rows, and how they are written to where a table comes from. */
function openContent(write: (text: string) => void): Omit<WireTable, "http"> {
  let rows: [string, string][] = [["1", "é"]];
  let count = 1;
  const store = async (next: [string, string][]) =>
    write(`a,b\n${(rows = next).map((row) => `${row.join()}\n`).join("")}`);
  void store(rows);
  return {
    rows: () => rows,
    append: () => store([...rows, [String(++count), "x"]]),
    replace: () => store([[String(++count), "first"], ...rows.slice(1)]),
  };
}

async function openScene() {
  const folder = await temporaryFolder();
  const contents = new Map<string, Omit<WireTable, "http">>();
  const fileAt = (name: string, path: string) => {
    const full = join(folder.path, path);
    mkdirSync(dirname(full), { recursive: true });
    contents.set(
      name,
      openContent((text) => writeFileSync(full, text)),
    );
    return full;
  };
  let body = "";
  const web = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(body) });
  const tables = [
    { location: fileAt("one", "one.csv") },
    { location: fileAt("named", "two.csv"), name: "named" },
    { location: `http://127.0.0.1:${web.port}/web.csv` },
    { location: dirname(fileAt("within", "data/within.csv")) },
  ];
  contents.set(
    "web",
    openContent((text) => void (body = text)),
  );
  contents.set("csv", contents.get("one")!);
  contents.set("runs", contents.get(fileAt("newest", "runs/r1.csv") && "newest")!);
  contents.delete("newest");
  return {
    ...{ folder, tables, contents },
    runs: join(folder.path, "runs"),
    table: (server: { http: string }, name: string): WireTable => ({
      ...contents.get(name)!,
      http: `${server.http}/${name}`,
    }),
    async [Symbol.asyncDispose]() {
      await web.stop(true);
      await folder[Symbol.asyncDispose]();
    },
  };
}

const QUICK = { pollMs: 50, settleMs: 20 };
const MANY = ["one", "csv", "named", "web", "within"];

describe.each(WIRE)("$name", ({ holds }) => {
  test("at each address of a server of many", async () => {
    await using scene = await openScene();
    await using server = serve({ ...QUICK, tables: scene.tables });
    await server.lists("one /csv live 1", "named /named live 1", "web /web live 1", "within /within live 1");
    for (const name of MANY) await holds(scene.table(server, name));
  });

  test("of the only table", async () => {
    await using scene = await openScene();
    await using server = serve({ ...QUICK, file: scene.tables[0]!.location });
    await server.lists("one /csv live 1");
    for (const name of ["csv", "one"]) await holds(scene.table(server, name));
  });

  test("of the newest file of a folder", async () => {
    await using scene = await openScene();
    await using server = serve({ ...QUICK, file: scene.runs, isNewest: true });
    await server.lists("runs /csv live 1");
    await holds(scene.table(server, "runs"));
  });

  test.skipIf(engines.length === 0)(`at each address of a replica${skipped}`, async () => {
    await using scene = await openScene();
    await using redis = await startRedis(scene.folder.path);
    const relayUrl = `redis://127.0.0.1:${redis.port}`;
    await using server = serve({ ...QUICK, tables: scene.tables, relayUrl });
    await using replica = serve({ file: relayUrl });
    await replica.lists("one /csv live 1", "named /named live 1", "web /web live 1", "within /within live 1");
    for (const name of MANY) await holds(scene.table(replica, name));
    expect(await replica.shown()).toEqual(await server.shown());
  });
});
