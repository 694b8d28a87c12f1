// Rows as text for elsewhere: what is read out of it is what was put in, and nothing of it runs.
import { describe, expect, test } from "bun:test";
import Papa from "papaparse";
import type { Row } from "../../src/feed/protocol.ts";
import { csvOf, downloadName, guarded, htmlOf, tsvOf } from "../../src/viewer/export.ts";
import { forSeeds, type Random } from "../fuzz/random.ts";

const AS_IS = { isGuarded: false };
const GUARDED = { isGuarded: true };

describe("rows as TSV", () => {
  const cases: { name: string; input: Row[]; expected: string }[] = [
    {
      name: "plain",
      input: [
        ["a", "b"],
        ["1", "2"],
      ],
      expected: "a\tb\n1\t2",
    },
    {
      name: "with what is special in it",
      input: [["a\tb", 'say "hi"', "two\nlines"]],
      expected: '"a\tb"\t"say ""hi"""\t"two\nlines"',
    },
    { name: "with commas", input: [["1,5", ""]], expected: "1,5\t" },
    { name: "of one cell", input: [["x"]], expected: "x" },
    { name: "of none", input: [], expected: "" },
  ];
  test.each(cases)("$name", ({ input, expected }) => {
    expect(tsvOf(input, AS_IS)).toBe(expected);
  });
});

describe("rows as CSV", () => {
  const cases: { name: string; input: Row[]; expected: string }[] = [
    {
      name: "plain",
      input: [
        ["a", "b"],
        ["1", "2"],
      ],
      expected: "a,b\r\n1,2\r\n",
    },
    {
      name: "with what is special in it",
      input: [["a,b", 'say "hi"', "two\nlines", "\r"]],
      expected: '"a,b","say ""hi""","two\nlines","\r"\r\n',
    },
    { name: "with tabs and spaces", input: [[" a ", "\t"]], expected: " a ,\t\r\n" },
    { name: "of nothing but an empty cell, which is no empty line", input: [[""], ["x"]], expected: '""\r\nx\r\n' },
    { name: "of empty cells", input: [["", ""]], expected: ",\r\n" },
    { name: "of none", input: [], expected: "" },
  ];
  test.each(cases)("$name", ({ input, expected }) => {
    expect(csvOf(input, AS_IS)).toBe(expected);
  });
});

const PIECES = ["a", "B", " ", ",", "\t", '"', "\r\n", "\n", "\r", ";", "=1+1", "'", "😀", "é", "", "0", "-", "\\"];

function randomRows(random: Random): Row[] {
  const width = 1 + random.below(4);
  const cell = () => Array.from({ length: random.below(4) }, () => random.pick(PIECES)).join("");
  return Array.from({ length: 1 + random.below(6) }, () => Array.from({ length: width }, cell));
}

describe("what another reader (papaparse) reads is what was written", () => {
  test("as CSV", () => {
    forSeeds(300, (random) => {
      const rows = randomRows(random);
      const { data, errors } = Papa.parse<string[]>(csvOf(rows, AS_IS), { delimiter: ",", newline: "\r\n" });
      expect(errors).toEqual([]);
      expect(data.pop()).toEqual([""]); // behind the last line break
      expect(data).toEqual(rows as string[][]);
    });
  });

  test("as TSV", () => {
    forSeeds(300, (random) => {
      const rows = randomRows(random).filter((row) => row.some((cell) => cell !== ""));
      const { data } = Papa.parse<string[]>(tsvOf(rows, AS_IS), { delimiter: "\t", newline: "\n" });
      expect(data).toEqual(rows as string[][]);
    });
  });

  test("guarded, as what is guarded", () => {
    forSeeds(100, (random) => {
      const rows = randomRows(random);
      const { data } = Papa.parse<string[]>(csvOf(rows, GUARDED), { delimiter: ",", newline: "\r\n" });
      expect(data.slice(0, -1)).toEqual(rows.map((row) => row.map(guarded)));
    });
  });
});

describe("a cell that a spreadsheet would run gets an apostrophe", () => {
  const dangerous = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-1+1",
    "-2+cmd|'/c calc'!A1",
    "@SUM(A1)",
    "+",
    "-A1",
    "+49 30 1234",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    "-1\n=1+1",
    "+1;=1+1",
    "--1",
    "-1e5e5",
    "\n=1+1", // OWASP, CSV Injection: the line feed too
    "\u0000=1+1", // OWASP ASVS 5.0, 1.2.10
  ];
  test.each(dangerous)("%j", (input) => {
    expect(guarded(input)).toBe(`'${input}`);
    expect(
      tsvOf([[input]], GUARDED)
        .replaceAll('"', "")
        .startsWith("'"),
    ).toBe(true);
    expect(
      csvOf([["x", input]], GUARDED)
        .replace('"', "")
        .startsWith("x,'"),
    ).toBe(true);
  });

  const harmless = [
    "",
    "a",
    "1",
    "-1",
    "+1",
    "-1.5",
    "-.5",
    "-1,5",
    "-1,234.50",
    "+1e5",
    "-1.5E-7",
    "-5 %",
    "-5%",
    "a=b",
    "1-2",
    " x",
    "'=1",
    "a@b.c",
  ];
  test.each(harmless)("and %j does not", (input) => {
    expect(guarded(input)).toBe(input);
  });

  test("only if that is asked for", () => {
    expect([tsvOf([["=1"]], AS_IS), csvOf([["=1"]], AS_IS)]).toEqual(["=1", "=1\r\n"]);
  });
});

describe("a download is named", () => {
  const cases: { name: string; input: string; expected: string }[] = [
    { name: "as the file", input: "prices.csv", expected: "prices.csv" },
    { name: "as the file, whatever it ended in", input: "prices.TSV", expected: "prices.csv" },
    { name: "as a file with points in it", input: "prices.2026-01.csv", expected: "prices.2026-01.csv" },
    { name: "in any script", input: "Größe 価格.csv", expected: "Größe_価格.csv" },
    { name: "with the marks that a script needs", input: "हिन्दी.csv", expected: "हिन्दी.csv" },
    { name: "with letters in two pieces, as macOS has them", input: "Mu\u0308ller.csv", expected: "Müller.csv" },
    { name: "without a way to other folders", input: "../../etc/passwd", expected: "etc_passwd.csv" },
    { name: "without a way to other folders of Windows", input: "..\\..\\C:\\x.csv", expected: "C_x.csv" },
    { name: "without what would break a header", input: 'a"b\r\n.csv', expected: "a_b.csv" },
    { name: "not as a hidden file", input: ".env", expected: "env.csv" },
    { name: "not as an option of a command", input: "-rf.csv", expected: "rf.csv" },
    { name: "not as a device of Windows", input: "CON.csv", expected: "CON_.csv" },
    { name: "somehow, for nothing", input: "", expected: "table.csv" },
    { name: "somehow, for nothing but an end", input: ".csv", expected: "table.csv" },
    { name: "somehow, for points", input: "...", expected: "table.csv" },
    { name: "somehow, for an emoji", input: "📈.csv", expected: "table.csv" },
    { name: "without what turns it around", input: "a\u202egpj.csv", expected: "a_gpj.csv" },
    { name: "no longer than a system takes", input: `${"x".repeat(300)}.csv`, expected: `${"x".repeat(80)}.csv` },
  ];
  test.each(cases)("$name", ({ input, expected }) => {
    const name = downloadName(input, "csv");
    expect(name.normalize("NFC")).toBe(expected.normalize("NFC"));
  });

  test("with no half a letter where it is cut", () => {
    expect(downloadName(`${"x".repeat(79)}𝒜𝒜.csv`, "csv").isWellFormed()).toBe(true);
  });

  test("with the end of what it is", () => {
    expect(downloadName("a.csv", "png")).toBe("a.png");
  });
});

test("a table for spreadsheets has text as text, and nothing in it is markup", () => {
  const rows = [
    ["code", "n"],
    ["00001", "1.5"],
    [`<img src=x onerror="alert(1)">&`, "=1"],
  ];
  expect(htmlOf(rows, [true, false], { isGuarded: true }).split("\n")).toEqual([
    `<meta charset="utf-8"><table><tr><td style="mso-number-format:'\\@'">code</td><td>n</td></tr>`,
    `<tr><td style="mso-number-format:'\\@'">00001</td><td>1.5</td></tr>`,
    `<tr><td style="mso-number-format:'\\@'">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;</td><td>'=1</td></tr></table>`,
  ]);
});
