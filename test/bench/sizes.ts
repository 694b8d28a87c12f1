// What the size of a table costs: memory while it grows and while somebody joins, and what a change is on the wire.
import { appendFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { peakBytesOf, residentBytesOf, resetPeak } from "./proc.ts";
import { live, type RunningServer, serverOf } from "./program.ts";
import { atMost, beats, type Figure, figure, number } from "./report.ts";
import { linesOf, LOG_HEADER, logRow, startWriter, writeLarge } from "./writing.ts";

const MB = 1e6;

/** So many at the end of a message tell its last row. */
const END_CHARACTERS = 1_000;

/** A live client that asks for no compression: what it gets is what there is. */
function listen(server: RunningServer, onMessage: (text: string) => void): { close(): void } {
  const options = { protocols: ["csvcast.v1"], perMessageDeflate: false } as Bun.WebSocketOptions;
  const socket = new WebSocket(server.url, options);
  socket.onmessage = ({ data }) => onMessage(String(data));
  return socket;
}

const isOfType = (text: string, type: string) => text.startsWith(`{"type":"${type}"`);

// A log that grows.

const BEGUN_BYTES = MB;
const GROWN_BYTES = 635 * MB;
const GROWN_PER_SECOND = 12 * MB;
/** A client that is behind catches up within so many times 50 ms. */
const CATCH_UP_TRIES = 1_200;

type Growth = { name: string; options: string[]; before: { rss: number; peak: number; wire?: number } };
const GROWTHS: readonly Growth[] = [
  { name: "all rows", options: [], before: { rss: 742, peak: 1_330 } },
  { name: "--last 1000", options: ["--last", "1000"], before: { rss: 742, peak: 1_330, wire: 752 } },
];

async function growth(folder: string, { name, options, before }: Growth): Promise<Figure[]> {
  const path = join(folder, `grown${options.join("")}.csv`);
  writeLarge(path, BEGUN_BYTES, "utf8");
  await using server = await serverOf(path, folder, ...options);
  await live(server);
  let bytes = 0;
  let last = NaN;
  const client = listen(server, (text) => {
    bytes += Buffer.byteLength(text);
    last = Number([...text.slice(-END_CHARACTERS).matchAll(/\["(\d+)",/g)].at(-1)?.[1] ?? last);
  });
  const writer = startWriter("grow", path, GROWN_BYTES - statSync(path).size, GROWN_PER_SECOND);
  const [said] = await linesOf<{ rows: number }>(writer);
  for (let tries = 0; last !== said!.rows - 1 && tries < CATCH_UP_TRIES; tries++) await Bun.sleep(50);
  client.close();
  const wire = bytes / MB;
  return [
    beats(`1 to 635 MB at 12 MB/s, ${name}: server's MB of RAM`, residentBytesOf(server.pid) / MB, before.rss),
    beats("  peak", peakBytesOf(server.pid) / MB, before.peak),
    before.wire === undefined
      ? figure("  MB to one live client", wire)
      : beats("  MB to one live client", wire, before.wire),
    atMost("  rows missing at the end", said!.rows - 1 - last, 0),
  ];
}

// A newcomer to a large table.

/** In seconds and MB; where 0.1.0 was measured at all. */
type Newcomer = { megabytes: number; airS?: number; rss?: number; wholeS?: number; peak: number };
const NEWCOMERS: readonly Newcomer[] = [
  { megabytes: 600, wholeS: 2.8, peak: 2_600 },
  { megabytes: 1_000, airS: 1.7, rss: 1_080, peak: 3_800 },
];

const against = (what: string, value: number, before: number | undefined, digits = 0) =>
  before === undefined ? figure(what, value, digits) : { ...figure(what, value, digits), before };

async function newcomer(folder: string, { megabytes, airS, rss, wholeS, peak }: Newcomer): Promise<Figure[]> {
  const path = join(folder, "joined.csv");
  writeLarge(path, megabytes * MB, "utf8");
  const startedAt = performance.now();
  await using server = await serverOf(path, folder);
  await live(server);
  const airMs = performance.now() - startedAt;
  const residentMB = residentBytesOf(server.pid) / MB;
  resetPeak(server.pid);
  const joinedAt = performance.now();
  const whole = Promise.withResolvers<number>();
  const client = listen(server, (text) => isOfType(text, "sync") && whole.resolve(performance.now()));
  const wholeMs = (await whole.promise) - joinedAt;
  client.close();
  return [
    against(`${number(megabytes)} MB: on air after s`, airMs / 1e3, airS, 1),
    against("  server's MB of RAM", residentMB, rss),
    against("  a live newcomer whole after s", wholeMs / 1e3, wholeS, 1),
    beats("  peak of the server's MB meanwhile", peakBytesOf(server.pid) / MB, peak),
  ];
}

// What a change of a few rows is on the wire.

type Change = { name: string; of: (rows: readonly string[]) => string[] };
const NEW = () => logRow(9_999_999);
const CHANGES: readonly Change[] = [
  { name: "1 row at the top", of: (rows) => [NEW(), ...rows] },
  { name: "1 at the top, the last one dropped", of: (rows) => [NEW(), ...rows.slice(0, -1)] },
  { name: "1 at the end, the first one dropped", of: (rows) => [...rows.slice(1), NEW()] },
  {
    name: "1 moved",
    of: (rows) => [...rows.slice(0, 100), ...rows.slice(101, 9_000), rows[100]!, ...rows.slice(9_000)],
  },
  { name: "20 deleted", of: (rows) => rows.filter((_, r) => r % 997 !== 500 || r > 20 * 997) },
];
const CHANGED = [
  { count: 20_000, before: [126, 139, 139, 143, 337] },
  { count: 400_000, before: [127, 18.2 * MB, 18.2 * MB, 18.2 * MB, 18.2 * MB] },
] as const;

/** Each in a file that takes the place of the one before. */
async function changes(folder: string, { count, before }: (typeof CHANGED)[number]): Promise<Figure[]> {
  const path = join(folder, "changed.csv");
  const rows = Array.from({ length: count }, (_, n) => logRow(n));
  const replace = (all: readonly string[]) => {
    writeFileSync(`${path}.new`, LOG_HEADER + all.join(""));
    renameSync(`${path}.new`, path);
  };
  replace(rows);
  await using server = await serverOf(path, folder);
  let next = Promise.withResolvers<number>();
  const client = listen(server, (text) => {
    const isNews = isOfType(text, "delta") || isOfType(text, "snapshot");
    if (isNews) next.resolve(Buffer.byteLength(text));
    else if (isOfType(text, "sync")) current.resolve();
  });
  const current = Promise.withResolvers<void>();
  await current.promise;
  const figures: Figure[] = [];
  for (const [c, { name, of }] of CHANGES.entries()) {
    for (const all of [of(rows), rows]) {
      next = Promise.withResolvers();
      replace(all);
      const bytes = await next.promise;
      if (all !== rows) figures.push(against(`${number(count)} rows, ${name}: bytes`, bytes, before[c]));
    }
  }
  client.close();
  return figures;
}

// Many rows at once, of which few are wanted; and a large document.

async function burst(folder: string): Promise<Figure[]> {
  const path = join(folder, "burst.csv");
  writeLarge(path, 10_000, "utf8", 20);
  await using server = await serverOf(path, folder, "--last", "10");
  const current = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  let bytes = 0;
  const client = listen(server, (text) => {
    if (isOfType(text, "sync")) current.resolve();
    bytes += Buffer.byteLength(text);
    if (text.includes('["4999",')) done.resolve();
  });
  await current.promise;
  bytes = 0;
  appendFileSync(path, Array.from({ length: 5_000 }, (_, n) => logRow(n)).join(""));
  await done.promise;
  client.close();
  return [beats("--last 10, 5,000 rows at once: kB to each live client", bytes / 1e3, 365, 1)];
}

async function document(folder: string): Promise<Figure[]> {
  const path = join(folder, "document.csv");
  writeLarge(path, 80 * MB, "utf8");
  await using server = await serverOf(path, folder);
  await live(server);
  resetPeak(server.pid);
  const startedAt = performance.now();
  let firstAt = 0;
  let bytes = 0;
  for await (const piece of (await fetch(`${server.http}/csv.json`)).body!) {
    firstAt ||= performance.now();
    bytes += piece.length;
  }
  return [
    against("/csv.json of 80 MB: first byte after s", (firstAt - startedAt) / 1e3, 0.23, 2),
    beats("  peak of the server's MB of RAM", peakBytesOf(server.pid) / MB, 606),
    figure("  MB of JSON", bytes / MB),
  ];
}

/** Memory and bytes are judged, which others on the machine do not change; times are told. */
export async function measureSizes(folder: string, measured: (part: readonly Figure[]) => void): Promise<void> {
  for (const part of await Promise.all(GROWTHS.map((one) => growth(folder, one)))) measured(part);
  for (const one of NEWCOMERS) measured(await newcomer(folder, one));
  for (const one of CHANGED) measured(await changes(folder, one));
  measured(await burst(folder));
  measured(await document(folder));
}
