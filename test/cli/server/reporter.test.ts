// Every event of a server: its line for a person, and for a machine.
import { describe, expect, test } from "bun:test";
import type { ServerEvent } from "../../../src/channel/events.ts";
import { openLog } from "../../../src/cli/server/log.ts";
import { report } from "../../../src/cli/server/reporter.ts";

type Level = "info" | "warn";

/** What an event becomes. For a machine: `event` and the fields besides time, level, event and message. */
type Case = {
  readonly event: ServerEvent;
  readonly level: Level;
  readonly text: string;
  readonly name?: string;
  readonly fields: Record<string, unknown>;
};

const RELAY = { relay: "topic csv at h:6379" };
const LIVE = { feed: "live", address: "10.0.0.7" } as const;
const GONE = { feed: "plain", address: "::1", seconds: 1.2345 } as const;

const HOST_CAUSE = "its Host header names no host of this server";
const ORIGIN_CAUSE = "a web page from elsewhere";

/** By type, so that an event that nobody thought of is a type error. */
const CASES: { readonly [T in Exclude<ServerEvent["type"], "relay-refused">]: readonly Case[] } = {
  "file-on-air": [
    {
      event: { type: "file-on-air", file: "a.csv", rows: 1, columns: 2, dialect: "comma, UTF-8" },
      level: "info",
      text: "a.csv: 1 row × 2 columns, comma, UTF-8",
      fields: { file: "a.csv", rows: 1, columns: 2, dialect: "comma, UTF-8" },
    },
    {
      event: { type: "file-on-air", file: "a.csv", rows: 0, columns: 0, dialect: "comma, UTF-8" },
      level: "info",
      text: "a.csv: empty so far",
      fields: { file: "a.csv", rows: 0, columns: 0, dialect: "comma, UTF-8" },
    },
  ],
  "file-leaving": [
    {
      event: { type: "file-leaving", file: "a.csv", graceMs: 10_000 },
      level: "info",
      text: "a.csv is not there any more: its table goes in 10 s",
      fields: { file: "a.csv", graceMs: 10_000 },
    },
  ],
  "file-gone": [
    { event: { type: "file-gone", file: "a.csv" }, level: "info", text: "gone: a.csv", fields: { file: "a.csv" } },
  ],
  "file-awaited": [
    {
      event: { type: "file-awaited", file: "a.csv", path: "d/a.csv", reason: "no such file yet", similar: "A.csv" },
      level: "warn",
      text: "waiting for d/a.csv: no such file yet; is A.csv meant?",
      fields: { file: "a.csv", path: "d/a.csv", reason: "no such file yet", similar: "A.csv" },
    },
    {
      event: { type: "file-awaited", file: "a.csv", path: "d/a.csv", reason: "no such file yet" },
      level: "warn",
      text: "waiting for d/a.csv: no such file yet",
      fields: { file: "a.csv", path: "d/a.csv", reason: "no such file yet" },
    },
  ],
  "file-replay": [
    {
      event: { type: "file-replay", file: "a.csv", speed: "10x", isFinished: false },
      level: "info",
      text: "replaying: a.csv at 10x",
      fields: { file: "a.csv", speed: "10x", isFinished: false },
    },
    {
      event: { type: "file-replay", file: "a.csv", speed: "10x", isFinished: true },
      level: "info",
      text: "replayed to its end: a.csv at 10x",
      fields: { file: "a.csv", speed: "10x", isFinished: true },
    },
  ],
  "file-changed": (
    [
      ["first", 3, "a.csv: 1 row × 3 columns, comma, UTF-8"],
      ["none", 0, "a.csv: empty now"],
      ["columns", 1, "a.csv: other columns now: 1 row × 1 column, comma, UTF-8"],
      ["dialect", 2, "a.csv: read otherwise now: 1 row × 2 columns, comma, UTF-8"],
    ] as const
  ).map(([change, columns, text]) => {
    const fields = { file: "a.csv", change, rows: 1, columns, dialect: "comma, UTF-8" };
    return { event: { type: "file-changed", ...fields }, level: "info", text, fields };
  }),
  "file-warning": [
    {
      event: { type: "file-warning", file: "a.csv", warnings: ["3 cells dropped", "1 column renamed"] },
      level: "warn",
      text: "warning: 3 cells dropped; 1 column renamed",
      fields: { file: "a.csv" },
    },
  ],
  "file-state": [
    {
      event: { type: "file-state", file: "a.csv", state: "missing", message: "a.csv: no such file", since: 5 },
      level: "warn",
      text: "missing: a.csv: no such file",
      fields: { file: "a.csv", state: "missing" },
    },
    {
      event: { type: "file-state", file: "a.csv", state: "live", message: "", since: 5 },
      level: "info",
      text: "live again: a.csv",
      fields: { file: "a.csv", state: "live" },
    },
  ],
  "file-refused": [
    {
      event: { type: "file-refused", reason: "b.csv: is a FIFO" },
      level: "warn",
      text: "b.csv: is a FIFO",
      fields: {},
    },
  ],
  "message-too-large": [
    {
      event: { type: "message-too-large", maxBytes: 32 * 2 ** 20 },
      level: "warn",
      text: "the table is larger than --max-message (32 MiB): clients are closed with 1009; raise it",
      fields: {},
    },
  ],
  "client-connected": [
    {
      event: { type: "client-connected", ...LIVE },
      level: "info",
      text: "client from 10.0.0.7: live",
      fields: LIVE,
    },
  ],
  "client-disconnected": [
    {
      event: { type: "client-disconnected", ...LIVE, seconds: 12.34, code: 1000, reason: "" },
      level: "info",
      text: "client from 10.0.0.7 is gone: live, 12.3 s, 1000",
      fields: { ...LIVE, seconds: 12.34, code: 1000, reason: "" },
    },
    {
      event: { type: "client-disconnected", ...GONE, code: 1006, reason: "" },
      level: "info",
      text: "client from ::1 is gone: plain, 1.2 s",
      fields: { ...GONE, seconds: 1.235, code: 1006, reason: "" },
    },
    {
      event: { type: "client-disconnected", ...GONE, code: 1013, reason: "too slow: x" },
      level: "warn",
      text: "client from ::1 is gone: plain, 1.2 s, 1013 too slow: x",
      name: "client-too-slow",
      fields: { ...GONE, seconds: 1.235, code: 1013, reason: "too slow: x" },
    },
    {
      event: { type: "client-disconnected", ...GONE, feed: "events", reason: "too slow: x" },
      level: "warn",
      text: "client from ::1 is gone: events, 1.2 s, too slow: x",
      name: "client-too-slow",
      fields: { ...GONE, feed: "events", seconds: 1.235, reason: "too slow: x" },
    },
  ],
  "client-refused": (
    [
      ["host", 421, undefined, `${HOST_CAUSE} (--allow-host)`],
      ["host", 421, "csv.example", `${HOST_CAUSE}; to let it in: --allow-host csv.example`],
      ["host", 421, "--no-token", `${HOST_CAUSE} (--allow-host)`],
      ["origin", 403, undefined, `${ORIGIN_CAUSE} (--allow-origin)`],
      ["origin", 403, "http://[::1]:8080", `${ORIGIN_CAUSE}; to let it in: --allow-origin http://[::1]:8080`],
      ["origin", 403, "https://dash.example", `${ORIGIN_CAUSE}; to let it in: --allow-origin https://dash.example`],
      ["origin", 403, "null", `${ORIGIN_CAUSE}; it is a file or in a sandbox, and has no origin to allow`],
      ["origin", 403, "http://a.example;reboot", `${ORIGIN_CAUSE} (--allow-origin)`],
      ["origin", 403, "http://$(reboot)", `${ORIGIN_CAUSE} (--allow-origin)`],
      ["token", 401, undefined, "no token, or a wrong one"],
      ["guesses", 429, undefined, "too many wrong tokens"],
      ["full", 503, undefined, "--max-clients are connected"],
      ["address", 503, undefined, "--max-per-address are connected"],
    ] as const
  ).map(([cause, status, named, why]): Case => {
    const fields = { cause, status, address: "10.0.0.7", ...(named !== undefined && { named }) };
    return {
      event: { type: "client-refused", ...fields },
      level: "warn",
      text: `refused 10.0.0.7: ${status}, ${why}`,
      fields,
    };
  }),
  "relay-published": [
    {
      event: { type: "relay-published", ...RELAY },
      level: "info",
      text: "relay: published as topic csv at h:6379",
      fields: RELAY,
    },
  ],
  "relay-taken": [
    {
      event: { type: "relay-taken", ...RELAY, isStandby: true },
      level: "info",
      text: "relay: topic csv at h:6379 is published by another server; standing by",
      fields: RELAY,
    },
    {
      event: { type: "relay-taken", ...RELAY, isStandby: false },
      level: "warn",
      text: "relay: topic csv at h:6379 is published by another server; own clients go on to be served, and the topic is taken back when it is free",
      fields: RELAY,
    },
  ],
  "relay-away": [
    {
      event: { type: "relay-away", ...RELAY, reason: "no answer" },
      level: "warn",
      text: "relay: topic csv at h:6379: no answer; own clients go on to be served",
      fields: RELAY,
    },
  ],
  "relay-back": [
    {
      event: { type: "relay-back", ...RELAY },
      level: "info",
      text: "relay: topic csv at h:6379 answers again",
      fields: RELAY,
    },
  ],
  "relay-trouble": [
    {
      event: { type: "relay-trouble", ...RELAY, reason: "too large" },
      level: "warn",
      text: "relay: topic csv at h:6379: too large",
      fields: RELAY,
    },
    {
      event: { type: "relay-trouble", ...RELAY, reason: "too large", table: "orders" },
      level: "warn",
      text: "/orders: relay: topic csv at h:6379: too large",
      fields: { ...RELAY, table: "orders" },
    },
  ],
  listening: [
    {
      event: { type: "listening", address: "0.0.0.0:1", hostname: "0.0.0.0", port: 1, url: "ws://127.0.0.1:1/" },
      level: "info",
      text: "WebSocket server started. Listening on 0.0.0.0:1.",
      fields: { address: "0.0.0.0:1", hostname: "0.0.0.0", port: 1, url: "ws://127.0.0.1:1/" },
    },
  ],
  "port-taken": [
    {
      event: { type: "port-taken", taken: 59_050, port: 59_051 },
      level: "info",
      text: "59050 is taken, using 59051",
      fields: { taken: 59_050, port: 59_051 },
    },
  ],
  public: [
    {
      event: { type: "public" },
      level: "warn",
      text: "--no-token: everyone who can reach this port may read",
      fields: {},
    },
  ],
  "browser-unopened": [
    {
      event: { type: "browser-unopened", reason: "no browser was opened: xdg-open: no such program here" },
      level: "warn",
      text: "no browser was opened: xdg-open: no such program here",
      fields: {},
    },
  ],
  "few-descriptors": [
    {
      event: { type: "few-descriptors", maxClients: 992, openFiles: 1024 },
      level: "warn",
      text: "no more than 992 clients: 1024 files may be open; see ulimit -n",
      fields: { maxClients: 992 },
    },
  ],
  unannounced: [
    {
      event: { type: "unannounced", reason: "/run/x: belongs to another user" },
      level: "warn",
      text: "clients must be given the URL: /run/x: belongs to another user",
      fields: {},
    },
  ],
  "certificate-renewed": [
    {
      event: { type: "certificate-renewed" },
      level: "info",
      text: "new connections get the new certificate",
      fields: {},
    },
  ],
  "certificate-unusable": [
    {
      event: { type: "certificate-unusable", reason: "--tls-cert a.pem: no certificate" },
      level: "warn",
      text: "--tls-cert a.pem: no certificate; the last good one stays in use",
      fields: {},
    },
  ],
  ending: [
    {
      event: { type: "ending", code: 143, reason: "ended by SIGTERM" },
      level: "info",
      text: "ended by SIGTERM",
      fields: { code: 143 },
    },
  ],
  unexpected: [
    { event: { type: "unexpected", reason: "x is not y" }, level: "warn", text: "unexpected: x is not y", fields: {} },
  ],
};

function reported(format: "text" | "json", ...events: readonly ServerEvent[]) {
  const lines: [Level, string][] = [];
  const log = openLog({
    format,
    line: (text) => lines.push(["info", text]),
    warn: (text) => lines.push(["warn", text]),
    now: () => 0,
  });
  for (const event of events) report(log, event);
  return lines;
}

describe.each(Object.entries(CASES))("%s", (type, cases) => {
  test.each(cases)("$text", ({ event, level, text, name = type, fields }) => {
    expect(reported("text", event)).toEqual([[level, text]]);
    const [[, line] = ["", ""], ...others] = reported("json", event);
    expect(others).toEqual([]);
    const time = "1970-01-01T00:00:00.000Z";
    expect(JSON.parse(line)).toEqual({ time, level, event: name, message: text, ...fields });
  });
});

test("a relay that refuses ends the program, which says why: no line besides", () => {
  expect(reported("text", { type: "relay-refused", reason: "taken" })).toEqual([]);
});

test("a crowd of refused visitors is summed up by why they were refused", () => {
  const refused = (cause: "token" | "host"): ServerEvent => {
    return { type: "client-refused", cause, status: 401, address: "10.0.0.7" };
  };
  const crowd = Array.from({ length: 100 }, () => refused("token"));
  expect(reported("text", ...crowd, refused("host"))).toHaveLength(6);
});
