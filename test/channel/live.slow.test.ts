// The live feed over real sockets, where the backlogs of slow clients compete. What one slow client gets is in `live.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { connectRaw, type RawClient } from "../hub/raw-client.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { join, LIVE, openTable } from "./live.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

describe("a slow client", () => {
  test("waits its turn while the backlogs of others take half of the budget; who takes nothing goes when others wait", async () => {
    await using hub = openTable([["y".repeat(12_000_000)]], { maxBacklogBytes: 50_000_000, heartbeatMs: 500 });
    hub.begin();
    const stalled: RawClient[] = [];
    for (let i = 0; i < 4; i++) stalled.push(await connectRaw(hub.port, LIVE, { isStalled: true }));
    const figure = async (name: string) => {
      const text = await (await hub.get("/metrics")).text();
      return Number(
        text
          .slice(text.indexOf(`\n${name} `))
          .split("\n")[1]!
          .slice(name.length),
      );
    };
    await until("three to have it pending", async () => (await figure("csvcast_backlog_bytes")) > 30_000_000);
    expect([hub.clients(), await figure('csvcast_closed_total{reason="backlog"}')]).toEqual([4, 0]);
    await using healthy = await join(hub.url);
    await healthy.synced();
    expect(await figure("csvcast_backlog_bytes")).toBeLessThan(50_000_000);
    expect(await figure('csvcast_closed_total{reason="backlog"}')).toBeGreaterThan(0);
    for (const client of stalled) await client[Symbol.asyncDispose]();
  });
});
