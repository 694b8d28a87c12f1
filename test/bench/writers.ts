// Writers as they really are, each a process of its own: whether what a client holds is fresh and whole meanwhile, and what it costs.
import { appendFileSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { subscribe, type Row, type Splice, type Table as Followed } from "../../src/follow/index.ts";
import { end } from "./child.ts";
import { cpuMsOf, readBytesOf } from "./proc.ts";
import { live, type RunningServer, serverOf } from "./program.ts";
import { atMost, type Figure, figure, median, number, report, shown } from "./report.ts";
import { measureSizes } from "./sizes.ts";
import {
  type Encoding,
  isWholeRow,
  linesOf,
  LOG_HEADER,
  logRow,
  now,
  paced,
  QUOTES_HEADER,
  type Rotated,
  startWriter,
  writeLarge,
} from "./writing.ts";

const MB = 1e6;

type News = { rows: Iterable<Row>; deleted: number };

/** A live client: what is new to it, and how often it was told a state other than live. */
function openClient(url: string, onNews: (news: News, table: Followed) => void) {
  const current = Promise.withResolvers<void>();
  const states: string[] = [];
  let snapshots = 0;
  const newOf = (splices: readonly Splice[]): News => ({
    rows: splices.flatMap(([, , rows]) => rows),
    deleted: splices.reduce((sum, [, deleted]) => sum + deleted, 0),
  });
  const subscription = subscribe(url, {
    keepText: true,
    onSnapshot(table, splices) {
      snapshots++;
      onNews(splices ? newOf(splices) : { rows: table, deleted: 0 }, table);
    },
    onChange: (table, splices) => onNews(newOf(splices), table),
    onStatus: ({ state }) => void (state !== "live" && states.push(state)),
    onConnection: ({ state }) => state === "current" && current.resolve(),
  });
  return {
    current: current.promise,
    states,
    snapshots: () => snapshots,
    table: () => subscription.table,
    [Symbol.dispose]: () => subscription.close(),
  };
}

// A table that is replaced all the time.

const TICKER_ROWS = 20_000;
const TICKER_CHANGED = 200;
/** Until it is known that files are put there whole. */
const TICKER_WARMUP_MS = 1_500;
/** For as much longer it could write: it is ended. */
const TICKER_SPARE_SECONDS = 20;
const TICKERS = [
  { periodMs: 100, seconds: 10, worstMs: 300 },
  { periodMs: 250, seconds: 5, worstMs: 450 },
  { periodMs: 25, seconds: 5, worstMs: 300 },
] as const;
const TICKER_ROUNDS = 2;

/** `lateMs`: by how much a timer of 10 ms was late at worst, which tells how much of the machine others had. */
type Ages = { ages: number[]; states: number; shown: number; lateMs: number };

async function tickerAges(folder: string, periodMs: number, seconds: number): Promise<Ages> {
  const path = join(folder, "ticker.csv");
  writeFileSync(path, `${QUOTES_HEADER}0,CLOCK,0,0\n`);
  await using server = await serverOf(path, folder);
  await live(server);
  let madeAt = NaN;
  let from = Infinity;
  let shown = 0;
  const ages: number[] = [];
  const sample = () => now() >= from && ages.push(now() - madeAt);
  using client = openClient(server.url, (_news, table) => {
    sample();
    madeAt = Number(table.row(0)?.[3]);
    shown++;
    sample();
  });
  await client.current;
  const writer = startWriter("ticker", path, TICKER_ROWS, TICKER_CHANGED, periodMs, seconds + TICKER_SPARE_SECONDS);
  while (!(madeAt > 0)) await Bun.sleep(10);
  await Bun.sleep(TICKER_WARMUP_MS);
  client.states.length = shown = 0;
  from = now();
  let lateMs = 0;
  let sampledAt = now();
  const timer = setInterval(() => {
    lateMs = Math.max(lateMs, now() - sampledAt - 10);
    sampledAt = now();
    sample();
  }, 10);
  await Bun.sleep(seconds * 1_000);
  clearInterval(timer);
  from = Infinity;
  await end(writer);
  return { ages, states: client.states.length, shown: shown / seconds, lateMs };
}

async function tickers(folder: string): Promise<Figure[]> {
  const results = TICKERS.map((): Ages[] => []);
  for (let round = 0; round < TICKER_ROUNDS; round++)
    for (const [i, { periodMs, seconds }] of TICKERS.entries())
      results[i]!.push(await tickerAges(folder, periodMs, seconds));
  return TICKERS.flatMap(({ periodMs, worstMs }, i) => {
    const ages = results[i]!.flatMap((round) => round.ages);
    const states = results[i]!.reduce((sum, round) => sum + round.states, 0);
    const what = `${number(TICKER_ROWS)} rows replaced every ${periodMs} ms`;
    return [
      figure(`${what}: age of what a client holds, median ms`, median(ages)),
      atMost("  worst ms", Math.max(...ages), worstMs),
      figure("  a timer of 10 ms late meanwhile, worst ms", Math.max(...results[i]!.map(({ lateMs }) => lateMs))),
      figure("  tables shown a second", median(results[i]!.map(({ shown }) => shown)), 1),
      atMost("  told a state other than live", states, 0),
    ];
  });
}

// A log that is rotated.

const ROTATIONS = 5;
const ROTATION_MS = 1_600;

async function rotation(folder: string, lingerMs: number): Promise<Figure[]> {
  const path = join(folder, `rotated-${lingerMs}.csv`);
  writeFileSync(path, LOG_HEADER + logRow(0));
  await using server = await serverOf(path, folder);
  await live(server);
  const seen = new Set<number>();
  const newsAt: number[] = [];
  let torn = 0;
  using client = openClient(server.url, ({ rows }) => {
    const before = seen.size;
    for (const row of rows) {
      if (isWholeRow(row)) seen.add(Number(row[0]));
      else torn++;
    }
    if (seen.size > before) newsAt.push(now());
  });
  await client.current;
  const writer = startWriter("rotate", path, 1_000, ROTATIONS, ROTATION_MS, lingerMs);
  const said = await linesOf<Rotated | { rows: number }>(writer);
  await Bun.sleep(1_500);
  const written = said.flatMap((line) => ("rows" in line ? [line.rows] : []))[0] ?? NaN;
  const silences = said.flatMap((line) => ("rotatedAt" in line ? [silenceAround(line.rotatedAt, newsAt)] : []));
  const what = `rotated under 1,000 rows/s, the writer in the old file for ${lingerMs} ms more`;
  return [
    figure(`${what}: silence, median ms`, median(silences)),
    atMost("  worst ms", Math.max(...silences), 1_000),
    atMost("  rows lost", written - seen.size, 0),
    atMost("  rows torn", torn, 0),
    atMost("  told a state other than live", client.states.length, 0),
  ];
}

function silenceAround(rotatedAt: number, newsAt: readonly number[]): number {
  const near = newsAt.filter((at) => at > rotatedAt - 200 && at < rotatedAt + ROTATION_MS - 200);
  return Math.max(...near.slice(1).map((at, i) => at - near[i]!));
}

// Large files in each encoding, and one that is checked all the time.

const ENCODINGS: readonly { encoding: Encoding; name: string }[] = [
  { encoding: "utf8", name: "UTF-8" },
  { encoding: "latin1", name: "windows-1252" },
  { encoding: "utf16le", name: "UTF-16LE" },
];
const LARGE_BYTES = 200 * MB;
const LOAD_ROUNDS = 3;
const APPENDED_PER_SECOND = 10;
const APPENDED_SECONDS = 20;
/** Until the code that does it is compiled, which is no matter of files. */
const WARMUP_PER_SECOND = 20;
const WARMUP_SECONDS = 8;

const largeOf = (folder: string) =>
  ENCODINGS.map(({ encoding, name }) => ({ encoding, name, path: join(folder, `${encoding}.csv`) }));

/** Until a large file is on air, from the start of the program. */
async function loads(folder: string): Promise<Figure[]> {
  const files = largeOf(folder);
  for (const { path, encoding } of files) writeLarge(path, LARGE_BYTES, encoding);
  const times = files.map((): number[] => []);
  for (let round = 0; round < LOAD_ROUNDS; round++)
    for (const [i, { path }] of files.entries()) {
      const startedAt = performance.now();
      await using server = await serverOf(path, folder);
      await live(server);
      times[i]!.push(performance.now() - startedAt);
    }
  return files.map(({ name }, i) => figure(`200 MB of ${name}: on air after s`, median(times[i]!) / 1_000, 2));
}

/** Cells that a client that has the table until now gets from now on. */
async function openNewcomer(server: RunningServer) {
  const { epoch, version } = await live(server);
  const socket = new WebSocket(`${server.url}?since=${epoch}:${version}`, ["csvcast.v1"]);
  const synced = Promise.withResolvers<void>();
  let whole = 0;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as { type: string; splices?: Splice[] };
    if (message.type === "sync") synced.resolve();
    for (const [, , rows] of message.splices ?? []) whole += rows.filter(isWholeRow).length;
  };
  await synced.promise;
  return { whole: () => whole, [Symbol.dispose]: () => socket.close() };
}

async function encodings(folder: string): Promise<Figure[]> {
  await using resources = new AsyncDisposableStack();
  const followed = [];
  const small = { encoding: "utf8", name: "50 kB of UTF-8", path: join(folder, "small.csv") } as const;
  writeLarge(small.path, 50_000, "utf8", 100);
  const files = [small, ...largeOf(folder).map((file) => ({ ...file, name: `200 MB of ${file.name}` }))];
  for (const { name, path } of files) {
    const server = resources.use(await serverOf(path, folder));
    followed.push({ name, server, client: resources.use(await openNewcomer(server)) });
  }
  const paths = files.map(({ encoding, path }) => `${encoding}=${path}`).join("|");
  const append = (perSecond: number, seconds: number) => startWriter("append", paths, perSecond, seconds).exited;
  await append(WARMUP_PER_SECOND, WARMUP_SECONDS);
  await Bun.sleep(1_000);
  const before = followed.map(({ server }) => cpuMsOf(server.pid));
  const startedAt = performance.now();
  await append(APPENDED_PER_SECOND, APPENDED_SECONDS);
  await Bun.sleep(100);
  const elapsed = performance.now() - startedAt;
  return followed.flatMap(({ name, server, client }, i) => [
    atMost(
      `${APPENDED_PER_SECOND} rows/s at the end of ${name}: % of a core`,
      (100 * (cpuMsOf(server.pid) - before[i]!)) / elapsed,
      3,
      1,
    ),
    atMost(
      "  rows lost",
      WARMUP_PER_SECOND * WARMUP_SECONDS + APPENDED_PER_SECOND * APPENDED_SECONDS - client.whole(),
      0,
    ),
  ]);
}

const VERIFIED_BYTES = 600 * MB;
const VERIFIED_ROWS = 20;
const VERIFIED_GAP_MS = 3_000;
const TOUCHED_MS = 3_000;
const VERIFYING_MS = 10_000;

async function verification(folder: string): Promise<Figure[]> {
  const path = join(folder, "verified.csv");
  writeLarge(path, VERIFIED_BYTES, "utf8");
  await using server = await serverOf(path, folder);
  const { rows } = await live(server);
  const before = readBytesOf(server.pid);
  await paced(VERIFIED_ROWS, VERIFIED_GAP_MS, (n) => appendFileSync(path, logRow(n)));
  await Bun.sleep(VERIFIED_GAP_MS);
  const read = readBytesOf(server.pid) - before;
  const lost = rows + VERIFIED_ROWS - (await live(server)).rows;
  const untouched = readBytesOf(server.pid);
  utimesSync(path, new Date(), new Date());
  await Bun.sleep(TOUCHED_MS);
  const touched = readBytesOf(server.pid) - untouched;
  await Bun.sleep(VERIFYING_MS);
  const untilVerified = readBytesOf(server.pid) - untouched;
  return [
    figure("a row every 3 s at the end of 600 MB: MB read a minute", read / MB, 1),
    atMost("  MB for each row", read / MB / VERIFIED_ROWS, 5, 2),
    atMost("  rows lost", lost, 0),
    atMost("600 MB, touched once: MB read at once", touched / MB, statSync(path).size / MB + 5),
    figure("  and to verify it, in the 10 s after", (untilVerified - touched) / MB),
  ];
}

// Writers with a buffer, which cut rows wherever it is full.

const BUFFERED_TICKS = 900;
const BUFFERED_EACH = 40;
/** Every so many ticks of 10 ms there is nothing to write for so long. */
const PAUSE_TICKS = 225;
const PAUSE_MS = 2_600;

const PYTHON = (bytes: number) => [
  "python3",
  "-c",
  `import sys\nwith open(sys.argv[1], "a", buffering=${bytes}, encoding="utf-8") as f:\n  for line in sys.stdin: f.write(line)`,
];
const BUFFERED = [
  { name: "gawk", command: ["gawk", "{ print >> file }"], bytes: 4_096 },
  { name: "Python, 4 kB", command: PYTHON(4_096), bytes: 4_096 },
  { name: "Python, 8 kB", command: PYTHON(8_192), bytes: 8_192 },
] as const;

async function buffered(folder: string, { name, command, bytes }: (typeof BUFFERED)[number]): Promise<Figure[]> {
  const program = Bun.which(command[0]!);
  if (!program) return [figure(`${name} is not installed`, NaN)];
  const path = join(folder, `${name}.csv`);
  writeFileSync(path, LOG_HEADER);
  await using server = await serverOf(path, folder);
  let torn = 0;
  let vanished = 0;
  using client = openClient(server.url, ({ rows, deleted }) => {
    vanished += deleted;
    for (const row of rows) if (!isWholeRow(row)) torn++;
  });
  await client.current;
  const args = command[0] === "gawk" ? ["-v", `file=${path}`, ...command.slice(1)] : [...command.slice(1), path];
  const writer = Bun.spawn([program, ...args], { stdio: ["pipe", "inherit", "inherit"] });
  for (let tick = 0, n = 0; tick < BUFFERED_TICKS; tick++) {
    for (let i = 0; i < BUFFERED_EACH; i++) writer.stdin.write(logRow(n++));
    await writer.stdin.flush();
    await Bun.sleep(tick % PAUSE_TICKS === PAUSE_TICKS - 1 ? PAUSE_MS : 10);
  }
  await writer.stdin.end();
  await writer.exited;
  await Bun.sleep(500);
  const flushes = Math.ceil(statSync(path).size / bytes);
  return [
    atMost(`${name}, ${number(flushes)} flushes: rows torn`, torn + vanished, 0),
    atMost("  rows lost", BUFFERED_TICKS * BUFFERED_EACH - (client.table()?.length ?? 0), 0),
  ];
}

export async function benchWriters(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-bench-writers-"));
  try {
    return await benchIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What counts time has the machine for itself; what counts bytes, rows and CPU goes on side by side. */
async function benchIn(folder: string): Promise<string> {
  const figures: Figure[] = [];
  const measured = (part: readonly Figure[]) => {
    for (const one of part) console.log(`${one.what}: ${shown(one)}`);
    figures.push(...part);
  };
  measured(await tickers(folder));
  for (const lingerMs of [0, 50]) measured(await rotation(folder, lingerMs));
  await measureSizes(folder, measured);
  measured(await loads(folder));
  const verified = verification(folder);
  measured(await encodings(folder));
  for (const part of await Promise.all(BUFFERED.map((writer) => buffered(folder, writer)))) measured(part);
  measured(await verified);
  return report(figures);
}
