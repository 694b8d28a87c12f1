// Servers with several tables and a relay between them: what a replica serves.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { relayKeys } from "../../src/relay/wire.ts";
import { openCopy } from "../hub/copy.ts";
import { engines, skipped } from "../redis.ts";
import { connect, run, TEST_TIMEOUT_MS, until } from "../support.ts";
import { fill, FILLED, openScene, serve } from "./serving.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

describe.skipIf(engines.length === 0)(`a relay of several tables${skipped}`, () => {
  test("has a replica serve each at its address, under its name, as its publisher does", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using publisher = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url });
    await replica.lists(...FILLED);
    expect(await replica.shown()).toEqual(await publisher.shown());
    for (const path of ["/csv.json", "/prices.json", "/orders.csv", "/trades.ndjson"])
      expect(await replica.text(path)).toBe(await publisher.text(path));
    await using live = await connect(`${replica.url}/orders`, { protocols: [SUBPROTOCOL] });
    await using plain = await connect(`${replica.url}/trades`);
    expect(await plain.next()).toBe('[{"y":"6"},{"y":"7"}]');
    const copy = openCopy();
    while (copy.take(await live.next()).type !== "sync");
    await appendFile(scene.path("data/orders.csv"), "8\n");
    while (copy.rows().length < 2) copy.take(await live.next());
    expect(copy.json()).toBe('[{"x":"5"},{"x":"8"}]');
    const printed = await run("client", ["--list", replica.url], { folder: scene.folder });
    expect(printed.stdout.split("\n").slice(0, 3)).toEqual([
      ...["prices\t1\tlive\tprices.csv", "orders\t2\tlive\torders.csv", "trades\t2\tlive\ttrades.csv"],
    ]);
    await until("the counts", async () => (await replica.health()).relay["tables"] === 3);
    const { relay, tables } = await replica.health();
    expect(relay).toMatchObject({ role: "replica", topic: "csv", connected: true, tables: 3 });
    const named = Object.entries(tables).map(([name, table]) => [name, (table as { isNamed: boolean }).isNamed]);
    expect(named).toEqual([
      ["prices", true],
      ["orders", false],
      ["trades", false],
    ]);
    expect((await publisher.health()).relay).toMatchObject({ role: "publisher", tables: 3, pendingEntries: 0 });
    expect(await replica.text("/metrics")).toMatch(/^csvcast_file_rows\{table="orders"\} 2$/m);
  });

  test("has all its tables beside other FILEs, but for names that are taken there, and until it is taken off", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using publisher = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await publisher.lists(...FILLED);
    await scene.folder.write("own.csv", "o\n1\n");
    await scene.folder.write("orders.csv", "o\n1\n2\n");
    const own = scene.tables("own.csv", "orders.csv");
    await using replica = serve({ tables: [...own, { location: scene.url, name: "far" }] });
    await replica.lists("own /csv live 1", "far /far live 1", "orders /orders live 2", "trades /trades live 2");
    expect((await replica.list()).refused).toEqual([
      {
        file: expect.stringMatching(/^topic csv at /) as string,
        reason: "its orders is left out: there is a /orders here",
      },
    ]);
    expect(replica.server.remove("orders")).toBe(true);
    await replica.lists("own /csv live 1", "far /far live 1", "orders /orders live 1", "trades /trades live 2");
    expect((await replica.list()).refused).toEqual([]);
    expect(replica.server.remove("far")).toBe(true);
    await replica.lists("own /csv live 1");
  });

  test("has tables come and go where its publisher has them come and go", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using publisher = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url });
    await replica.lists(...FILLED);
    const events = await fetch(`${replica.http}/tables/events`);
    let heard = "";
    const hearing = (async () => {
      for await (const chunk of events.body!) heard += Buffer.from(chunk).toString();
    })().catch(() => {});
    await using client = await connect(`${replica.url}/trades`);
    await scene.folder.write("data/new.csv", "z\n1\n");
    await replica.lists(FILLED[0]!, "new /new live 1", ...FILLED.slice(1));
    expect(publisher.server.remove("trades")).toBe(true);
    await replica.lists(FILLED[0]!, "new /new live 1", FILLED[1]!);
    expect(await client.closed).toEqual({ code: 1001, reason: "the publisher has this table no more" });
    expect((await fetch(`${replica.http}/trades.json`)).status).toBe(404);
    await until("the events", () => heard.includes('"name":"new"') && !heard.split("data:").at(-1)!.includes("trades"));
    expect(replica.events).toContainEqual({
      type: "file-gone",
      file: expect.stringMatching(/^trades \(topic csv at /) as string,
    });
    await replica.server.close(0);
    await hearing;
  });

  test("of one table has the replica call it as its publisher does", async () => {
    await using scene = await openScene();
    await scene.folder.write("prices.csv", "a\n1\n");
    await scene.folder.write("other.csv", "a\n1\n2\n");
    await using publisher = serve({ file: scene.path("prices.csv"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url });
    await replica.lists("prices /csv live 1");
    expect(await replica.text("/prices.json")).toBe('[{"a":"1"}]');
    await publisher.server.open(scene.path("other.csv"));
    await replica.lists("other /csv live 2");
    expect((await replica.list()).refused).toEqual([]);
  });

  test("with more tables than a replica may have leaves some out, and that is said", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using _publisher = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url, maxTables: 2 });
    await replica.lists(FILLED[0]!, FILLED[1]!);
    expect((await replica.list()).refused).toEqual([
      {
        file: expect.stringContaining("topic csv at ") as string,
        reason: "1 more tables: 2 tables are served already (--max-tables)",
      },
    ]);
  });

  test("whose list is not to be trusted serves no name that is none, and keeps the tables", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using publisher = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url });
    await replica.lists(...FILLED);
    await publisher.server.close(0);
    const { tables, beat } = relayKeys("csv");
    const store = async (list: string, text: string) => {
      await scene.redis.send("SET", [tables, text]);
      await scene.redis.send("XADD", [beat, "*", "h", JSON.stringify({ kind: "beat", list, tables: {} })]);
    };
    await store("x", "{");
    const reasons = async () => (await replica.list()).refused.map(({ reason }) => reason).join();
    await until("it to be said", async () => (await reasons()) === "what came is no JSON");
    expect((await replica.list()).tables).toHaveLength(3);
    const others = ["orders", "healthz", "\u001b[2J", "../x"];
    await store("y", JSON.stringify({ id: "y", first: "\u202e", others }));
    await until("the next one", async () => (await replica.list()).tables.length === 2);
    expect((await replica.list()).tables.map(({ path }) => path)).toEqual(["/csv", "/orders"]);
    expect(await reasons()).toBe(
      "3 names in the list of tables are malformed,1 of its tables have a name that is none",
    );
  });

  test("gives way to a file that is typed at a replica", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using _publisher = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url });
    await replica.lists(...FILLED);
    await replica.server.open(scene.path("data/orders.csv"));
    await replica.lists("orders /csv live 1");
  });
});
