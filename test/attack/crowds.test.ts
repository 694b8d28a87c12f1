// Crowds of peers against the real server, with a bound on its memory: what takes seconds. All of them, for longer, and what others wait
// meanwhile, are in `bun test/attack/measure.ts`.
import { appendFile } from "node:fs/promises";
import { expect, setDefaultTimeout, test } from "bun:test";
import { connectRaw, OPCODES, type RawClient } from "../hub/raw-client.ts";
import { type RunningServer, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { meet, SCENARIOS, SPARE_MIB, startProgram } from "./crowds.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);

const SECONDS = 4;
const isLinux = process.platform === "linux";

test.skipIf(!isLinux).each(SCENARIOS.filter(({ isQuick }) => isQuick))(
  "$name: memory stays within --max-backlog and a little (skipped where there is no /proc)",
  async (scenario) => {
    const { peak, quietPeak, counts } = await meet(scenario, SECONDS);
    expect(counts.in).toBe(scenario.crowd.count);
    expect(peak - quietPeak).toBeLessThan(scenario.maxBacklogMib + SPARE_MIB);
  },
);

const table = (word: string, rows: number) =>
  `id,text\n${Array.from({ length: rows }, (_, row) => `${row},${word.repeat(20)}\n`).join("")}`;

const versionOf = async ({ http }: RunningServer) =>
  ((await (await fetch(`${http}/healthz`)).json()) as { version: number }).version;

const closeOf = ({ frames }: RawClient) => frames.find(({ opcode }) => opcode === OPCODES.close)?.payload;

test("at the bound of what stalled clients pin the oldest is told to come again, and newcomers are served", async () => {
  const ROWS = 200_000;
  const LIVE = ["Sec-WebSocket-Protocol: csvcast.v1"];
  await using folder = await temporaryFolder();
  await folder.write("a.csv", table("v0", ROWS));
  await using server = await startServer(["a.csv", "--max-backlog=8MiB"], { folder });
  await server.prints("a.csv: ");
  await using oldest = await connectRaw(server.port, LIVE, { isStalled: true });
  await using others = new AsyncDisposableStack();
  for (let version = 1; version <= 3; version++) {
    const before = await versionOf(server);
    await folder.write("a.csv", table(`v${version}`, ROWS));
    await until("the next version", async () => (await versionOf(server)) > before);
    others.use(await connectRaw(server.port, LIVE, { isStalled: true }));
  }
  oldest.resume();
  await until("its end", () => closeOf(oldest));
  expect(closeOf(oldest)!.readUInt16BE(0)).toBe(1013);
  expect(closeOf(oldest)!.toString("utf8", 2)).toContain("the table has changed too much meanwhile: try again");
  const rows = (await (await fetch(`${server.http}/csv.json`)).json()) as { text: string }[];
  expect([rows.length, rows[0]?.text]).toEqual([ROWS, "v3".repeat(20)]);
});

test.skipIf(!isLinux)(
  "while downloads that go on fill half of the backlog a newcomer waits, and is told when to come again (skipped where windows cannot be made small)",
  async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", table("x", 300_000));
    await using server = await startServer(["a.csv", "--max-backlog=8MiB", "--no-token"], { folder });
    await server.prints("a.csv: ");
    const peers = { port: server.port, count: 20, paths: ["/csv.json"], rate: 100_000 };
    await using crowd = startProgram("crowd.ts", [JSON.stringify(peers)], folder);
    await crowd.ask();
    const busy = await fetch(`${server.http}/csv.csv`);
    expect([busy.status, busy.headers.get("retry-after"), await busy.text()]).toEqual([
      503,
      "5",
      expect.stringContaining("--max-backlog"),
    ]);
    await appendFile(path, "1,last\n"); // and the table goes on
    await until("the row", async () => (await versionOf(server)) > 1);
  },
);
