// Each limit, met: a refusal that says so, a counter, and everyone else unharmed.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { atOnce } from "./at-once.ts";
import { connect, startServer, type RunningServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "./support.ts";
import { isRefusedAtTheStart, keepsTheLastGoodTable } from "./limits.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const metric = async ({ http }: RunningServer, name: string) => {
  const text = await (await fetch(`${http}/metrics`)).text();
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length),
  );
};

describe.concurrent("--max-per-address", () => {
  const from = (address: string) => ({ headers: { "X-Forwarded-For": address } });

  test("counts the visitors of a proxy each for themselves", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv", "--max-per-address=2", "--no-token"], { folder });
    await using first = await connect(server.url, from("10.0.0.7"));
    await using _second = await connect(server.url, from("10.0.0.7"));
    await expect(connect(server.url, from("10.0.0.7"))).rejects.toThrow("503");
    await using other = await connect(server.url, from("10.0.0.8"));
    expect([await first.next(), await other.next()]).toEqual(['[{"x":"1"}]', '[{"x":"1"}]']);
    const stream = await fetch(`${server.http}/csv/events`, from("10.0.0.7"));
    expect([stream.status, await stream.text()]).toEqual([
      503,
      "full: 2 clients are connected from this address (--max-per-address)\n",
    ]);
    expect(await metric(server, 'csvcast_refused_total{reason="address"}')).toBe(2);
    await first[Symbol.asyncDispose]();
    await using again = await until("room", () => connect(server.url, from("10.0.0.7")).catch(() => undefined));
    expect(await again.next()).toBe('[{"x":"1"}]');
  });
});

test.concurrent("wrong tokens are braked for one visitor of a proxy, and not for the others", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await using server = await startServer(["a.csv"], { folder, env: { CSVCAST_TOKEN: "sesame-open" } });
  const ask = async (address: string, token: string) => {
    const headers = { "X-Forwarded-For": address, Authorization: `Bearer ${token}` };
    const { status, headers: answered } = await fetch(`${server.http}/csv.json`, { headers });
    return status === 429 ? `429, again after ${answered.get("retry-after")}` : status;
  };
  await server.prints("a.csv: ");
  for (let n = 0; n < 10; n++) expect(await ask("10.0.0.7", `guess-${n}`)).toBe(401);
  // A machine that is slow has another guess in the meantime.
  let guesses = 10;
  const isBraked = async () => {
    const answer = await ask("10.0.0.7", "sesame-open");
    if (answer === 200) for (let n = 0; n < 10; n++) await ask("10.0.0.7", `guess-${guesses++}`);
    return answer !== 200 && answer;
  };
  expect(await until("the right token to be braked, too", isBraked)).toMatch(/^429, again after [1-6]$/);
  expect(await ask("10.0.0.8", "sesame-open")).toBe(200);
  await expect(connect(`${server.url}?token=guess-11`)).rejects.toThrow("401"); // this machine itself is another visitor
  await using client = await connect(`${server.url}?token=sesame-open`);
  expect(await client.next()).toBe('[{"x":"1"}]');
  await until("a word of it", () => server.stderr().includes("refused 10.0.0.7: 429, too many wrong tokens"));
});

describe.concurrent("--max-incoming", () => {
  test("closes who says more with 1009, and counts it", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv", "--max-incoming=1KiB"], { folder });
    await using talker = await connect(server.url);
    await using listener = await connect(server.url);
    talker.socket.send("x".repeat(1024));
    await talker.next();
    talker.socket.send("x".repeat(1025));
    expect((await talker.closed).code).toBe(1009);
    await listener.next();
    expect(await metric(server, 'csvcast_closed_total{reason="message"}')).toBe(1);
    await server.prints("Received too big message");
  });
});

describe.concurrent("a file over its limits", () => {
  const excess = {
    args: ["--max-cell=1KiB"],
    good: `a\n${"x".repeat(1024)}\n`,
    bad: `a\n1\n${"x".repeat(1025)}\n`,
    says: "row 2: a cell of more than 1024 bytes; see --max-cell",
  };

  test("of cells is refused at the start", () => isRefusedAtTheStart(excess));

  test("of cells keeps the last good table on air, and comes back", () => keepsTheLastGoodTable(excess));

  test("by an appended row keeps what was there, until the row is gone", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", "a\n1\n");
    await using server = await startServer(["a.csv", "--max-cell=1KiB"], { folder });
    await using client = await connect(server.url);
    await client.next();
    await appendFile(path, `${"x".repeat(2000)}\n`);
    await server.prints("row 2: a cell of more than 1024 bytes", "stderr");
    await appendFile(path, "3\n");
    for (let tick = 0; tick < 10 || client.waiting() > 0; tick++) expect(await client.next()).toBe('[{"a":"1"}]');
    expect(await (await fetch(`${server.http}/healthz`)).json()).toMatchObject({ state: "stale" });
    await folder.write("a.csv", "a\n1\n2\n3\n");
    await client.nextThat("the rows", (text) => text === '[{"a":"1"},{"a":"2"},{"a":"3"}]');
  });
});

test.concurrent("--history bounds what can be resumed: who comes later gets a snapshot", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.csv", `a\n${"1\n".repeat(100_000)}`);
  await using server = await startServer(["a.csv", "--history=4KiB"], { folder });
  const live = { protocols: ["csvcast.v1"] };
  await using client = await connect(server.url, live);
  const sync = await client.nextThat("the version", (text) => text.includes('"sync"'));
  const { epoch, version } = JSON.parse(sync) as { epoch: string; version: number };
  await appendFile(path, `${"x".repeat(3000)}\n`);
  await client.nextThat("a delta", (text) => text.includes('"delta"'));
  await using resumed = await connect(`${server.url}?since=${epoch}:${version}`, live);
  expect(JSON.parse(await resumed.next())).toMatchObject({ type: "delta", from: version });
  await appendFile(path, `${"y".repeat(3000)}\n`);
  await client.nextThat("another delta", (text) => text.includes('"delta"'));
  await using late = await connect(`${server.url}?since=${epoch}:${version}`, live);
  expect(JSON.parse(await late.next())).toMatchObject({ type: "snapshot", at: 0 });
});
