import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { checkSize, documentPart, rowsPart } from "../../src/csv/parts.ts";
import { documentParts, rowsParts } from "./rendered.ts";
import { areOneTable, giant, many, tableOf, partsOf, documentOf } from "./shapes.ts";

setDefaultTimeout(30_000);

const csvOf = (text: string, delimiter?: string) => documentOf(tableOf(text, delimiter), "csv");

describe("RFC 4180: ", () => {
  const cases: { name: string; text: string; csv: string; delimiter?: string }[] = [
    { name: "plain cells stay plain", text: "a,b\n1,2\n", csv: "a,b\r\n1,2\r\n" },
    { name: "the header alone", text: "a,b\n", csv: "a,b\r\n" },
    { name: "nothing", text: "", csv: "" },
    { name: "a BOM goes", text: "\ufeffa,b\n1,2\n", csv: "a,b\r\n1,2\r\n" },
    { name: "quotes that nothing needs go", text: '"a","b"\n"1","2"\n', csv: "a,b\r\n1,2\r\n" },
    { name: "another delimiter", text: "a;b\n1,5;x y\n", csv: 'a,b\r\n"1,5",x y\r\n' },
    { name: "a tab inside a cell", text: 'a\tb\n"x\ty"\t2\n', csv: "a,b\r\nx\ty,2\r\n" },
    { name: "quotes inside quotes", text: 'a,b\n"say ""hi""",""""\n', csv: 'a,b\r\n"say ""hi""",""""\r\n' },
    { name: "a quote in mid-cell", text: 'a,b\n5" disk,6\n', csv: 'a,b\r\n"5"" disk",6\r\n' },
    { name: "text after a closing quote", text: 'a,b\n"x"y,"p,"q"\n', csv: 'a,b\r\nxy,"p,q"""\r\n' },
    { name: "line ends inside quotes", text: 'a,b\n"1\n2","3\r\n4"\n', csv: 'a,b\r\n"1\n2","3\r\n4"\r\n' },
    { name: "a CR in a file with LF", text: "a,b\n1\r1,2\n", csv: 'a,b\r\n"1\r1",2\r\n' },
    { name: "CR alone ends records", text: "a,b\r1,2\r3,4", csv: "a,b\r\n1,2\r\n3,4\r\n" },
    { name: "short and long rows", text: "a,b,c\n1\n1,2,3,4,5\n,\n", csv: "a,b,c\r\n1,,\r\n1,2,3\r\n,,\r\n" },
    { name: "an empty cell alone is a row", text: 'a\n""\nx\n', csv: 'a\r\n""\r\nx\r\n', delimiter: "," },
    { name: "also where a surplus cell made it one", text: "a\n,\n", csv: 'a\r\n""\r\n', delimiter: "," },
    { name: "and as a header", text: '""\nx\n', csv: '""\r\nx\r\n', delimiter: "," },
    { name: "names are the unique ones", text: "a,a\n1,2\n", csv: "a,a_1\r\n1,2\r\n" },
    { name: "names in quotes", text: '"a,b","c""d"\n1,2\n', csv: '"a,b","c""d"\r\n1,2\r\n' },
    { name: "a last row without its end", text: "a,b\n1,2", csv: "a,b\r\n1,2\r\n" },
    { name: "a CRLF torn at the end", text: "a,b\n1,2\r", csv: "a,b\r\n1,2\r\n" },
    { name: "a record in an open quote is no row", text: 'a,b\n1,2\n"3,4\n', csv: "a,b\r\n1,2\r\n" },
    { name: "letters of all lengths", text: "é,€\n😀,ß\n", csv: "é,€\r\n😀,ß\r\n" },
  ];
  test.each(cases.map((entry) => [entry.name, entry] as const))("%s", (_name, { text, csv, delimiter }) => {
    expect(csvOf(text, delimiter)).toBe(csv);
  });
});

describe("the shapes of", () => {
  test.each([
    { name: "an empty file", text: "", isWithinBounds: true },
    { name: "a header", text: "a,b\n", isWithinBounds: true },
    { name: "one row", text: "a,b\n1,2\n", isWithinBounds: true },
    { name: "many ASCII rows", text: many((r) => `row ${r}`, 60_000), isWithinBounds: true },
    { name: "many controls", text: many(() => "\x1b".repeat(2_000), 200), isWithinBounds: true },
    { name: "a giant cell amidst", text: many((r) => (r === 4_000 ? giant : "x"), 9_000), isWithinBounds: false },
  ])("$name are one table", areOneTable);

  test("a part of a table: rows count from its first", () => {
    const table = tableOf("a\n0\n1\n2\n3", ",");
    expect(partsOf(table, 1, 3)).toEqual([{ at: 0, text: '[["1"],["2"]]' }]);
    expect(documentOf(table, "csv", 1, 3)).toBe("a\r\n1\r\n2\r\n");
    expect(documentOf(table, "ndjson", 3, 4)).toBe('{"a":"3"}\n');
    expect(partsOf(table, 2, 2)).toEqual([{ at: 0, text: "[]" }]);
    expect(documentOf(table, "ndjson", 2, 2)).toBe("");
  });

  test("any part can be made alone, and again, of the table as it was", () => {
    const table = tableOf(`a\n${`${"x".repeat(1000)}\n`.repeat(5_000)}`, ",");
    const range = { table: table.blocks(), from: 3, to: 4_990 };
    const parts = rowsParts(table, 3, 4_990);
    const chunks = documentParts(table, 3, 4_990, "csv");
    expect([parts.length, chunks.length]).toEqual([20, 10]);
    table.replace(2, 4_000_000, Buffer.from("y\n"));
    for (const part of parts.toReversed()) expect(rowsPart(range, part.at)).toEqual(part);
    for (const chunk of chunks.toReversed()) expect(documentPart(range, chunk.at, "csv")).toEqual(chunk);
  });

  test("a small file of many columns and short rows are not made where they would be a huge table", () => {
    const table = tableOf(`${Array.from({ length: 50_000 }, (_, c) => c).join()}\n${"1\n".repeat(200_000)}`, ",");
    const blocks = table.blocks();
    for (const shape of ["rows", "json", "ndjson", "csv"] as const) {
      expect(() => checkSize({ table: blocks, from: 0, to: table.rows() }, shape)).toThrow(
        `as ${shape} the table is longer than 4 GiB`,
      );
      expect(() => checkSize({ table: blocks, from: 0, to: 10 }, shape)).not.toThrow();
    }
  });
});
