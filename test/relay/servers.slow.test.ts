// Servers with several tables and a relay between them: tables of every kind, and who takes over.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, mkdir, rm } from "node:fs/promises";
import { relayKeys } from "../../src/relay/wire.ts";
import { engines, skipped } from "../redis.ts";
import { connect, TEST_TIMEOUT_MS, until } from "../support.ts";
import { fill, FILLED, openScene, serve } from "./serving.ts";

setDefaultTimeout(2 * TEST_TIMEOUT_MS);

describe.skipIf(engines.length === 0)(`a relay of several tables${skipped}`, () => {
  test("has the newest file, a table with a name of its own, one of the web, and a replay", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using web = Bun.serve({
      port: 0,
      fetch: () => new Response("w\n3\n", { headers: { "content-type": "text/csv" } }),
    });
    await using several = serve({
      tables: [
        { location: scene.path("prices.csv"), name: "eur" },
        { location: `http://127.0.0.1:${web.port}/of-web.csv` },
      ],
      relayUrl: scene.url,
    });
    await using newest = serve({ file: scene.path("data"), isNewest: true, relayUrl: `${scene.url}?topic=newest` });
    await using replay = serve({
      ...{ tables: scene.tables("prices.csv", "data/trades.csv"), replay: { rowsPerSecond: 1_000 } },
      relayUrl: `${scene.url}?topic=replay`,
    });
    await using ofSeveral = serve({ file: scene.url });
    await ofSeveral.lists("eur /csv live 1", "of-web /of-web live 1");
    await using ofNewest = serve({ file: `${scene.url}?topic=newest` });
    await ofNewest.lists(...(await newestOf(newest)));
    await using ofReplay = serve({ file: `${scene.url}?topic=replay` });
    await ofReplay.lists("prices /csv live 1", "trades /trades live 2");
    expect(await ofReplay.text("/healthz")).toContain('"isFinished":true');
    for (const { events } of [several, newest, replay])
      expect(events.filter(({ type }) => type.startsWith("relay-")).map(({ type }) => type)).toEqual([
        "relay-published",
      ]);
  });

  test("has a standby follow all tables, and publish its own when the lease lapses", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await mkdir(scene.path("own"));
    await scene.folder.write("own/orders.csv", "x\n50\n51\n52\n");
    await scene.folder.write("own/late.csv", "l\n1\n");
    await using first = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url });
    await replica.lists(...FILLED);
    await using standby = serve({ tables: scene.tables("prices.csv", "own"), relayUrl: scene.url, isStandby: true });
    await standby.lists(...FILLED);
    expect((await standby.health()).relay).toMatchObject({ role: "standby", connected: true });
    await using client = await connect(`${standby.url}/orders`);
    expect(await client.next()).toBe('[{"x":"5"}]');
    await first.server.close(0);
    const own = ["prices /csv live 1", "late /late live 1", "orders /orders live 3"];
    await standby.lists(...own);
    await replica.lists(...own);
    await client.nextThat("its own table", (text) => text === '[{"x":"50"},{"x":"51"},{"x":"52"}]');
    await appendFile(scene.path("own/orders.csv"), "53\n");
    await replica.lists(own[0]!, own[1]!, "orders /orders live 4");
    const gone = relayKeys("csv", "trades");
    expect(await scene.redis.send("EXISTS", [gone.stream, gone.head, gone.pointer])).toBe(0);
  });

  test("whose publisher begins again keeps every table meanwhile, stale", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    const options = { tables: scene.tables("prices.csv", "data"), relayUrl: scene.url };
    await using replica = serve({ file: scene.url });
    {
      await using _publisher = serve(options);
      await replica.lists(...FILLED);
    }
    await replica.lists(...FILLED.map((line) => line.replace("live", "stale")));
    expect((await replica.list()).tables.length).toBe(3);
    await appendFile(scene.path("data/trades.csv"), "8\n");
    await using _again = serve(options);
    await replica.lists(FILLED[0]!, FILLED[1]!, "trades /trades live 3");
  });

  test("has a file that is gone from a folder leave the replica when it leaves its publisher", async () => {
    await using scene = await openScene();
    await fill(scene.folder);
    await using publisher = serve({ tables: scene.tables("prices.csv", "data"), relayUrl: scene.url });
    await using replica = serve({ file: scene.url });
    await replica.lists(...FILLED);
    await rm(scene.path("data/trades.csv"));
    await until("the grace", () => publisher.events.some(({ type }) => type === "file-leaving"));
    await replica.lists(FILLED[0]!, FILLED[1]!, "trades /trades missing 2");
    await until("its end", () => publisher.events.some(({ type }) => type === "file-gone"));
    await replica.lists(FILLED[0]!, FILLED[1]!);
  });
});

async function newestOf(server: ReturnType<typeof serve>): Promise<string[]> {
  await until("the newest", async () => / live [12]$/.test((await server.shown())[0]!));
  return server.shown();
}
