// A server that does what servers do, by chance: whatever it answers, what is published is always a table that it has had, whole, and at last
// the one that it has.
import { expect, setDefaultTimeout, test } from "bun:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { TEST_TIMEOUT_MS, until } from "../../support.ts";
import { openChance, type Chance } from "./chance.ts";
import { followWeb, openRaw } from "./web.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const HEADER = "n,first,second\n";
const CELLS = ["1", "", "x", '"a,b"', '"two\nlines"', "é", "€uro"];
const rowOf = (chance: Chance) => `${chance.below(1_000)},${chance.of(CELLS)},${chance.of(CELLS)}\n`;

function changed(rows: readonly string[], chance: Chance): string[] {
  const some = Array.from({ length: 1 + chance.below(20) }, () => rowOf(chance));
  const at = chance.below(rows.length + 1);
  const changes = [
    [...rows, ...some],
    [...rows, ...some],
    [...rows.slice(0, at), ...some, ...rows.slice(at + chance.below(3))],
    rows.slice(at),
  ];
  return changes[chance.below(changes.length)]!;
}

const jsonOf = (text: string) => {
  const [, ...records] = text.match(/(?:"[^"]*"|[^"\n])*\n/g) ?? [];
  return JSON.stringify(
    records.map((record) => {
      const cells = record.slice(0, -1).match(/"[^"]*"|[^,]+|(?<=^|,)(?=,|$)/g) ?? [];
      const [n = "", first = "", second = ""] = cells.map((cell) => cell.replace(/^"|"$/g, ""));
      return { n, first, second };
    }),
  );
};

const latin = (text: string) => Buffer.from(text, "latin1");
const chunked = (body: Buffer, size: number) => {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    chunks.push(latin(`${chunk.length.toString(16)}\r\n`), chunk, latin("\r\n"));
  }
  return Buffer.concat([...chunks, latin("0\r\n\r\n")]);
};

/** Of a body, as one server or the other sends it; torn somewhere, if it `isTorn`. */
function answerWith(text: string, chance: Chance, isTorn: boolean): Buffer {
  const plain = Buffer.from(text);
  const [encoding, body] = chance.of([
    ["", plain],
    ["gzip", gzipSync(plain)],
    ["br", brotliCompressSync(plain)],
  ] as const);
  const isChunked = chance.below(2) === 0;
  const head = [
    "HTTP/1.1 200 OK",
    ...(encoding === "" ? [] : [`Content-Encoding: ${encoding}`]),
    ...(chance.below(2) === 0 ? [`ETag: "${chance.below(3) === 0 ? chance.below(1e6) : Bun.hash(plain)}"`] : []),
    isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`,
  ];
  const sent = isChunked ? chunked(body, 1 + chance.below(5_000)) : body;
  const whole = Buffer.concat([latin(`${head.join("\r\n")}\r\n\r\n`), sent]);
  return isTorn ? whole.subarray(0, whole.length - 1 - chance.below(sent.length - 1)) : whole;
}

const FAILURES = [
  "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
  "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
  "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\nno",
  "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>",
  "HTTP/1.1 304 Not Modified\r\n\r\n",
  "nonsense\r\n\r\n",
  "",
];

test.concurrent.each(Array.from({ length: Number(process.env["CSVCAST_RUNS"] ?? 8) }, (_, i) => i + 1))(
  "seed %d",
  async (seed) => {
    const chance = openChance(seed);
    let rows = Array.from({ length: chance.of([25, 4_000]) }, () => rowOf(chance));
    let text = HEADER + rows.join("");
    const versions = new Set([jsonOf(text)]);
    let isCalm = false;

    using web = await openRaw((socket, asked) => {
      const etag = /if-none-match: (.*)\r/i.exec(asked)?.[1];
      if (!isCalm && chance.below(3) === 0 && etag !== `"${Bun.hash(text)}"`) {
        const failure = chance.of(FAILURES);
        const isLie = failure.includes(" 304 ") && etag !== undefined;
        return void socket.end(isLie ? "" : failure);
      }
      const isTorn = !isCalm && chance.below(4) === 0;
      const isSame = etag === `"${Bun.hash(text)}"`;
      socket.end(isSame && !isTorn ? "HTTP/1.1 304 Not Modified\r\n\r\n" : answerWith(text, chance, isTorn));
    });
    using followed = followWeb(web.url, { waits: true, pollMs: 5 }, { maxBackoffMs: 10 });
    const seen: string[] = [];
    const look = async () => {
      if (followed.publications.length > 0) seen.push(await followed.json());
    };
    for (let step = 0; step < 12; step++) {
      const before = web.count();
      await until("some looks", async () => (await look(), web.count() > before + 3));
      rows = changed(rows, chance);
      text = HEADER + rows.join("");
      versions.add(jsonOf(text));
    }
    isCalm = true;
    await until(
      "the last version",
      async () => followed.publications.length > 0 && (await followed.json()) === jsonOf(text),
    );
    await followed.until("live", () => followed.state() === "live");
    expect(seen.filter((json) => !versions.has(json))).toEqual([]);
    expect(seen.length).toBeGreaterThan(0);
  },
);
