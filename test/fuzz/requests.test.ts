// Requests of every malformed kind, and CSV bytes of every kind, against the real server: no crash, no hang, no 500, no word of the
// inside, and whoever was connected before goes on.
import { expect, setDefaultTimeout, test } from "bun:test";
import { CsvError } from "../../src/csv/error.ts";
import { openHeld } from "../../src/source/held.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { connect, type RunningServer, startServer, temporaryFolder, until } from "../support.ts";
import { hostile, wellFormed } from "./documents.ts";
import { mutated, nearly, soup } from "./mutations.ts";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, randomFrom, seedOfRun, shareOf, shown } from "./random.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const REQUESTS = shareOf(4_000);
const SEQUENCES = shareOf(10_000);
const FILES = shareOf(300);
const PARALLEL = 16;
const METHODS = ["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW"];
const PATHS = [
  "/",
  "/csv",
  "/csv.json",
  "/csv.ndjson",
  "/csv.csv",
  "/csv/events",
  "/healthz",
  "/metrics",
  "/../../etc/passwd",
  "//",
  "*",
];
const QUERIES = ["", "", "?since=a:1", "?token=wrong", "?since=a:1&since=b:2", "?token=%zz", "?%", "?since=%00"];
const HEADERS: Record<string, readonly string[]> = {
  "If-None-Match": ['W/"a:1"', "*", '"', '"a:1", "b:2"'],
  "Accept-Encoding": ["gzip", "zstd", "gzip;q=0", "*", "br"],
  Range: ["bytes=0-1", "bytes=-1", "bytes=9-1", "rows=1"],
  Upgrade: ["websocket", "h2c", "WebSocket, x"],
  Connection: ["Upgrade", "keep-alive", "close", "Upgrade, keep-alive"],
  "Sec-WebSocket-Key": ["x3JJHMbDL1EzLkh9GBhXDw==", "short", ""],
  "Sec-WebSocket-Version": ["13", "8", "0", "thirteen"],
  "Sec-WebSocket-Protocol": ["csvcast.v1", "a, csvcast.v1", ",,csvcast.v1,", "csvcast.v2", "a b", "csvcast.v1;x"],
  "Sec-WebSocket-Extensions": ["permessage-deflate", "constructor", "permessage-deflate; server_max_window_bits=99"],
  "Last-Event-ID": ["a:1", "elsewhere", "a:99999999999999999999"],
  Origin: ["null", "http://localhost", "https://evil.example"],
  "Content-Length": ["0", "5", "-1", "x"],
  "X-Forwarded-For": ["10.0.0.7", "::1", "unknown, ,", "10.0.0.7:9"],
  Authorization: ["Bearer x", "Bearer", "Basic YTpi"],
  "Sec-Fetch-Site": ["cross-site", "same-origin"],
};

function randomRequest(random: Random): string {
  const path = (random.chance(0.5) ? random.pick(PATHS) : nearly(random, PATHS)) + random.pick(QUERIES);
  const lines = [`${random.chance(0.9) ? random.pick(METHODS) : soup(random)} ${path} HTTP/1.1`];
  lines.push(`Host: ${random.chance(0.8) ? "localhost" : nearly(random, ["localhost", "127.0.0.1"])}`);
  for (let count = random.below(7); count > 0; count--) {
    const name = random.pick(Object.keys(HEADERS));
    lines.push(`${name}: ${random.chance(0.6) ? random.pick(HEADERS[name]!) : nearly(random, HEADERS[name]!)}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Sends, and gives what comes until the head of an answer is there or the connection ends; then it hangs up. */
async function headOf(port: number, request: string): Promise<string> {
  const answered = Promise.withResolvers<string>();
  let text = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, data) {
        text += data.toString("latin1");
        if (text.includes("\r\n\r\n")) answered.resolve(text);
      },
      close: () => answered.resolve(text),
      error: () => answered.resolve(text),
    },
  });
  socket.write(Buffer.from(request, encodingOf(request)));
  socket.write("\r\n\r\n"); // what was no end is one now
  try {
    return await answered.promise;
  } finally {
    socket.terminate();
  }
}

/** One or the other, by chance. */
const encodingOf = (text: string) => (text.length % 2 === 0 ? ("latin1" as const) : ("utf8" as const));

function expectHarmless(request: string, answer: string): void {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
  // 501 and 505 are what the runtime answers to methods and versions that are none.
  if (status >= 500 && ![501, 503, 505].includes(status)) throw new Error(`${status} for ${JSON.stringify(request)}`);
  if (/root:|\.ts\b.*:\d+|\n\s+at .*:\d+|node_modules/.test(answer))
    throw new Error(`${answer} for ${JSON.stringify(request)}`);
}

async function expectWell(server: RunningServer): Promise<void> {
  await using newcomer = await connect(server.url);
  await newcomer.next();
  expect(server.stdout() + server.stderr()).not.toMatch(/unexpected|error:/i);
}

test.concurrent(`${shown(REQUESTS)} requests: no 500, no hang, no word of the inside`, async () => {
  const seed = seedOfRun();
  await using folder = await temporaryFolder();
  await folder.write("a.csv", `x\n${"1234567890\n".repeat(200)}`);
  await using server = await startServer(["a.csv"], { folder });
  await using witness = await connect(server.url);
  await witness.next();
  const ask = async (first: number) => {
    for (let n = first; n < REQUESTS; n += PARALLEL) {
      const request = randomRequest(randomFrom(seed + n));
      try {
        expectHarmless(request, await headOf(server.port, request));
      } catch (error) {
        throw new Error(`CSVCAST_SEED=${seed}, request ${n}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, (_, first) => ask(first)));
  await witness.next();
  await expectWell(server);
  await until("all connections to be gone", async () =>
    (await (await fetch(`${server.http}/metrics`)).text()).includes('feed="events"} 0\n'),
  );
});

/** Bytes that were a CSV once, or nearly. */
function randomBytes(random: Random): Buffer {
  const { text } = random.chance(0.5) ? wellFormed(random) : hostile(random);
  const bytes = Buffer.from(
    random.chance(0.3) ? mutated(random, text) : text,
    random.pick(["utf8", "utf8", "latin1", "utf16le"]),
  );
  if (random.chance(0.2))
    for (let n = random.below(9); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
  return random.chance(0.1) ? Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]) : bytes;
}

test(`${shown(SEQUENCES)} sequences of bytes, held and appended to: a table whose JSON is JSON, or a CsvError`, () => {
  let published = 0;
  forSeeds(SEQUENCES, (random) => {
    const held = openHeld({
      lastRows: random.pick([Infinity, 2]),
      maxCellBytes: random.pick([8, 1024]),
    });
    for (let step = 0; step < 3; step++) {
      const bytes = randomBytes(random);
      try {
        if (step === 0 || random.chance(0.3)) held.set(Buffer.concat([bytes, Buffer.alloc(64)]), bytes.length);
        else held.append(bytes);
      } catch (error) {
        if (!(error instanceof CsvError)) throw error;
      }
      const revision = held.publish(random.chance(0.5));
      if (!revision) continue;
      const { table, view } = revision;
      expect(JSON.parse(table.render(view.first, view.end, "arrays").text!)).toBeArrayOfSize(view.end - view.first);
      published++;
    }
  });
  expect(published).toBeGreaterThan(SEQUENCES / 10);
});

test.concurrent(
  `${shown(FILES)} files of any bytes through the whole program: it stays, and converges to the last good one`,
  async () => {
    const random = randomFrom(seedOfRun());
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv", "--settle=10ms"], { folder });
    await using client = await connect(server.url);
    await client.next();
    for (let n = 0; n < FILES; n++) {
      if (random.chance(0.5)) await Bun.write(path, randomBytes(random));
      else await folder.write("a.csv", randomBytes(random));
      if (random.chance(0.7)) await Bun.sleep(random.below(15));
    }
    await Bun.write(path, 'name,"a ""b"""\n1,2\n');
    const json = await convertCsvToJson(path);
    await client.nextThat("the last file", (text) => text === json);
    await expectWell(server);
  },
);
