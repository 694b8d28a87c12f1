// What is said of a relay, and what /healthz tells of it.
import { expect, test } from "bun:test";
import { openLog } from "../../src/cli/log.ts";
import { openRelayReport, relayHealth } from "../../src/cli/relay-report.ts";

test("each event of the relay is a line with the topic; the same trouble is one line", () => {
  const lines: Record<string, unknown>[] = [];
  const line = (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>);
  const report = openRelayReport(openLog({ format: "json", line, warn: line, now: () => 0 }), "topic csv at h:6379");
  report.owned();
  report.taken(true);
  report.taken(false);
  report.away("no answer");
  report.back();
  report.trouble("too large");
  report.trouble("too large");
  expect(lines.map(({ level, event }) => `${level} ${event}`)).toEqual([
    "info relay-published",
    "info relay-taken",
    "warn relay-taken",
    "warn relay-away",
    "info relay-back",
    "warn relay-trouble",
  ]);
  for (const { message, relay } of lines) {
    expect(message).toContain("topic csv at h:6379");
    expect(relay).toBe("topic csv at h:6379");
  }
});

test("health: nothing without a relay, and how long ago the other side was heard", () => {
  expect(relayHealth(undefined, undefined, 5)).toBeUndefined();
  const address = { topic: "csv", host: "h:6379" };
  expect(relayHealth(address, undefined, 5)).toEqual({
    role: "replica",
    topic: "csv",
    host: "h:6379",
    connected: false,
    heardMs: null,
    pendingEntries: 0,
    pendingBytes: 0,
  });
  const state = { role: "publisher", connected: true, heardAt: 100, pendingEntries: 1, pendingBytes: 20 };
  expect(relayHealth(address, state, 250)).toMatchObject({ role: "publisher", heardMs: 150, pendingBytes: 20 });
});
