// A server with several tables: each at its own address, as people and programs find them.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseMessage, SUBPROTOCOL } from "../src/feed/protocol.ts";
import { websocketServer } from "../src/index.ts";
import {
  connect,
  listOf,
  startServer,
  startServerWith,
  type TableList,
  temporaryFolder,
  TEST_TIMEOUT_MS,
  until,
} from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const namesOf = async (server: { http: string }) => (await listOf(server)).tables.map(({ name }) => name).join();

describe("several FILEs", () => {
  async function openScene() {
    const files = {
      "prices.csv": "a,b\n1,2\n",
      "orders.csv": "x\n5\n",
      "rates/eur.csv": "cur,eur\nusd,0.9\n",
    };
    const args = ["prices.csv", "orders.csv", "eur=rates/eur.csv", "--interval=50ms"];
    const scene = await startServerWith(files, args);
    await until("all tables", async () => (await listOf(scene.server)).tables.every(({ rows }) => rows === 1));
    return scene;
  }

  test("are each at /NAME: feeds, documents, events; the first at / and /csv, too", async () => {
    await using scene = await openScene();
    const { server, folder } = scene;
    const rows = {
      csv: '[{"a":"1","b":"2"}]',
      prices: '[{"a":"1","b":"2"}]',
      orders: '[{"x":"5"}]',
      eur: '[{"cur":"usd","eur":"0.9"}]',
    };
    for (const [name, json] of Object.entries(rows)) {
      await using plain = await connect(`ws://127.0.0.1:${server.port}/${name}`);
      expect(await plain.next()).toBe(json);
      await using live = await connect(`ws://127.0.0.1:${server.port}/${name}`, { protocols: [SUBPROTOCOL] });
      await live.nextThat("the rows", (text) => parseMessage(text)?.type === "snapshot");
      expect(await (await fetch(`${server.http}/${name}.json`)).text()).toBe(json);
      expect((await fetch(`${server.http}/${name}.ndjson`)).status).toBe(200);
      expect(await (await fetch(`${server.http}/${name}.csv`)).text()).toContain(Object.keys(JSON.parse(json)[0])[0]!);
      const events = await fetch(`${server.http}/${name}/events`);
      expect(events.headers.get("content-type")).toBe("text/event-stream");
      await events.body?.cancel();
      const page = await fetch(`${server.http}/${name}`);
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html;charset=utf-8"]);
    }
    await using follower = await connect(`ws://127.0.0.1:${server.port}/orders`);
    await using other = await connect(`ws://127.0.0.1:${server.port}/prices`);
    appendFileSync(join(folder.path, "orders.csv"), "6\n");
    await follower.nextThat("the new row", (text) => text === '[{"x":"5"},{"x":"6"}]');
    for (let n = 0; n < 3; n++) expect(await other.next()).toBe(rows.prices);
  });

  test("are listed, counted and told of", async () => {
    await using scene = await openScene();
    const { server, folder } = scene;
    const { tables, refused } = await listOf(server);
    expect(refused).toEqual([]);
    expect(tables).toMatchObject([
      { name: "prices", file: "prices.csv", path: "/csv", state: "live", rows: 1 },
      { name: "eur", file: "eur.csv", path: "/eur", state: "live", rows: 1 },
      { name: "orders", file: "orders.csv", path: "/orders", state: "live", rows: 1 },
    ]);
    const metrics = await (await fetch(`${server.http}/metrics`)).text();
    for (const name of ["prices", "eur", "orders"]) expect(metrics).toContain(`csvcast_file_rows{table="${name}"} 1\n`);
    const healthy = await fetch(`${server.http}/healthz`);
    expect(healthy.status).toBe(200);
    const health = (await healthy.json()) as { file: string; tables: Record<string, { state: string }> };
    expect([health.file, Object.keys(health.tables).sort()]).toEqual(["prices.csv", ["eur", "orders", "prices"]]);
    rmSync(join(folder.path, "rates/eur.csv"));
    const sick = await until("503", async () => {
      const response = await fetch(`${server.http}/healthz`);
      return response.status === 503 && response;
    });
    expect(await sick.json()).toMatchObject({
      state: "live",
      tables: { eur: { state: "missing" }, orders: { state: "live" } },
    });
    expect((await fetch(`${server.http}/livez`)).status).toBe(200);
  });

  test("have the same page for strangers as any name, who learn no name", async () => {
    await using scene = await openScene();
    const { http } = scene.server;
    const stranger = { headers: { "X-Forwarded-For": "203.0.113.9" } };
    for (const path of ["/orders", "/nothing", "/csv"]) {
      const response = await fetch(http + path, stranger);
      expect([path, response.status, response.headers.get("content-type")]).toEqual([
        path,
        200,
        "text/html;charset=utf-8",
      ]);
    }
    for (const path of ["/orders.json", "/nothing.json", "/tables.json", "/tables/events", "/healthz"])
      expect([path, (await fetch(http + path, stranger)).status]).toEqual([path, 401]);
    const missing = await fetch(`${http}/nothing`);
    expect(missing.status).toBe(404);
    expect(await missing.text()).toStartWith(
      "nothing: no table of that name; there are prices, eur, orders; and there is\n",
    );
  });
});

test("who follows the list hears of tables that come and go", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await using server = await startServer([`${folder.path}/`], { folder });
  await until("the table", async () => (await namesOf(server)) === "a");
  const abort = new AbortController();
  const response = await fetch(`${server.http}/tables/events`, { signal: abort.signal });
  let text = "";
  const reading = (async () => {
    for await (const piece of response.body!) text += Buffer.from(piece).toString();
  })().catch(() => {});
  await folder.write("b.csv", "x\n1\n");
  const heard = () =>
    text.split("\n").flatMap((line) => (line.startsWith("data: ") ? [JSON.parse(line.slice(6)) as TableList] : []));
  await until(
    "the second",
    () =>
      heard()
        .at(-1)
        ?.tables.map(({ name }) => name)
        .join() === "a,b",
  );
  expect(heard()[0]!.tables.map(({ path }) => path)).toEqual(["/csv"]);
  abort.abort();
  await reading;
});

describe("the newest file", () => {
  /** Birth times are those of the kernel's clock, which goes on every few ms: a file that is made from now on is younger than all here. */
  async function begunLater(folder: string): Promise<void> {
    const probe = join(folder, "probe");
    const bornAt = () => {
      rmSync(probe, { force: true });
      writeFileSync(probe, "");
      return statSync(probe).birthtimeMs;
    };
    const now = bornAt();
    await until("the clock to go on", () => bornAt() > now);
  }

  async function openNewest(
    write: (put: (name: string, text: string) => void, later: () => Promise<void>) => Promise<void>,
  ) {
    const folder = await temporaryFolder();
    const put = (name: string, text: string) => writeFileSync(join(folder.path, name), text);
    const later = () => begunLater(folder.path);
    await write(put, later);
    const server = websocketServer({ file: folder.path, isNewest: true, intervalMs: 50, hostname: "127.0.0.1" });
    const http = `http://127.0.0.1:${server.address.port}`;
    const shows = (file: string, rows: number) =>
      until(
        `${rows} rows of ${file}`,
        () => server.overview().publication?.about.name === file && server.overview().publication?.rows === rows,
        () => JSON.stringify(server.overview().publication),
      );
    return {
      folder,
      put,
      later,
      server,
      http,
      shows,
      async [Symbol.asyncDispose]() {
        await server.close(0);
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  test("is the table, and the next one once it has a row; back only if it is deleted", async () => {
    await using scene = await openNewest(async (put, later) => {
      put("run-2.csv", "x\n1\n2\n");
      await later();
      put("run-1.csv", "x\n1\n");
    });
    const { folder, put, later, shows, server, http } = scene;
    await shows("run-1.csv", 1);
    await using client = await connect(`ws://127.0.0.1:${server.address.port}/`, { protocols: [SUBPROTOCOL] });
    const first = parseMessage(await client.nextThat("a snapshot", (text) => parseMessage(text)?.type === "snapshot"));
    await later();
    put("run-3.csv", "x\n");
    appendFileSync(join(folder.path, "run-1.csv"), "2\n");
    await shows("run-1.csv", 2);
    utimesSync(join(folder.path, "run-2.csv"), new Date(), new Date()); // written later, but begun before
    appendFileSync(join(folder.path, "run-3.csv"), "7\n");
    await shows("run-3.csv", 1);
    const isNext = (text: string) => {
      const message = parseMessage(text);
      return message?.type === "snapshot" && message.epoch !== (first as { epoch: string }).epoch;
    };
    await client.nextThat("the other table", isNext);
    expect(await namesOf({ http })).toBe(folder.path.split("/").at(-1)!);
    rmSync(join(folder.path, "run-3.csv"));
    await shows("run-1.csv", 2);
  });

  test("may be none at first", async () => {
    await using scene = await openNewest(async () => {});
    expect((await fetch(`${scene.http}/healthz`)).status).toBe(503);
    scene.put("a.csv", "x\n1\n");
    await scene.shows("a.csv", 1);
  });

  test("without rows is passed over for one that has some", async () => {
    await using scene = await openNewest(async (put, later) => {
      put("a.csv", "x\n1\n");
      await later();
      put("b.csv", "x\n");
    });
    await scene.shows("a.csv", 1);
    appendFileSync(join(scene.folder.path, "b.csv"), "5\n");
    await scene.shows("b.csv", 1);
  });
});
