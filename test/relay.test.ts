// The relay, with real servers and a real Redis: what clients of a replica get, and who may publish.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { parseMessage, SUBPROTOCOL } from "../src/feed/protocol.ts";
import { relayKeys } from "../src/relay/wire.ts";
import { openCopy } from "./hub/copy.ts";
import { engines, skipped, startProxy, startRedis } from "./redis.ts";
import {
  connect,
  type Folder,
  type RunningServer,
  start,
  startServer,
  temporaryFolder,
  TEST_TIMEOUT_MS,
  until,
} from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const BEAT = ["--relay-heartbeat=100ms", "--heartbeat=100ms"];
const keys = relayKeys("csv");
const CSV = '11,__proto__,a,a\n66,x,"1,5","l1\nl2"\n,,,\n';

const publish = (path: string, port: number, folder: Folder, ...args: string[]) =>
  startServer([path, `--relay=redis://127.0.0.1:${port}`, ...BEAT, ...args], { folder });
const follow = (port: number, folder: Folder, ...args: string[]) =>
  startServer([`redis://127.0.0.1:${port}/0?topic=csv`, ...BEAT, ...args], { folder });

type Health = {
  state: string;
  message: string;
  rows: number;
  version: number;
  epoch: string;
  file: string;
  relay: Record<string, unknown>;
};
const healthOf = async ({ http }: RunningServer) => (await (await fetch(`${http}/healthz`)).json()) as Health;
const becomes = (server: RunningServer, what: string, passes: (health: Health) => boolean) =>
  until(`a server to be ${what}`, async () => {
    const health = await healthOf(server);
    return passes(health) && health;
  });
const jsonOf = async ({ http }: RunningServer) => (await fetch(`${http}/csv.json`)).text();

/** Clients of every kind, and what each of them got, but for the clock. */
async function openTape(server: RunningServer) {
  const tape: string[] = [];
  const plain = await connect(server.url);
  const live = await connect(server.url, { protocols: [SUBPROTOCOL] });
  const copy = openCopy();
  const events = new AbortController();
  const stream = await fetch(`${server.http}/csv/events`, { signal: events.signal });
  let heard = "";
  const hearing = (async () => {
    for await (const chunk of stream.body!) heard += Buffer.from(chunk).toString();
  })().catch(() => {});

  async function liveUntilSync(name: string, client = live, held = copy): Promise<void> {
    for (;;) {
      const message = held.take(await client.next());
      if (message.type === "sync" && JSON.parse(held.json()).length === message.count && tape.length > 0) break;
      if (message.type !== "sync") tape.push(`${name}: ${JSON.stringify(message)}`);
    }
    tape.push(`${name} holds ${held.cursor()} ${held.json()}`);
  }

  async function doors(): Promise<void> {
    for (const [path, headers] of [
      ["/csv.json", {}],
      ["/csv.ndjson", {}],
      ["/csv.csv", {}],
      ["/csv.csv", { "If-None-Match": `W/"${copy.cursor()}"` }],
      ["/nothing.txt", {}],
    ] as const) {
      const response = await fetch(server.http + path, { headers });
      const { date: _date, ...rest } = Object.fromEntries(response.headers);
      tape.push(`${path} ${response.status} ${JSON.stringify(rest)} ${await response.text()}`);
    }
    const {
      relay: _relay,
      changedMs,
      readMs,
      bytes: _bytes,
      clients: _clients,
      misfits: _misfits, // a replica counts none
      tables: _tables, // it is called as its topic is
      ...health
    } = (await healthOf(server)) as never as Record<string, unknown>;
    expect([typeof changedMs, typeof readMs]).toEqual(["number", "number"]);
    tape.push(`/healthz ${JSON.stringify(health)}`);
  }

  async function resume(since: string): Promise<void> {
    const client = await connect(`${server.url}?since=${since}`, { protocols: [SUBPROTOCOL] });
    const types: string[] = [];
    while (types.at(-1) !== "sync") {
      const message = parseMessage(await client.next())!;
      types.push(message.type);
      if (message.type !== "sync") tape.push(`resumed: ${JSON.stringify(message)}`);
    }
    tape.push(`resumed from ${since}: ${types.join(" ")}`);
    await client[Symbol.asyncDispose]();
  }

  return {
    tape,
    copy,
    doors,
    resume,
    /** Until everyone has this table. */
    async expects(json: string): Promise<void> {
      await plain.nextThat("the table on the plain feed", (text) => text === json);
      tape.push(`plain: ${json}`);
      while (copy.cursor() === undefined || copy.json() !== json) {
        const message = copy.take(await live.next());
        if (message.type !== "sync") tape.push(`live: ${JSON.stringify(message)}`);
      }
      await liveUntilSync("live");
      const id = `id: ${copy.cursor()}\n`;
      await until("the event stream to come as far", () => heard.includes(id));
    },
    async statusIs(state: string): Promise<void> {
      const text = await live.nextThat(`a status ${state}`, (message) => message.includes(`"state":"${state}"`));
      tape.push(`live: ${text}`);
    },
    async [Symbol.asyncDispose]() {
      events.abort();
      await hearing;
      await plain[Symbol.asyncDispose]();
      await live[Symbol.asyncDispose]();
    },
  };
}

describe.concurrent.skipIf(engines.length === 0)(`the relay${skipped}`, () => {
  test.each([...engines])("through %s: clients of a replica get what those of the publisher get", async (engine) => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", CSV);
    await using redis = await startRedis(folder.path, engine);
    // No tape has what a busy machine would be late with.
    await using publisher = await publish(path, redis.port, folder, "--relay-heartbeat=3s");
    await using replica = await follow(redis.port, folder, "--relay-heartbeat=3s");
    await becomes(replica, "live", ({ state }) => state === "live");
    await using a = await openTape(publisher);
    await using b = await openTape(replica);
    const tapes = [a, b];
    const everywhere = async (step: (tape: (typeof tapes)[number]) => Promise<void>) => {
      for (const tape of tapes) await step(tape);
      expect(b.tape.splice(0)).toEqual(a.tape.splice(0));
    };
    const first = '{"11":"66","__proto__":"x","a":"1,5","a_1":"l1\\nl2"},{"11":"","__proto__":"","a":"","a_1":""}';
    await everywhere((tape) => tape.expects(`[${first}]`));
    await everywhere((tape) => tape.doors());
    const cursor = a.copy.cursor()!;

    await appendFile(path, '1,2,3,"q""4"\n');
    const second = `${first},{"11":"1","__proto__":"2","a":"3","a_1":"q\\"4"}`;
    await everywhere((tape) => tape.expects(`[${second}]`));
    await folder.write("f.csv", (await Bun.file(path).text()).replace("66", "77"));
    const third = second.replace("66", "77");
    await everywhere((tape) => tape.expects(`[${third}]`));
    await everywhere((tape) => tape.resume(cursor));
    await everywhere((tape) => tape.resume("elsewhere:1"));
    await everywhere((tape) => tape.doors());

    await Bun.$`mv ${path} ${path}.away`;
    await everywhere((tape) => tape.statusIs("missing"));
    await everywhere((tape) => tape.doors());
    await Bun.$`mv ${path}.away ${path}`;
    await everywhere((tape) => tape.statusIs("live"));
    await folder.write("f.csv", "x\n1\n");
    await everywhere((tape) => tape.expects('[{"x":"1"}]'));
    await everywhere((tape) => tape.doors());
    await folder.write("f.csv", "x\n");
    await everywhere((tape) => tape.expects("[]"));
  });

  test("a replica waits for Redis, for the topic, and says when it has lost either", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n");
    await using redis = await startRedis(folder.path);
    await redis.kill();
    await using replica = await follow(redis.port, folder);
    await becomes(
      replica,
      "waiting for Redis",
      ({ state, message }) => state === "waiting" && /cannot be read/.test(message),
    );
    await redis.start();
    await becomes(
      replica,
      "waiting for the topic",
      ({ state, message }) => state === "waiting" && /no such topic/.test(message),
    );
    {
      await using publisher = await publish(path, redis.port, folder);
      await becomes(replica, "live", ({ state, rows }) => state === "live" && rows === 1);
      for (const { http } of [publisher, replica])
        await until("the figures of the relay", async () => {
          const metrics = await (await fetch(`${http}/metrics`)).text();
          return ["connected 1", "entries_total [1-9]", "snapshots_total 1"].every((figure) =>
            new RegExp(`^csvcast_relay_${figure}`, "m").test(metrics),
          );
        });
      redis.pause();
      await becomes(replica, "stale", ({ state, rows }) => state === "stale" && rows === 1);
      await becomes(
        publisher,
        "live without Redis",
        ({ state, relay }) => state === "live" && relay["connected"] === false,
      );
      redis.resume();
      await becomes(replica, "live again", ({ state }) => state === "live");
      await redis.kill();
      await becomes(replica, "stale", ({ state, message }) => state === "stale" && /last good table/.test(message));
      await appendFile(path, "2\n");
      await redis.start();
      await becomes(replica, "live and further", ({ state, rows }) => state === "live" && rows === 2);
      await redis.send("FLUSHALL");
      await appendFile(path, "3\n");
      await becomes(replica, "further in spite of it", ({ state, rows }) => state === "live" && rows === 3);
      publisher.kill("SIGKILL");
      await publisher.exited;
    }
    await becomes(
      replica,
      "stale without a publisher",
      ({ state, message }) => state === "stale" && /no heartbeat/.test(message),
    );
    expect(await jsonOf(replica)).toBe('[{"a":"1"},{"a":"2"},{"a":"3"}]');
    await using _publisher = await publish(path, redis.port, folder);
    await becomes(replica, "live by another publisher", ({ state }) => state === "live");
  });

  test("what cannot be trusted is not taken: the last good table stays, and the publisher's next snapshot helps", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a,b\n1,2\n");
    await using redis = await startRedis(folder.path);
    await using publisher = await publish(path, redis.port, folder);
    await using replica = await follow(redis.port, folder);
    const { epoch, version } = await becomes(replica, "live", ({ state }) => state === "live");
    publisher.kill("SIGSTOP");
    const head = { kind: "delta", epoch, from: version, to: version + 1, count: 2 };
    for (const [h, s] of [
      ["{", "[]"],
      [JSON.stringify(head), '[[1,0,[["only one cell"]]]]'],
      [JSON.stringify(head), "[[9,0,[]]]"],
      [JSON.stringify(head), "[[1,0,[[1,2]]]]"],
    ]) {
      await redis.send("XADD", [keys.stream, "*", "h", h!, "s", s!]);
      const { message } = await becomes(replica, "stale", ({ state }) => state === "stale");
      expect(message).toContain("clients keep the last good table");
      expect(await jsonOf(replica)).toBe('[{"a":"1","b":"2"}]');
    }
    await redis.send("SET", [keys.pointer, "[]"]);
    const far = JSON.stringify({ ...head, from: version + 5, to: version + 6 });
    await redis.send("XADD", [keys.stream, "*", "h", far, "s", "[]"]); // leads to the pointer
    await becomes(replica, "told of the pointer", ({ message }) => /is no JSON object/.test(message));
    publisher.kill("SIGCONT");
    await redis.send("FLUSHALL");
    await appendFile(path, "3,4\n");
    await becomes(replica, "live again", ({ state, rows }) => state === "live" && rows === 2);
  });

  test("a replica may show the last rows only, and has limits of its own", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n2\n3\n");
    await using redis = await startRedis(folder.path);
    await using _publisher = await publish(path, redis.port, folder);
    await using replica = await follow(redis.port, folder, "--last=2");
    await using small = await follow(redis.port, folder, "--max-file=4");
    await becomes(small, "refusing", ({ state, message }) => state === "waiting" && /see --max-file/.test(message));
    await becomes(replica, "live", ({ state }) => state === "live");
    await using client = await connect(replica.url, { protocols: [SUBPROTOCOL] });
    const copy = openCopy();
    while (copy.take(await client.next()).type !== "sync");
    await appendFile(path, "4\n5\n6\n");
    while (copy.take(await client.next()).type !== "delta");
    expect(copy.rows()).toEqual([["5"], ["6"]]);
  });

  test("its own clients do not notice when Redis is frozen", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n0\n");
    await using redis = await startRedis(folder.path);
    await using publisher = await publish(path, redis.port, folder);
    await using replica = await follow(redis.port, folder);
    await becomes(replica, "live", ({ state }) => state === "live");
    await using client = await connect(publisher.url, { protocols: [SUBPROTOCOL] });
    await client.nextThat("all of the snapshot", (text) => text.startsWith('{"type":"sync"')); // it has no row that is to come
    redis.pause();
    for (let n = 1; n <= 20; n++) {
      await appendFile(path, `${n}\n`);
      await client.nextThat(`row ${n}`, (text) => text.startsWith('{"type":"delta"') && text.includes(`"${n}"`));
    }
    expect(await jsonOf(replica)).toBe('[{"a":"0"}]');
    redis.resume();
    await becomes(replica, "live with all rows", ({ state, rows }) => state === "live" && rows === 21);
  });

  test("a second publisher is refused, in one line that says what to do", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n");
    await using redis = await startRedis(folder.path);
    await using first = await publish(path, redis.port, folder);
    await becomes(first, "publisher", ({ relay }) => relay["role"] === "publisher");
    await using second = await publish(path, redis.port, folder);
    expect(await second.exited).toBe(1);
    expect(second.stderr().trim()).toBe(
      `csvcast-server: relay: topic csv at 127.0.0.1:${redis.port} is published by another server; take another topic (?topic=NAME), or stand by with --standby`,
    );
    await using other = await startServer([path, `--relay=redis://127.0.0.1:${redis.port}?topic=other`, ...BEAT], {
      folder,
    });
    await becomes(other, "publisher of another topic", ({ relay }) => relay["role"] === "publisher");
  });

  test("a standby follows, takes over when the lease lapses, and clients go on with it", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n");
    const own = await folder.write("own.csv", "a\n1\n2\n");
    await using redis = await startRedis(folder.path);
    await using first = await publish(path, redis.port, folder);
    await becomes(first, "publisher", ({ relay }) => relay["role"] === "publisher");
    await using second = await publish(own, redis.port, folder, "--standby");
    const before = await becomes(
      second,
      "following",
      ({ state, relay }) => state === "live" && relay["role"] === "standby",
    );
    expect(await jsonOf(second)).toBe('[{"a":"1"}]');
    await using replica = await follow(redis.port, folder);
    await becomes(replica, "live", ({ state }) => state === "live");
    first.kill("SIGKILL");
    await becomes(second, "publisher", ({ relay, file }) => relay["role"] === "publisher" && file === "own.csv");
    const after = await becomes(replica, "live with its table", ({ state, rows }) => state === "live" && rows === 2);
    expect(after.epoch).not.toBe(before.epoch);
    await using back = await publish(path, redis.port, folder, "--standby");
    await becomes(back, "following in turn", ({ rows, relay }) => rows === 2 && relay["role"] === "standby");
    second.kill("SIGTERM"); // gives the topic back, so that nobody waits for its lease
    await becomes(replica, "live with the table of the first", ({ state, rows }) => state === "live" && rows === 1);
  });

  test("a file that is not there when a publisher starts, or a standby takes over, is waited for", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n");
    const own = await folder.write("own.csv", "a\n1\n2\n");
    await using redis = await startRedis(folder.path);
    await Bun.$`mv ${path} ${path}.away`;
    await using first = await publish(path, redis.port, folder);
    await first.prints(`waiting for ${path}: no such file yet`, "stderr");
    await using replica = await follow(redis.port, folder);
    await becomes(replica, "waiting", ({ state }) => state === "waiting");
    await Bun.$`mv ${path}.away ${path}`;
    await becomes(replica, "live", ({ state, rows }) => state === "live" && rows === 1);
    await becomes(first, "publisher", ({ state, relay }) => state === "live" && relay["role"] === "publisher");
    await using second = await publish(own, redis.port, folder, "--standby");
    await becomes(second, "following", ({ state, rows }) => state === "live" && rows === 1);
    await Bun.$`mv ${own} ${own}.away`;
    first.kill("SIGTERM");
    await second.prints(`waiting for ${own}: no such file yet`, "stderr");
    expect(await jsonOf(second)).toBe('[{"a":"1"}]');
    await Bun.$`mv ${own}.away ${own}`;
    await becomes(second, "publisher", ({ state, rows, file }) => state === "live" && rows === 2 && file === "own.csv");
  });

  test("a publisher that was suspended for too long serves its own clients, says so, and takes the topic back when it is free", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n");
    await using redis = await startRedis(folder.path);
    await using first = await publish(path, redis.port, folder);
    const { epoch } = await becomes(first, "publisher", ({ relay }) => relay["role"] === "publisher");
    await using second = await publish(path, redis.port, folder, "--standby");
    await becomes(second, "following", ({ state }) => state === "live");
    first.kill("SIGSTOP");
    await becomes(second, "publisher", ({ relay }) => relay["role"] === "publisher");
    await until("the second to write over the first", async () => {
      const head = await redis.send("GET", [keys.head]);
      return typeof head === "string" && !head.startsWith(`${epoch}:`);
    });
    first.kill("SIGCONT");
    await becomes(first, "fenced", ({ state, relay }) => state === "live" && relay["role"] === "standby");
    await first.prints("is published by another server; own clients go on to be served", "stderr");
    await appendFile(path, "2\n");
    await becomes(first, "alive for its own clients", ({ rows }) => rows === 2);
    second.kill("SIGKILL");
    const again = await becomes(first, "publisher again", ({ relay }) => relay["role"] === "publisher");
    await until(
      "a new epoch, as another server wrote over the old one",
      async () => (await healthOf(first)).epoch !== epoch,
    );
    expect(again.rows).toBe(2);
    await using replica = await follow(redis.port, folder);
    await becomes(replica, "live", ({ state, rows }) => state === "live" && rows === 2);
  });

  test("no credentials are printed, logged or served, and the variable spares giving them on the command line", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n");
    const password = "s3cr3t@#/x";
    await using redis = await startRedis(folder.path);
    await redis.send("CONFIG", ["SET", "requirepass", password]);
    const url = `redis://:${encodeURIComponent(password)}@127.0.0.1:${redis.port}`;
    const env = { CSVCAST_RELAY: url };
    await using publisher = await startServer([path, ...BEAT], { folder, env });
    await using replica = await startServer([`redis://127.0.0.1:${redis.port}`, ...BEAT], { folder, env });
    await becomes(replica, "live", ({ state }) => state === "live");
    await using wrong = await startServer([`redis://:s3cr3t@127.0.0.1:${redis.port}`, ...BEAT, "--log=json"], {
      folder,
    });
    await becomes(wrong, "waiting", ({ message }) => /are the credentials right/.test(message));
    const bad = start("server", [path], { folder, env: { CSVCAST_RELAY: `${url}/topic` } });
    expect(await bad.exited).toBe(2);
    const { state, message, relay } = await healthOf(replica);
    const said = [publisher, replica, wrong, bad].map((program) => program.stdout() + program.stderr());
    said.push(JSON.stringify([state, message, relay, await healthOf(publisher), await healthOf(wrong)]));
    for (const text of said) expect(text).not.toContain("s3cr3t");
  });

  test("a proxy that takes everything and passes nothing on counts as away, on both sides", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "a\n1\n");
    await using redis = await startRedis(folder.path);
    await using proxy = await startProxy(redis.port);
    await using publisher = await publish(path, redis.port, folder);
    await using replica = await follow(proxy.port, folder);
    await becomes(replica, "live", ({ state }) => state === "live");
    proxy.stall();
    await appendFile(path, "2\n");
    await becomes(replica, "stale", ({ state, rows }) => state === "stale" && rows === 1);
    await becomes(publisher, "unimpressed", ({ rows, relay }) => rows === 2 && relay["connected"] === true);
    proxy.mend();
    await becomes(replica, "live", ({ state, rows }) => state === "live" && rows === 2);
  });
});
