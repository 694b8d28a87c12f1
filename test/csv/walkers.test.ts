// One grammar, walked in five places: all must find the same records and cells, for random layouts.
import { expect, setDefaultTimeout, test } from "bun:test";
import Papa from "papaparse";
import { SPARE_BYTES } from "../../src/csv/encoding.ts";
import { cellsOf } from "../../src/csv/head.ts";
import { rowWriter } from "../../src/csv/json.ts";
import { quoteRule } from "../../src/csv/quotes.ts";
import { type Layout, LF, walkRecords } from "../../src/csv/records.ts";
import { typingOf } from "../../src/csv/literals.ts";
import { terminate } from "../../src/csv/render.ts";
import { csvWriter } from "../../src/csv/rfc4180.ts";
import { literalOf } from "../../src/values/cell.ts";
import type { Verdict } from "../../src/values/verdict.ts";
import { forSeeds, shareOf } from "../fuzz/random.ts";
import { randomBytes, randomLayout } from "./soup.ts";

setDefaultTimeout(60_000);

type Records = { rows: string[][]; open: boolean };

function walked(bytes: Uint8Array, length: number, layout: Layout, columns: number): Records {
  const rows: string[][] = [];
  const open = walkRecords(bytes, 0, length, layout, columns, (start, end, fields) => {
    const cells = cellsOf(bytes, start, end, layout);
    expect(cells).toHaveLength(fields);
    rows.push(Array.from({ length: columns }, (_, c) => cells[c] ?? ""));
  });
  return { rows, open: open !== -1 };
}

function written(
  bytes: Uint8Array,
  to: number,
  layout: Layout,
  columns: number,
  as: "utf8" | "latin1" | "csv",
): Records {
  const writer = as === "csv" ? csvWriter(columns, layout) : rowWriter(columns, layout, as);
  const out = Buffer.alloc(writer.need(to) + SPARE_BYTES + 64);
  const progress = { at: 0, out: 1, rows: 0, surplus: 0, twoByte: 0, isTooWide: false, lastRowAt: 0 };
  writer.write(bytes, to, out, out.length, progress);
  const text = out.toString(as === "latin1" ? "latin1" : "utf8", 1, progress.out);
  if (as !== "csv") return { rows: JSON.parse(`[${text.slice(0, -1)}]`), open: progress.at < to };
  const { data } = Papa.parse<string[]>(text, { delimiter: ",", newline: "\r\n" });
  return { rows: data.slice(0, -1), open: false };
}

const VERDICTS: readonly Verdict[] = [
  { type: "number", decimal: ".", thousands: "", unit: undefined },
  { type: "number", decimal: ",", thousands: "", unit: "x" },
  { type: "boolean", unit: undefined },
  { type: "time", format: "iso", clock: undefined, unit: undefined },
  { type: "text", unit: undefined },
];

/** The values of the objects that the typed writer makes, and whether a quote is open. */
function typedValues(
  bytes: Uint8Array,
  to: number,
  layout: Layout,
  verdicts: readonly Verdict[],
  as: "utf8" | "latin1",
) {
  const names = verdicts.map((_, c) => `c${c}`);
  const writer = rowWriter(names, layout, as, { typing: typingOf(verdicts) });
  const out = Buffer.alloc(writer.need(to) * (to + 1) + SPARE_BYTES);
  const progress = { at: 0, out: 1, rows: 0, surplus: 0, twoByte: 0, isTooWide: false, lastRowAt: 0 };
  writer.write(bytes, to, out, out.length, progress);
  const rows = JSON.parse(`[${out.toString(as, 1, progress.out - 1)}]`) as Record<string, unknown>[];
  return { rows: rows.map((row) => names.map((name) => row[name])), open: progress.at < to };
}

const valueOf = (cell: string, verdict: Verdict): unknown =>
  JSON.parse(literalOf(cell, verdict) ?? JSON.stringify(cell));

test(`${shareOf(8_000)} texts are the same records to all of them`, () => {
  forSeeds(shareOf(8_000), (random) => {
    const layout = randomLayout(random);
    const text = randomBytes(random, layout);
    const columns = 1 + random.below(4);
    const bytes = Buffer.concat([text, Buffer.alloc(SPARE_BYTES, 0x22)]);
    const expected = walked(bytes, text.length, layout, columns);
    const to = terminate(bytes, 0, text.length, layout);
    expect(written(bytes, to, layout, columns, "utf8")).toEqual(expected);
    expect(written(bytes, to, layout, columns, "latin1")).toEqual(expected);
    const verdicts = Array.from({ length: columns }, () => random.pick(VERDICTS));
    const values = expected.rows.map((cells) => cells.map((cell, c) => valueOf(cell, verdicts[c]!)));
    for (const as of ["utf8", "latin1"] as const)
      expect(typedValues(bytes, to, layout, verdicts, as)).toEqual({ rows: values, open: expected.open });
    // A record in an open quote is never given to this one.
    if (!expected.open) expect(written(bytes, to, layout, columns, "csv").rows).toEqual(expected.rows);
  });
});

test("2,000 texts with stray quotes: those marked by one walk are what the other marks", () => {
  forSeeds(2_000, (random) => {
    const width = 2 + random.below(3);
    const cell = () => random.pick(["1", "12:00", "x", "y z", '"q"', "3.5"]);
    const line = () => Array.from({ length: width }, (_, c) => (c === 0 ? String(random.below(99)) : cell())).join();
    const lines = Array.from({ length: 4 + random.below(30) }, line);
    for (let strays = random.below(3); strays > 0; strays--) {
      const at = random.below(lines.length);
      lines[at] = lines[at]!.replace(/,/, ',"');
    }
    const text = Buffer.from(`${lines.join("\n")}\n`);
    const layout = { delimiter: 44, recordEnd: LF } as const;
    const typed = Array.from({ length: width }, (_, c) => c === 0);
    const quotes = quoteRule({ delimiter: 44, recordEnd: LF, width, typed });
    const one = Buffer.concat([text, Buffer.alloc(SPARE_BYTES)]);
    const open = walkRecords(one, 0, text.length, layout, width, () => {}, { quotes });
    const names = Array.from({ length: width }, (_, c) => `c${c}`);
    const typing = typingOf(names.map(() => random.pick(VERDICTS)));
    for (const isTyped of [false, true]) {
      const other = Buffer.concat([text, Buffer.alloc(SPARE_BYTES)]);
      const isStray = (quoteAt: number, lineEnd: number, field: number) =>
        quotes.tell(other, quoteAt, lineEnd, field, text.length, true) !== "cell";
      const writer = isTyped
        ? rowWriter(names, layout, "utf8", { isStray, typing })
        : rowWriter(width, layout, "utf8", { isStray });
      const out = Buffer.alloc(writer.need(text.length) + text.length * 16 + SPARE_BYTES);
      const progress = { at: 0, out: 1, rows: 0, surplus: 0, twoByte: 0, isTooWide: false, lastRowAt: 0 };
      writer.write(other, text.length, out, out.length, progress);
      expect(progress.at).toBe(open === -1 ? text.length : open);
      expect(Buffer.compare(one, other)).toBe(0);
    }
  });
});
