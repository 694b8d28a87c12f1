// A client that prints rows beside a server with --last that is killed and started again.
import { expect } from "bun:test";
import { appendFile } from "node:fs/promises";
import { claimPort } from "./port.ts";
import { start, startServer, temporaryFolder, until } from "./support.ts";

export type Restarts = {
  readonly mode: string;
  readonly cell: (row: number) => string;
  /** How many rows come while the server is away, each time. */
  readonly steps: readonly number[];
};

/** `--last 100`, a server that is killed, and rows that come meanwhile: what is printed, and what is said to be missing, is all. */
export async function printsAllOverRestarts({ mode, cell, steps }: Restarts): Promise<void> {
  await using folder = await temporaryFolder();
  let rows = 0;
  const lines = (count: number) => Array.from({ length: count }, () => `x,${cell(rows++)}\n`).join("");
  const path = await folder.write("log.csv", `a,n\n${lines(150)}`);
  using port = await claimPort();
  const args = [path, "--last=100", `--port=${port.number}`];
  let server = await startServer(args, { folder });
  await using client = start("client", [server.url, mode, "--all"], { folder });
  const line = (row: number) => (mode === "--csv" ? `x,${cell(row)}\n` : `{"a":"x","n":"${cell(row)}"}\n`);
  let expected = mode === "--csv" ? "a,n\n" : "";
  const expectRows = (from: number) => {
    for (let row = from; row < rows; row++) expected += line(row);
    return until("the rows", () => client.stdout().length >= expected.length, client.stdout);
  };
  await expectRows(50);
  const skips: string[] = [];
  for (const step of steps) {
    const before = rows;
    await appendFile(path, lines(3));
    await expectRows(before);
    server.kill("SIGKILL");
    await server.exited;
    const held = rows;
    await appendFile(path, lines(step));
    server = await startServer(args, { folder });
    await expectRows(Math.max(held, rows - 100));
    if (step === 101) skips.push("1 row was skipped");
    if (step > 101) skips.push(`${step - 100} rows were skipped`);
  }
  await server[Symbol.asyncDispose]();
  expect(client.stdout()).toBe(expected);
  const said = client.stderr().match(/^\d+ rows? w\S+ skipped|.*changed elsewhere.*/gm) ?? [];
  expect([...said]).toEqual(skips);
}
