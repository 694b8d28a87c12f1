// The WebAssembly writes and finds what the loops in TypeScript do: they are its oracle.
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_SIZE, isBorder } from "../../src/csv/blocks.ts";
import { SPARE_BYTES } from "../../src/csv/encoding.ts";
import { type Progress, type RowWriter, rowWriter } from "../../src/csv/json.ts";
import { typingOf } from "../../src/csv/literals.ts";
import { quoteRule } from "../../src/csv/quotes.ts";
import { type Layout, walkRecords } from "../../src/csv/records.ts";
import { createRenderer, terminate } from "../../src/csv/render.ts";
import { fasterWriter, openRoom, OUTPUT_AT, scan } from "../../src/csv/simd.ts";
import type { Verdict } from "../../src/values/verdict.ts";
import { forSeeds, RANDOM_TIMEOUT_MS, type Random, shareOf } from "../fuzz/random.ts";
import { randomBytes, randomLayout } from "./soup.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const room = openRoom()!;

/** Records that are plain for the most part, with a random text here and there. */
function randomText(random: Random, layout: Layout): Buffer {
  const separator = String.fromCharCode(layout.delimiter);
  const pieces = [randomBytes(random, layout)];
  for (let i = random.below(40); i > 0; i--) {
    const cells = Array.from({ length: 1 + random.below(4) }, () =>
      random.pick([
        "",
        "1",
        "12.5",
        "a",
        "sensor-12",
        "Málaga",
        '"x, y"',
        '"a ""b"" c"',
        "x".repeat(random.below(40)),
        "\\",
      ]),
    );
    pieces.push(Buffer.from(cells.join(separator) + String.fromCharCode(layout.recordEnd)));
    if (random.chance(0.1)) pieces.push(randomBytes(random, layout));
  }
  return Buffer.concat(pieces);
}

const startOf = (out: number): Progress => ({
  at: 0,
  out,
  rows: 0,
  surplus: 0,
  twoByte: 0,
  isTooWide: false,
  lastRowAt: out,
});

/** Both write the same of the records in `bytes[0, to)`, and count the same, with so much room or enough. */
function expectSame(slow: RowWriter, fast: RowWriter, bytes: Uint8Array, to: number, safe?: number): void {
  const length = slow.need(to) * (to + 1) + SPARE_BYTES;
  const expected = Buffer.alloc(OUTPUT_AT + length);
  room.grow(expected.length);
  const out = room.bytes();
  const [before, after] = [startOf(OUTPUT_AT), startOf(OUTPUT_AT)];
  slow.write(Buffer.from(bytes), to, expected, OUTPUT_AT + (safe ?? length), before);
  fast.write(Buffer.from(bytes), to, out, OUTPUT_AT + (safe ?? length), after);
  expect(after).toEqual(before);
  expect(out.toString("latin1", OUTPUT_AT, after.out)).toBe(expected.toString("latin1", OUTPUT_AT, before.out));
}

test(`${shareOf(2_000)} texts are written as json.ts writes them`, () => {
  forSeeds(shareOf(2_000), (random) => {
    const layout = randomLayout(random);
    const text = randomText(random, layout);
    const bytes = Buffer.concat([text, Buffer.alloc(SPARE_BYTES, 0x22)]);
    const to = terminate(bytes, 0, text.length, layout);
    const columns = 1 + random.below(5);
    const names = Array.from({ length: columns }, (_, c) => `n${c}${"é".repeat(random.below(3) * random.below(30))}`);
    const shape = random.chance(0.3) ? columns : names;
    const encoding = random.pick(["utf8", "latin1"] as const);
    // With a judge of quotes, to whom all are cells.
    const isJudged = random.chance(0.5);
    const slow = rowWriter(shape, layout, encoding, { isStray: isJudged ? () => false : undefined });
    const fast = fasterWriter(slow, layout, encoding, !isJudged, { room });
    expectSame(slow, fast, bytes, to, random.chance(0.8) ? undefined : random.below(200));
  });
});

const VERDICTS: readonly Verdict[] = [
  { type: "number", decimal: ".", thousands: "", unit: undefined },
  { type: "number", decimal: ",", thousands: "", unit: "x" },
  { type: "time", format: "iso", clock: undefined, unit: undefined },
  { type: "time", format: "epoch-s", clock: undefined, unit: undefined },
  { type: "text", unit: undefined },
];
const NUMBERS = [
  "0",
  "-0",
  "007",
  "12",
  "-3.5",
  "1.",
  ".5",
  "1,5",
  "1e5",
  "123456789012345",
  "1234567890123456",
  "",
  "x",
];

test(`${shareOf(2_000)} texts are written as the loop in TypeScript writes them, with literals`, () => {
  forSeeds(shareOf(2_000), (random) => {
    const layout = randomLayout(random);
    const separator = String.fromCharCode(layout.delimiter);
    const columns = 1 + random.below(4);
    const line = () =>
      Array.from({ length: columns + (random.chance(0.1) ? 1 : 0) }, () => random.pick(NUMBERS)).join(separator);
    const end = () => random.pick([String.fromCharCode(layout.recordEnd), "\r\n", "\n"]);
    const lines = Array.from({ length: 30 }, () => line() + end()).join("");
    const text = Buffer.concat([Buffer.from(lines), randomText(random, layout)]);
    const bytes = Buffer.concat([text, Buffer.alloc(SPARE_BYTES, 0x22)]);
    const to = terminate(bytes, 0, text.length, layout);
    const verdicts = Array.from({ length: columns }, () => random.pick(VERDICTS));
    const names = verdicts.map((_, c) => `n${c}`);
    const encoding = random.pick(["utf8", "latin1"] as const);
    const typings = [typingOf(verdicts), typingOf(verdicts)] as const;
    const slow = rowWriter(names, layout, encoding, { typing: typings[0] });
    const typed = rowWriter(names, layout, encoding, { typing: typings[1] });
    const fast = fasterWriter(typed, layout, encoding, true, { room });
    expectSame(slow, fast, bytes, to);
    expect(typings[1].misfits).toEqual(typings[0].misfits);
  });
});

test(`${shareOf(2_000)} texts have the records and borders that records.ts and blocks.ts find`, () => {
  forSeeds(shareOf(2_000), (random) => {
    const layout = randomLayout(random);
    const bytes = randomText(random, layout);
    const columns = random.chance(0.2) ? Infinity : 1 + random.below(5);
    const size = random.chance(0.5) ? BLOCK_SIZE : { min: 8 + random.below(60), max: 40 + random.below(200) };
    const blockStart = random.below(bytes.length + 1);
    const breaks = random.chance(0.5);
    const found = scan(bytes, blockStart, bytes.length, blockStart, { layout, columns, breaks, size });
    if (!found) return expect(bytes.indexOf(layout.recordEnd, blockStart)).toBe(-1);
    const starts: number[] = [];
    let [at, longest, hasBorder] = [blockStart, 0, false];
    walkRecords(bytes, blockStart, found.at, layout, columns, (start, end, _fields, surplus) => {
      expect({ surplus, isOne: start === at, hasBorder }).toEqual({ surplus: 0, isOne: true, hasBorder: false });
      starts.push(start - blockStart);
      longest = Math.max(longest, end - start);
      expect(end - blockStart).toBeLessThanOrEqual(size.max);
      hasBorder = end - blockStart >= size.min && isBorder(bytes, start, end, size.min);
      at = end;
    });
    expect({ ...found, starts: [...found.starts] }).toEqual({
      at,
      isAll: at === bytes.lastIndexOf(layout.recordEnd) + 1,
      rows: starts.length,
      starts,
      longest,
      isBorder: hasBorder,
    });
  });
});

test("plain records are not left to the loops", () => {
  const layout = { delimiter: 44, recordEnd: 10 } as const;
  const text = Buffer.from('2026-01-01T00:00:00,12.5,ok\n"a ""b"", c",,\r\n\\,\u00e9,x\ny,\n'.repeat(100));
  const found = scan(text, 0, text.length, 0, { layout, columns: 3, breaks: false, size: BLOCK_SIZE });
  expect(found).toMatchObject({ at: text.length, rows: 400, isBorder: false });
  const never = { ...rowWriter(3, layout, "latin1"), write: () => expect.unreachable() };
  const progress = startOf(OUTPUT_AT);
  room.grow(OUTPUT_AT + 1e6);
  fasterWriter(never, layout, "latin1", false, { room }).write(text, text.length, room.bytes(), 1e6, progress);
  expect(progress).toMatchObject({ at: text.length, rows: 400 });
});

test("a quote that is not closed is left to the loops, whatever lies in the memory behind it", () => {
  for (const recordEnd of [10, 13] as const) {
    const layout = { delimiter: 44, recordEnd } as const;
    const end = String.fromCharCode(recordEnd);
    const before = Buffer.from(`${"x".repeat(60_000)}\n`);
    const text = Buffer.from(`a,b${end}"open,c${end}`);
    const options = { layout, columns: 2, breaks: true, size: BLOCK_SIZE };
    scan(before, 0, before.length, 0, { ...options, layout: { delimiter: 44, recordEnd: 10 } });
    expect(scan(text, 0, text.length, 0, options)).toMatchObject({ at: 4, rows: 1, isAll: false });
  }
});

test("a rendering of many windows is the same, whatever stands between plain records", () => {
  const layout = { delimiter: 44, recordEnd: 10 } as const;
  forSeeds(shareOf(60), (random) => {
    const isWide = random.chance(0.3);
    const lines = Array.from({ length: 20_000 }, (_, i) => {
      if (i >= 19_000 && isWide) return "\u20ac,wide\n";
      if (random.chance(0.01))
        return random.pick([
          '"two\nlines",x\n',
          'x,"two\nlines"\n',
          'x,"two ""\nli"",nes"\n',
          'x,"three\nli\nnes"\n',
          'x,"stray\n',
          '5" pipe,y\n',
          "\n",
          "a,b,surplus\n",
          '"open, x\n',
        ]);
      return `${i},value ${random.below(1_000)}\n`;
    });
    const text = Buffer.from(`${lines.join("")}`);
    const render = (expectedBytes: number) => {
      const bytes = Buffer.concat([text, Buffer.alloc(SPARE_BYTES)]);
      const quotes = quoteRule({ delimiter: 44, recordEnd: 10, width: 2, typed: [true, false] });
      const renderer = createRenderer(layout, ["a", "b"], expectedBytes, {}, undefined, quotes);
      const stopped = renderer.add(bytes, 0, text.length);
      return { ...renderer.finish(), stopped };
    };
    expect(render(text.length)).toEqual(render(0));
  });
});

test("simd.bytes.ts is made of simd.wat", async () => {
  if (!existsSync(join(import.meta.dir, "../wat/node_modules/wabt")))
    return console.warn("simd.wat: `bun install` in test/wat has not been run, so it is not assembled again");
  const { assembled, BYTES } = await import("../wat/assemble.ts");
  expect(await Bun.file(BYTES).text()).toBe(await assembled());
});

test("room for more text than a string can hold is asked for under wide names, and given", () => {
  const names = Array.from({ length: 900 }, (_, c) => `n${c}`.padEnd(1_000, "x"));
  const renderer = createRenderer({ delimiter: 44, recordEnd: 10 }, names, 2 ** 30, {});
  const length = 60_000;
  const row = Buffer.alloc(length + SPARE_BYTES, "x");
  row.write("\n", length - 1);
  for (let r = 0; r < 3; r++) expect(renderer.add(row, 0, length)).toBe(length);
  expect(JSON.parse(renderer.finish().text!)).toHaveLength(3);
});
