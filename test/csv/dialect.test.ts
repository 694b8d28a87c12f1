import { describe, expect, test } from "bun:test";
import { detectDialect } from "../../src/csv/dialect.ts";
import { SPARE_BYTES } from "../../src/csv/encoding.ts";

function dialectOf(text: string, delimiter?: string) {
  const bytes = Buffer.concat([Buffer.from(text), Buffer.alloc(SPARE_BYTES)]);
  const dialect = detectDialect(bytes, 0, bytes.length - SPARE_BYTES, { delimiter });
  const { layout, columns, renamed, bodyStart, hints } = dialect;
  const body = bytes.subarray(bodyStart, bytes.length - SPARE_BYTES).toString();
  return {
    delimiter: String.fromCharCode(layout.delimiter),
    recordEnd: layout.recordEnd,
    columns,
    renamed,
    body,
    hints,
  };
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
  {
    name: "CR alone, behind a header that is longer than the head",
    text: `a,b${" ".repeat(70_000)}\r1,2\r`,
    recordEnd: 13,
  },
  { name: "LF behind such a header", text: `a,b${" ".repeat(70_000)}\r\n1,2\r\n`, recordEnd: 10 },
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

const HINTS: readonly { name: string; lines: readonly string[]; hint?: string }[] = [
  {
    name: "two header lines",
    lines: [",,Hi,Low", "Date,Time,Temp,Temp", "1.3.26,12:00,5,4", "1.3.26,12:01,6,4"],
    hint: "line 2 reads",
  },
  {
    name: "a table of settings first",
    lines: [
      "Name,From,To",
      "Ann,2026-03-01,2026-03-14",
      "-,-,-",
      "Index,Date,Sugar",
      "1,2026-03-01,5.1",
      "2,2026-03-02,5.2",
      "3,2026-03-03,5.3",
      "4,2026-03-04,5.3",
    ],
    hint: "line 4 reads",
  },
  {
    name: "a padded title over years",
    lines: ["People,,", ",,", "Region,2019,2020", "North,5,6", "South,7,8"],
    hint: "a title or a setting",
  },
  { name: "a setting", lines: ["Owner:,me", "Rate,fast", "Mode,slow"], hint: "a title or a setting" },
  {
    name: "blanks between the cells",
    lines: [" r  b   swpd", " 0  1      0", " 2  0      1", " 0  0      0"],
    hint: "--delimiter whitespace",
  },
  { name: "a time since 1970", lines: ["1772366400123,GET,200", "1772366400124,GET,200"], hint: "--no-header" },
  { name: "years", lines: ["Region,2019,2020", "North,5,6", "South,7,8"] },
  { name: "plain integers", lines: ["11,2,name", "66,2,x", "77,3,y"] },
  { name: "words now and then", lines: ["time,v", "12:00,1", "12:01,error", "12:02,3", "12:03,error"] },
  { name: "words alone", lines: ["door,state", "front,open", "back,shut", "front,shut"] },
  { name: "sentences", lines: ["note", "the pump is on", "the fan is off", "the door is open"] },
  {
    name: "times in one column",
    lines: ["when", "2026-03-01 12:00:00 UTC", "2026-03-01 12:01:00 UTC", "2026-03-01 12:02:00 UTC"],
  },
];

test.each(HINTS.map((entry) => [entry.name, entry] as const))("hint: %s", (_name, { lines, hint }) => {
  const { hints } = dialectOf(lines.map((line) => `${line}\n`).join(""));
  expect(hints).toHaveLength(hint === undefined ? 0 : 1);
  if (hint !== undefined) expect(hints[0]).toContain(hint);
});
