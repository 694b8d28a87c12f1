// The rows of a finished file, one after the other: together they are what a conversion of it says.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import type { ReadOptions } from "../../../src/csv/options.ts";
import { convertCsvToJson } from "../../../src/source/convert.ts";
import { openPlayed } from "../../../src/source/replay/played.ts";
import { openFileRows } from "../../../src/source/replay/rows.ts";
import { TEST_TIMEOUT_MS } from "../../support.ts";
import { settingsOf, temporaryFolder } from "../writer.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

/** What there is when all have come, each by itself; and how many did. */
function played(path: string, options: ReadOptions = {}) {
  const settings = settingsOf(path, options);
  const rows = openFileRows(path, settings);
  try {
    const table = openPlayed(rows.document, rows.head, settings);
    let revision = table.publish();
    let count = 0;
    for (let row = rows.next(); row; row = rows.next()) {
      table.append(row.text);
      revision = table.publish() ?? revision;
      count++;
    }
    const { table: last } = revision!;
    return { count, json: last.render(0, last.rows(), "objects").text, trouble: rows.trouble() };
  } finally {
    rows.close();
  }
}

const cases: { name: string; text: string | Buffer; options?: ReadOptions }[] = [
  { name: "the plain case", text: "a,b\n1,2\n3,4\n" },
  { name: "without a last line end", text: "a,b\n1,2\n3,4" },
  { name: "CRLF, and blank lines", text: "a,b\r\n1,2\r\n\r\n3,4\r\n\r\n" },
  { name: "CR", text: "a,b\r1,2\r3,4\r" },
  { name: "quotes, and line ends in them", text: 'a,b\n"1\n,2","x""y"\n3,4\n' },
  { name: "a stray quote", text: 'a,b\n1,2\n"5,x\n3,4\n5,6\n7,8\n' },
  { name: "units, comments, the header again", text: "# by me\nt,v\ns,mV\n1,2\n# no\nt,v\n3,4\n" },
  { name: "a preamble", text: "Device: X\nSerial: 7\n\ntime,a,b\n1,2,3\n4,5,6\n7,8,9\n" },
  { name: "short and long rows", text: "a,b\n1\n1,2,3\n" },
  { name: "UTF-16", text: Buffer.from("\ufeffa;b\n1;é\n2;ü\n", "utf16le") },
  { name: "windows-1252", text: Buffer.from("a;b\n1;é\n2;ü\n", "latin1") },
  { name: "a BOM", text: "\ufeffa,b\n1,2\n" },
  { name: "a header alone", text: "a,b\n" },
  { name: "nothing", text: "" },
  { name: "no header", text: "1,2\n3,4\n", options: { noHeader: true } },
  { name: "blanks between", text: "a  b\n1   2\n 3 4\n", options: { delimiter: "whitespace" } },
  { name: "other quotes", text: "a,b\n'1,0',2\n3,4\n", options: { quote: "'" } },
];

test.each(cases)("$name", async ({ text, options }) => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, text);
  const { json, count } = played(path, options);
  expect(json).toBe(await convertCsvToJson(path, options));
  expect(count).toBe((JSON.parse(json ?? "[]") as unknown[]).length);
});

describe("of a file that is too large to be read at once", () => {
  const LONG = "x".repeat(80);
  const exotic: { name: string; options: ReadOptions; row: (i: number) => string; cells: (i: number) => string[] }[] = [
    {
      name: "with other quotes",
      options: { quote: "'" },
      row: (i) => `${i},'it''s "${i}",\nnot that',${LONG}\n`,
      cells: (i) => [`${i}`, `it's "${i}",\nnot that`, LONG],
    },
    {
      name: "with an escape",
      options: { escape: "\\" },
      row: (i) => `${i},"say \\"${i}\\",\nor not",${LONG}\n`,
      cells: (i) => [`${i}`, `say "${i}",\nor not`, LONG],
    },
    {
      name: "with blanks that do not count",
      options: { trim: true },
      row: (i) => `${i} ,  padded·${"·".repeat(i % 31)}   ,\t${LONG}\n`,
      cells: (i) => [`${i}`, `padded·${"·".repeat(i % 31)}`, LONG],
    },
    {
      name: "with blanks between its cells",
      options: { delimiter: "whitespace" },
      row: (i) => `  ${i}   padded${"·".repeat(i % 31)} \t ${LONG}\n`,
      cells: (i) => [`${i}`, `padded${"·".repeat(i % 31)}`, LONG],
    },
  ];
  test.each(exotic)("$name, all come, and it is never in memory as a whole", async ({ options, row, cells }) => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    const count = 100_000;
    const head = options.delimiter ? "n  text  more\n" : "n,text,more\n";
    writeFileSync(path, head + Array.from({ length: count }, (_, i) => row(i)).join(""));
    const rows = openFileRows(path, settingsOf(path, { ...options, maxMemoryBytes: 1 << 20 }));
    let played = 0;
    for (let next = rows.next(); next; next = rows.next(), played++)
      if (played % 1_000 === 0) expect(next.cells()).toEqual(cells(played));
    rows.close();
    expect(played).toBe(count);
  });

  const row = (i: number) => `${i},"line ${i}\nand, another",é€😀${"x".repeat(i % 97)}\n`;
  const body = Array.from({ length: 200_000 }, (_, i) => row(i)).join("");
  const text = `n,quoted,more\n${body}`;

  test.each(["utf8", "utf16le"] as const)("in %s, all come, whole, wherever its pieces end", async (encoding) => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, Buffer.from(encoding === "utf8" ? text : `\ufeff${text}`, encoding));
    const settings = settingsOf(path);
    const rows = openFileRows(path, settings);
    let count = 0;
    for (let next = rows.next(); next; next = rows.next(), count++)
      if (count % 1_000 === 0)
        expect(next.cells()).toEqual([`${count}`, `line ${count}\nand, another`, row(count).split('",')[1]!.trimEnd()]);
    rows.close();
    expect(count).toBe(200_000);
  });

  test("those that were appended meanwhile do not, and one that was cut is told", () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, text);
    const settings = settingsOf(path);
    const appended = openFileRows(path, settings);
    appendFileSync(path, "one,two,three\n");
    let count = 0;
    while (appended.next()) count++;
    appended.close();
    expect(count).toBe(200_000);

    const replaced = openFileRows(path, settings);
    writeFileSync(folder.path("g.csv"), "n\n1\n");
    renameSync(folder.path("g.csv"), path);
    for (count = 0; replaced.next();) count++;
    replaced.close();
    expect(count).toBe(200_001);

    writeFileSync(path, text);
    const cut = openFileRows(path, settings);
    truncateSync(path, 9 << 20);
    expect(() => {
      while (cut.next());
    }).toThrow("was written anew while it was played");
    cut.close();
  });
});

test("a small file is played as it was, whatever is written over it", () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, "a,b\n1,2\n3,4\n");
  const rows = openFileRows(path, settingsOf(path));
  writeFileSync(path, "a,b\n9,9\n9,9\n");
  expect([rows.next()!.cells(), rows.next()!.cells(), rows.next()]).toEqual([["1", "2"], ["3", "4"], undefined]);
  rows.close();
});

test("a quote that is never closed ends it, and is told", () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, 'a,b\n1,2\n"3,4\n');
  const { count, trouble } = played(path);
  expect(count).toBe(1);
  expect(trouble?.reason).toBe("a quote is opened and never closed; the rows before it were played");
});
