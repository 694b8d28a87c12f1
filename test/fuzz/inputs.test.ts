// Tens of thousands of inputs for whatever reads what people and machines give: options, cursors, messages, access rules.
import { expect, setDefaultTimeout, test } from "bun:test";
import { encodingOf, knownBy } from "../../src/channel/documents.ts";
import { clientOptions } from "../../src/cli/client/options.ts";
import { CliError } from "../../src/cli/errors.ts";
import { envName, type Options, readOptions, type Values } from "../../src/cli/options.ts";
import { serverOptions } from "../../src/cli/server/options.ts";
import { formatCursor, parseCursor, parseMessage, ProtocolError } from "../../src/feed/protocol.ts";
import { type AccessPolicy, refusalOf, visitorOf } from "../../src/hub/access.ts";
import { mutated, nearly, soup } from "./mutations.ts";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, shareOf, shown } from "./random.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const COMMAND_LINES = shareOf(20_000);
const OTHERS = shareOf(10_000);

const VALUES = [
  "0",
  "1",
  "8080",
  "65535",
  "1s",
  "250ms",
  "1GiB",
  "64k",
  "json",
  "comma",
  "utf-8",
  "10.0.0.1",
  "a.csv",
  "https://a.example",
];

function randomArgv(random: Random, names: readonly string[]): string[] {
  return Array.from({ length: random.below(6) }, () => {
    const value = nearly(random, VALUES);
    const name = nearly(random, names);
    return random.pick([`--${name}`, `--${name}=${value}`, value, "--", `-${name.slice(0, 2)}`, soup(random)]);
  });
}

/** Values are those of the options, group by group, and of the kind of their defaults; numbers are numbers. */
function expectSound(values: Values<Options>, options: Options): void {
  expect(Object.keys(values)).toEqual(Object.keys(options));
  for (const [name, group] of Object.entries(values)) {
    expect(Object.keys(group)).toEqual(Object.keys(options[name]!));
    for (const value of Object.values(group)) expectSoundValue(value);
  }
}

function expectSoundValue(value: unknown): void {
  if (typeof value === "number")
    expect(value).toBeGreaterThanOrEqual(0); // which NaN is not
  else if (Array.isArray(value)) expect(value.every((item) => typeof item === "string" && item !== "")).toBe(true);
  else expect(["string", "boolean", "undefined"]).toContain(typeof value);
}

test(`${shown(COMMAND_LINES)} command lines and environments: values by the rules, or one line of advice`, () => {
  forSeeds(COMMAND_LINES, (random) => {
    const options: Options = random.chance(0.7) ? serverOptions : clientOptions;
    const names = Object.values(options).flatMap((group) => Object.values(group).map(({ flag }) => flag));
    const variable = () => envName(random.pick(names));
    const env = Object.fromEntries(Array.from({ length: random.below(3) }, () => [variable(), nearly(random, VALUES)]));
    try {
      expectSound(readOptions(options, randomArgv(random, names), env).values, options);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      expect(error.kind).toBe("usage");
      expect(error.message).toContain(":");
      expect(error.message).not.toMatch(/\bat .*:\d+:\d+/);
    }
  });
});

test(`${shown(OTHERS)} cursors: what is read is written the same, or it is none`, () => {
  let read = 0;
  forSeeds(OTHERS, (random) => {
    const text = nearly(random, ["k3f9:120", "Ab-_9:0", `${"x".repeat(64)}:999999999999999`]);
    const cursor = parseCursor(text);
    if (!cursor) return;
    expect(Number.isSafeInteger(cursor.version) && cursor.version >= 0).toBe(true);
    expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
    read++;
  });
  expect(read).toBeWithin(OTHERS / 20, OTHERS);
});

const MESSAGES = [
  '{"type":"snapshot","epoch":"k3f9","version":120,"columns":["time","0"],"at":0,"rows":[["09:00","1.5"]],"count":1200}',
  '{"type":"delta","epoch":"k3f9","from":120,"to":121,"splices":[[1200,0,[["09:01","1.6"]]]],"count":1201}',
  '{"type":"sync","epoch":"k3f9","version":121,"count":1201,"time":1760000000000}',
  '{"type":"status","state":"live","message":"","since":1760000000000}',
];

test(`${shown(OTHERS)} messages: what docs/protocol.md says, one of an unknown type, or a ProtocolError`, () => {
  let read = 0;
  forSeeds(OTHERS, (random) => {
    const text = random.chance(0.9) ? mutated(random, random.pick(MESSAGES)) : soup(random);
    try {
      const message = parseMessage(text);
      if (!message) return;
      expect(["snapshot", "delta", "sync", "status"]).toContain(message.type);
      read++;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  });
  expect(read).toBeWithin(OTHERS / 20, OTHERS);
});

const policy: AccessPolicy = {
  token: "0123456789abcdef",
  tokenFor: "strangers",
  hosts: ["csv.example"],
  origins: ["https://dash.example"],
  proxies: [],
  scheme: "http",
};
const HOSTS = [
  "localhost",
  "localhost:59050",
  "a.localhost",
  "127.0.0.1:59050",
  "[::1]:59050",
  "csv.example",
  "CSV.example:1",
];
const ORIGINS = ["http://localhost:59050", "http://localhost", "https://dash.example", "null", "http://evil.example"];

/** DESIGN section 6 once more, by other means: what the URL parser of the platform makes of it. */
function mayComeIn(host: string, origin: string | undefined): boolean {
  const url = URL.parse(`http://${host}`);
  const isOdd = /[^:]:\]/.test(host); // `[::1:]`, which the parser takes for `[::1]`
  const isPlain = /^[\w.[\]:-]+$/.test(host) && !isOdd && url?.pathname === "/" && !host.endsWith(":");
  const name = isPlain ? host.toLowerCase().replace(/:\d{1,5}$/, "") : "";
  const isSame = url?.hostname === name || name.startsWith("["); // no octal, short or otherwise disguised address
  const isAddress = isSame && (/^\d+(\.\d+){3}$/.test(name) || /^\[[^\]]+\]$/.test(name));
  const isOwn = name === "localhost" || name.endsWith(".localhost") || name === "csv.example" || isAddress;
  if (!isOwn) return false;
  const own = `http://${host.toLowerCase()}`;
  return (
    origin === undefined || origin === own || origin === own.replace(/:80$/, "") || origin === "https://dash.example"
  );
}

test(`${shown(OTHERS)} Hosts and Origins: who may come in is who DESIGN section 6 lets in`, () => {
  let letIn = 0;
  forSeeds(OTHERS, (random) => {
    const host = nearly(random, HOSTS);
    const origin = random.chance(0.5) ? undefined : nearly(random, [...ORIGINS, `http://${host.toLowerCase()}`]);
    const headers = new Headers();
    try {
      headers.set("host", host);
      if (origin !== undefined) headers.set("origin", origin);
    } catch {
      return; // no header can carry it
    }
    const seen = { host: headers.get("host")!, origin: headers.get("origin") ?? undefined };
    const refusal = refusalOf(visitorOf(headers, "http://localhost/", { address: "127.0.0.1", port: 1 }, []), policy);
    expect([seen, refusal === undefined]).toEqual([seen, mayComeIn(seen.host, seen.origin)]);
    if (refusal === undefined) letIn++;
  });
  expect(letIn).toBeWithin(OTHERS / 20, OTHERS);
});

test(`${shown(OTHERS)} Accept-Encoding and If-None-Match: an answer, never an error`, () => {
  forSeeds(OTHERS, (random) => {
    expect([undefined, "gzip", "zstd"]).toContain(
      encodingOf(nearly(random, ["gzip, deflate, br, zstd", "*;q=0", "gzip;q=0.5"])),
    );
    const tags = ['W/"a:1", "b:2"', '"a:1"', "*"];
    expect(knownBy(nearly(random, tags), { epoch: "a", version: 1 }) ?? "a:1").toMatch(/^a:\d+$/);
  });
});
