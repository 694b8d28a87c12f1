// A file that is over a limit of the server.
import { expect } from "bun:test";
import { connect, run, startServer, temporaryFolder } from "./support.ts";

export type Excess = {
  readonly args: readonly string[];
  readonly good: string;
  readonly bad: string;
  readonly says: string;
};

export async function isRefusedAtTheStart({ args, bad, says }: Excess): Promise<void> {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", bad);
  const { exitCode, stderr } = await run("server", ["a.csv", "--port=0", ...args], { folder });
  expect(exitCode).toBe(3);
  expect(stderr).toContain(says);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
}

/** The last good table stays on air, and the file comes back. */
export async function keepsTheLastGoodTable({ args, good, bad, says }: Excess): Promise<void> {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", good);
  await using server = await startServer(["a.csv", ...args], { folder });
  await using client = await connect(server.url);
  const first = await client.next();
  await folder.write("a.csv", bad);
  await server.prints(says, "stderr");
  expect(server.stderr()).toMatch(/^stale: /m);
  const health = await fetch(`${server.http}/healthz`);
  expect(await health.json()).toMatchObject({ state: "stale" });
  expect(await client.next()).toBe(first);
  await folder.write("a.csv", good.replace(/1|x|y/g, "z"));
  await server.prints("live again");
  const last = await (await fetch(`${server.http}/csv.json`)).text();
  await client.nextThat("the next good table", (text) => text === last);
  expect(last).toContain("z");
}
