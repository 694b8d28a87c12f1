import { describe, expect, test } from "bun:test";
import { detectDialect } from "../../src/csv/dialect.ts";
import { SPARE_BYTES } from "../../src/csv/encoding.ts";

function dialectOf(text: string, delimiter?: string) {
  const bytes = Buffer.concat([Buffer.from(text), Buffer.alloc(SPARE_BYTES)]);
  const { layout, columns, renamed, bodyStart } = detectDialect(bytes, 0, bytes.length - SPARE_BYTES, { delimiter });
  const body = bytes.subarray(bodyStart, bytes.length - SPARE_BYTES).toString();
  return { delimiter: String.fromCharCode(layout.delimiter), recordEnd: layout.recordEnd, columns, renamed, body };
}

const DELIMITERS = [
  { name: "comma", text: "a,b\n1,2\n", delimiter: "," },
  { name: "semicolon, two columns", text: "a;b\n1;2\n", delimiter: ";" },
  { name: "tab", text: "a\tb\n1\t2\n", delimiter: "\t" },
  { name: "pipe", text: "a|b|c\n1|2|3\n", delimiter: "|" },
  { name: "decimal commas in a semicolon file", text: "a;b\n1,5;2,5\n1,7;2,8\n", delimiter: ";" },
  { name: "as many decimal commas as semicolons", text: "x;y, EUR\n1;2,5\n3;4,5\n", delimiter: ";" },
  { name: "semicolons inside quotes", text: 'a,b\n"1;2;3",4\n"5;6;7",8\n', delimiter: "," },
  { name: "commas in a text column", text: "id\ttext\n1\thello, world, again\n2\tone, two\n", delimiter: "\t" },
  { name: "U+001F is never guessed", text: "a,b\n1\x1f2,3\n4\x1f5,6\n", delimiter: "," },
  { name: "one column", text: "name\nJo\nMax\n", delimiter: "," },
  { name: "a header alone", text: "a;b;c", delimiter: ";" },
  { name: "blank lines first", text: "\n\na;b\n1;2\n", delimiter: ";" },
  { name: "Excel's sep=", text: "sep=|\na|b\n1;1|2\n", delimiter: "|" },
  { name: "Excel's sep= with CRLF", text: "sep=;\r\na;b\r\n1;2\r\n", delimiter: ";" },
  { name: "ragged rows", text: "a,b,c\n1,2\n3,4,5\n6\n7,8,9\n", delimiter: "," },
] as const;

describe("the delimiter", () => {
  test.each(DELIMITERS.map((entry) => [entry.name, entry] as const))("%s", (_name, { text, delimiter }) => {
    expect(dialectOf(text).delimiter).toBe(delimiter);
  });

  test("is what is asked for, also against sep=", () => {
    expect(dialectOf("a;b,c\n1;2,3\n", ",").columns).toEqual(["a;b", "c"]);
    expect(dialectOf("sep=;\na,b\n", ",").columns).toEqual(["a", "b"]);
  });

  test("is a function of the first 64 kB", () => {
    const head = `a;b\n${"1;2\n".repeat(16_384)}`;
    expect(dialectOf(head + "x,y,z\n".repeat(100_000)).delimiter).toBe(";");
  });
});

const RECORD_ENDS = [
  { name: "LF", text: "a,b\n1,2\n", recordEnd: 10 },
  { name: "CRLF", text: "a,b\r\n1,2\r\n", recordEnd: 10 },
  { name: "CR alone", text: "a,b\r1,2\r", recordEnd: 13 },
  { name: "CR alone, LF inside quotes", text: 'a,b\r"1\n",2\r', recordEnd: 13 },
  { name: "LF, CR inside quotes", text: 'a,b\n"1\r",2\n', recordEnd: 10 },
  { name: "one line", text: "a,b", recordEnd: 10 },
] as const;

test.each(RECORD_ENDS.map((entry) => [entry.name, entry] as const))("record end: %s", (_name, { text, recordEnd }) => {
  expect(dialectOf(text).recordEnd).toBe(recordEnd);
  expect(dialectOf(text).columns).toEqual(["a", "b"]);
});

const HEADERS = [
  { name: "duplicates get fresh names", text: "a,a,b,a\n", columns: ["a", "a_1", "b", "a_2"], renamed: 2 },
  { name: "a fresh name hits no other column", text: "a,a,a_1\n", columns: ["a", "a_2", "a_1"], renamed: 1 },
  { name: "empty names survive", text: ",,x\n", columns: ["", "_1", "x"], renamed: 1 },
  {
    name: "__proto__ is a name",
    text: "__proto__,__proto__,toString\n",
    columns: ["__proto__", "__proto___1", "toString"],
    renamed: 1,
  },
  {
    name: "quotes, delimiters and line ends in names",
    text: '"a,b","c""d","e\nf"\n1,2,3\n',
    columns: ["a,b", 'c"d', "e\nf"],
    renamed: 0,
  },
  { name: "text after a closing quote", text: '"a"x,b\n1,2\n', columns: ["ax", "b"], renamed: 0 },
  { name: "no header at all", text: "", columns: [], renamed: 0 },
  { name: "blank lines only", text: "\n\r\n\n", columns: [], renamed: 0 },
] as const;

test.each(HEADERS.map((entry) => [entry.name, entry] as const))("header: %s", (_name, { text, columns, renamed }) => {
  expect(dialectOf(text)).toMatchObject({ columns: [...columns], renamed });
});

describe("a header that is none", () => {
  test("a quote that is never closed names its line", () => {
    expect(() => dialectOf('\n"a,b\n1,2\n')).toThrow("line 2: a quote in the header is never closed");
  });
  test("longer than 4 MiB", () => {
    expect(() => dialectOf("x".repeat(5 << 20))).toThrow("the header record is longer than 4 MiB");
  });
  test("more than 100,000 columns", () => {
    expect(() => dialectOf(",".repeat(100_000))).toThrow("100001 columns, more than 100000");
  });
  test("10,000 long names are fine, and the body begins behind them", () => {
    const names = Array.from({ length: 10_000 }, (_, c) => `column number ${c}`);
    const { columns, body } = dialectOf(`${names.join(",")}\n1,2\n`);
    expect(columns).toEqual(names);
    expect(body).toBe("1,2\n");
  });
});
