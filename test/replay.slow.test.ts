// A replay with real programs: what clients, /healthz and the person at the console get to know of it.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, run, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const at = (second: number) => `2026-03-01 12:00:${String(second).padStart(2, "0")}`;
const LOG = `t,v\n${Array.from({ length: 10 }, (_, i) => `${at(5 * i)},${i}\n`).join("")}`;

describe.concurrent("a replay", () => {
  test("comes row by row to live clients, is told to be one, and stays at its end", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", LOG);
    await using server = await startServer(["a.csv", "--replay", "20x"], { folder });
    await server.prints("replaying: a.csv at 20x");
    await using live = await connect(server.url, { protocols: ["csvcast.v1"] });
    const heard: { type: string; splices?: [number, number, string[][]][]; count?: number }[] = [];
    await live.nextThat("the end of the replay", (message) => {
      heard.push(JSON.parse(message));
      return message.includes('"isFinished":true');
    });
    expect(heard.at(-1)).toMatchObject({ type: "status", state: "live", replay: { speed: "20x", isFinished: true } });
    const deltas = heard.filter(({ type }) => type === "delta");
    for (const { splices, count } of deltas) {
      const [[start, deleted, rows]] = splices as [[number, number, string[][]]];
      expect({ deleted, end: start + rows.length }).toEqual({ deleted: 0, end: count! });
    }
    expect(heard.findLast(({ count }) => count !== undefined)!.count).toBe(10);
    const health = await (await fetch(`${server.http}/healthz`)).json();
    expect(health).toMatchObject({ state: "live", rows: 10, replay: { speed: "20x", isFinished: true } });
    await server.prints("replayed to its end: a.csv at 20x");
    expect(await (await fetch(`${server.http}/csv.csv`)).text()).toBe(LOG.replaceAll("\n", "\r\n"));
  });

  test("in a loop begins a new epoch", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "a\n1\n2\n3\n");
    await using server = await startServer(["a.csv", "--replay=100/s", "--loop"], { folder });
    const epochs = new Set<string>();
    await until("another epoch", async () => {
      const { epoch } = (await (await fetch(`${server.http}/healthz`)).json()) as { epoch?: string };
      if (epoch) epochs.add(epoch);
      return epochs.size > 1;
    });
    expect(server.stdout().match(/replaying/g)).toHaveLength(1);
  });

  const refusals: { args: string[]; exitCode: number; expected: string }[] = [
    {
      args: ["a.csv", "--replay=10x"],
      exitCode: 3,
      expected:
        "a.csv: has no column of times to be replayed by: --replay-by COLUMN names one of numbers, --replay 100/s goes by rows",
    },
    {
      args: ["a.csv", "--replay=10x", "--replay-by=when"],
      exitCode: 3,
      expected: "a.csv: --replay-by when: no such column; there are a, b",
    },
    {
      args: ["a.csv", "--replay=100/s", "--replay-by=a"],
      exitCode: 2,
      expected: "--replay-by a: --replay 100/s goes by rows; --replay 10x goes by times",
    },
    { args: ["a.csv", "--loop"], exitCode: 2, expected: "--loop: needs --replay, such as --replay 10x" },
    {
      args: ["-", "--replay=10x"],
      exitCode: 2,
      expected: "--replay 10x: plays a file that is finished, and FILE is standard input",
    },
    {
      args: ["http://127.0.0.1:1/a.csv?key=s3cret", "--replay=10x"],
      exitCode: 2,
      expected: "--replay 10x: plays a file that is finished, and FILE is no file",
    },
  ];
  test.each(refusals)("$args: $expected", async ({ args, exitCode, expected }) => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "a,b\nx,y\n");
    const outcome = await run("server", [...args, "--port=0", "--host=127.0.0.1"], { folder });
    expect({ exitCode: outcome.exitCode, stderr: outcome.stderr }).toEqual({
      exitCode,
      stderr: `csvcast-server: ${expected}\n`,
    });
  });
});
