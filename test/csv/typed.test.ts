// JSON with literals: what each cell becomes, that the fast writer and the slow rule agree, and that nothing is lost.
import { describe, expect, test } from "bun:test";
import { openColumns } from "../../src/csv/columns.ts";
import { columnsOf, openDocument, renderDocument } from "../../src/csv/document.ts";
import { typingOf } from "../../src/csv/literals.ts";
import { openTable, renderBlocks } from "../../src/csv/table.ts";
import { createRenderer, terminate } from "../../src/csv/render.ts";
import { SPARE_BYTES } from "../../src/csv/encoding.ts";
import { literalOf } from "../../src/values/cell.ts";
import type { Verdict } from "../../src/values/verdict.ts";
import { forSeeds, type Random } from "../fuzz/random.ts";
import { documentText, rowsParts } from "./rendered.ts";

const POINT: Verdict = { type: "number", decimal: ".", thousands: "", unit: undefined };
const COMMA: Verdict = { type: "number", decimal: ",", thousands: ".", unit: undefined };
const SPACED: Verdict = { type: "number", decimal: ",", thousands: " ", unit: undefined };
const MEGABYTES: Verdict = { type: "number", decimal: ".", thousands: "", unit: "MB" };
const EUROS: Verdict = { type: "number", decimal: ",", thousands: "", unit: "€" };
const BOOLEAN: Verdict = { type: "boolean", unit: undefined };
const TIME: Verdict = { type: "time", format: "iso", clock: undefined, unit: undefined };
const EPOCH: Verdict = { type: "time", format: "epoch-s", clock: undefined, unit: undefined };
const TEXT: Verdict = { type: "text", unit: undefined };
const VERDICTS = [POINT, COMMA, SPACED, MEGABYTES, EUROS, BOOLEAN, TIME, EPOCH, TEXT];

function bytesOf(text: string) {
  const bytes = Buffer.alloc(Buffer.byteLength(text) + SPARE_BYTES);
  return { bytes, length: bytes.write(text) };
}

/** All rows of a text without a header, comma-separated; `chunk` bytes are added at a time, as far as records are whole. */
function write(text: string, names: readonly string[], verdicts: readonly Verdict[]) {
  const { bytes, length } = bytesOf(text);
  const layout = { delimiter: 44, recordEnd: 10 } as const;
  const typing = typingOf(verdicts);
  const renderer = createRenderer(layout, names, length, {}, undefined, undefined, typing);
  renderer.add(bytes, 0, terminate(bytes, 0, length, layout));
  const rendered = renderer.finish();
  return { ...rendered, misfits: [...typing.misfits] };
}

describe("a cell of a typed column becomes", () => {
  const cases: { verdict: Verdict; cell: string; expected: string; isMisfit?: true }[] = [
    { verdict: POINT, cell: "1.50", expected: "1.50" },
    { verdict: POINT, cell: "-0.5", expected: "-0.5" },
    { verdict: POINT, cell: "0", expected: "0" },
    { verdict: POINT, cell: "-0", expected: "-0" },
    { verdict: POINT, cell: " 12.000 ", expected: "12.000" },
    { verdict: POINT, cell: "\t7", expected: "7" },
    { verdict: POINT, cell: "+5", expected: "5" },
    { verdict: POINT, cell: ".5", expected: "0.5" },
    { verdict: POINT, cell: "-.5", expected: "-0.5" },
    { verdict: POINT, cell: "5.", expected: "5" },
    { verdict: POINT, cell: "5.e3", expected: "5e3" },
    { verdict: POINT, cell: "1e5", expected: "1e5" },
    { verdict: POINT, cell: "1E+5", expected: "1E+5" },
    { verdict: POINT, cell: "1e-05", expected: "1e-05" },
    { verdict: POINT, cell: "1.5e300", expected: "1.5e300" },
    { verdict: POINT, cell: "05.30", expected: "5.30" },
    { verdict: POINT, cell: "9007199254740991", expected: "9007199254740991" },
    { verdict: POINT, cell: "0.12345678901234567890", expected: "0.12345678901234567890" },
    { verdict: POINT, cell: "9007199254740992", expected: '"9007199254740992"', isMisfit: true },
    { verdict: POINT, cell: "1e400", expected: '"1e400"', isMisfit: true },
    { verdict: POINT, cell: "1e-400", expected: '"1e-400"', isMisfit: true },
    { verdict: POINT, cell: "00123", expected: '"00123"', isMisfit: true },
    { verdict: POINT, cell: "1,234", expected: '"1,234"', isMisfit: true },
    { verdict: POINT, cell: "0x1F", expected: '"0x1F"', isMisfit: true },
    { verdict: POINT, cell: "Infinity", expected: '"Infinity"', isMisfit: true },
    { verdict: POINT, cell: "1 2", expected: '"1 2"', isMisfit: true },
    { verdict: POINT, cell: "--5", expected: '"--5"', isMisfit: true },
    { verdict: POINT, cell: "true", expected: '"true"', isMisfit: true },
    { verdict: POINT, cell: 'a "b"', expected: String.raw`"a \"b\""`, isMisfit: true },
    { verdict: POINT, cell: "größer", expected: '"größer"', isMisfit: true },
    { verdict: POINT, cell: "5 MB", expected: '"5 MB"', isMisfit: true },
    { verdict: POINT, cell: "", expected: "null" },
    { verdict: POINT, cell: "   ", expected: "null" },
    { verdict: POINT, cell: "NaN", expected: "null" },
    { verdict: POINT, cell: "[N/A]", expected: "null" },
    { verdict: POINT, cell: "unavailable", expected: "null" },
    { verdict: POINT, cell: "---", expected: "null" },
    { verdict: POINT, cell: "\\N", expected: "null" },
    { verdict: COMMA, cell: "1,5", expected: "1.5" },
    { verdict: COMMA, cell: "1.234,56", expected: "1234.56" },
    { verdict: COMMA, cell: "1.234", expected: "1234" },
    { verdict: COMMA, cell: "1.5", expected: '"1.5"', isMisfit: true },
    { verdict: SPACED, cell: "1\u00a0234,5", expected: "1234.5" },
    { verdict: SPACED, cell: "1\u202f234,5", expected: "1234.5" },
    { verdict: SPACED, cell: "\u00a0NA", expected: "null" },
    { verdict: MEGABYTES, cell: "405.6 MB", expected: '"405.6 MB"' },
    { verdict: MEGABYTES, cell: "405.6MB", expected: '"405.6MB"' },
    { verdict: MEGABYTES, cell: "405.6", expected: "405.6" },
    { verdict: MEGABYTES, cell: "405.6 GB", expected: '"405.6 GB"', isMisfit: true },
    { verdict: EUROS, cell: "1234,50 €", expected: '"1234,50 €"' },
    { verdict: EUROS, cell: "€ 5", expected: '"€ 5"' },
    { verdict: BOOLEAN, cell: "True", expected: "true" },
    { verdict: BOOLEAN, cell: "FALSE", expected: "false" },
    { verdict: BOOLEAN, cell: "1", expected: '"1"', isMisfit: true },
    { verdict: BOOLEAN, cell: "", expected: "null" },
    { verdict: TIME, cell: "2026-03-01", expected: '"2026-03-01"' },
    { verdict: TIME, cell: "", expected: "null" },
    { verdict: TIME, cell: "n/a", expected: "null" },
    { verdict: EPOCH, cell: "1772366400.5", expected: "1772366400.5" },
    { verdict: EPOCH, cell: "1772366400123456789", expected: '"1772366400123456789"' },
    { verdict: TEXT, cell: "1.50", expected: '"1.50"' },
    { verdict: TEXT, cell: "NA", expected: '"NA"' },
    { verdict: TEXT, cell: "", expected: '""' },
  ];
  test.each(cases)("$verdict.type: $cell -> $expected", ({ verdict, cell, expected, isMisfit }) => {
    const quoted = `"${cell.replaceAll('"', '""')}"`;
    const isBare = !/[",]/.test(cell);
    for (const written of isBare ? [quoted, cell] : [quoted]) {
      // Between two others, and at the end of a record that ends in each way.
      const between = write(`x,${written},y\n`, ["a", "b", "c"], [TEXT, verdict, TEXT]);
      expect(between.text).toBe(`[{"a":"x","b":${expected},"c":"y"}]`);
      expect(between.misfits).toEqual([0, isMisfit ? 1 : 0, 0]);
      expect(between.bytes).toBe(Buffer.byteLength(between.text!));
      for (const end of ["\n", "\r\n", ""])
        expect(write(`7,${written}${end}`, ["a", "b"], [POINT, verdict]).text).toBe(`[{"a":7,"b":${expected}}]`);
    }
  });
});

test("cells that a short row lacks are null where their column is typed; surplus ones are dropped and counted", () => {
  const { text, surplus, misfits } = write("1\n2,3,4,ü,5\n", ["a", "b", "c"], [POINT, TEXT, BOOLEAN]);
  expect(text).toBe('[{"a":1,"b":"","c":null},{"a":2,"b":"3","c":"4"}]');
  expect({ surplus, misfits }).toEqual({ surplus: 2, misfits: [0, 0, 1] });
});

describe("a delimiter that may be part of a number divides all the same:", () => {
  test.each([" ", "-", "5", "e", "."])("%p", (delimiter) => {
    const { bytes, length } = bytesOf(`1${delimiter}2${delimiter}x\n`);
    const layout = { delimiter: delimiter.charCodeAt(0), recordEnd: 10 } as const;
    const renderer = createRenderer(
      layout,
      ["a", "b", "c"],
      length,
      {},
      undefined,
      undefined,
      typingOf([POINT, POINT, TEXT]),
    );
    renderer.add(bytes, 0, length);
    expect(renderer.finish().text).toBe('[{"a":1,"b":2,"c":"x"}]');
  });
});

const LETTERS = "0123456789".split("");
const ODD = [
  "",
  " ",
  "-",
  "+",
  ".",
  ",",
  "e",
  "E5",
  "e-3",
  '"',
  "\n",
  "\t",
  "ü",
  "€",
  "NA",
  "null",
  "true",
  "MB",
  "\u00a0",
  "\\",
];

function randomCell(random: Random): string {
  const length = random.below(random.chance(0.1) ? 30 : 8);
  const letter = () => random.pick(random.chance(0.75) ? LETTERS : ODD);
  return Array.from({ length }, letter).join("");
}

const written = (cell: string, random: Random) =>
  /[",\n\r]/.test(cell) || random.chance(0.2) ? `"${cell.replaceAll('"', '""')}"` : cell;

test("the writer says of each cell what the rule says, in any row, and the counts are right", () => {
  forSeeds(300, (random) => {
    const verdicts = Array.from({ length: 1 + random.below(6) }, () => random.pick(VERDICTS));
    const names = verdicts.map((_, c) => random.pick(["n", "größe", "价"]) + c);
    const rows = Array.from({ length: 1 + random.below(20) }, () => verdicts.map(() => randomCell(random)));
    // A row of one empty cell is a blank line, which is no row.
    const kept = rows.filter((cells) => cells.length > 1 || cells[0] !== "");
    const text = kept.map((cells) => cells.map((cell) => written(cell, random)).join(",")).join("\n");
    const { text: json, bytes } = write(text, names, verdicts);
    const expected = kept.map(
      (cells) =>
        `{${cells.map((cell, c) => `${JSON.stringify(names[c])}:${literalOf(cell, verdicts[c]!) ?? JSON.stringify(cell)}`).join(",")}}`,
    );
    expect(json).toBe(`[${expected.join(",")}]`);
    expect(bytes).toBe(Buffer.byteLength(json!));
    expect(JSON.parse(json!)).toHaveLength(kept.length);
  });
});

test("values are those of the cells", () => {
  forSeeds(100, (random) => {
    const cells = Array.from({ length: 100 }, () => String((random.next() - 0.5) * 10 ** random.below(12)));
    const columns = openColumns(["a"]);
    columns.refine(cells.map((cell) => [cell]));
    const { text } = write(cells.join("\n"), ["a"], columns.verdicts());
    expect((JSON.parse(text!) as { a: number }[]).map(({ a }) => a)).toEqual(cells.map(Number));
  });
});

test("documents of a table are typed, rows as arrays never", () => {
  const { bytes, length } = bytesOf("id,price\n1,2.50\n2,NA\n");
  const document = openDocument(bytes, length);
  const verdicts = columnsOf(document, document.end).verdicts();
  expect(renderDocument(document, document.end, {}, undefined, typingOf(verdicts)).text).toBe(
    '[{"id":1,"price":2.50},{"id":2,"price":null}]',
  );
  const table = openTable(document);
  const textOf = (shape: "ndjson" | "json" | "csv") => documentText(table, 0, 2, shape, typingOf(verdicts));
  expect(textOf("ndjson")).toBe('{"id":1,"price":2.50}\n{"id":2,"price":null}\n');
  expect(textOf("json")).toBe('[{"id":1,"price":2.50},{"id":2,"price":null}]');
  expect(rowsParts(table, 0, 2).map(({ text }) => text)).toEqual(['[["1","2.50"],["2","NA"]]']);
  expect(textOf("csv")).toBe("id,price\r\n1,2.50\r\n2,NA\r\n");
  const rendered = (shape: "objects" | "arrays") =>
    renderBlocks(table.blocks(), 0, 1, shape, {}, undefined, typingOf(verdicts)).text;
  expect(rendered("objects")).toBe('[{"id":1,"price":2.50}]');
  expect(rendered("arrays")).toBe('[["1","2.50"]]');
});
