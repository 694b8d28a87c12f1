// What the options mean beyond the files in programs/, which of them contradict each other, and how a verdict is told.
import { describe, expect, test } from "bun:test";
import { openDocument, renderDocument, takeCensus } from "../../src/csv/document.ts";
import { faultIn, type ReadOptions } from "../../src/csv/options.ts";
import { openTable } from "../../src/csv/table.ts";
import { describeDialect, warningsOf } from "../../src/csv/verdict.ts";

function read(text: string, options: ReadOptions = {}) {
  const bytes = Buffer.from(text);
  const document = openDocument(bytes, bytes.length, options);
  const { end } = takeCensus(document);
  return { document, json: renderDocument(document, end).text };
}

const MEANINGS: { name: string; text: string; options: ReadOptions; json: string }[] = [
  {
    name: "skipLines counts blank lines",
    text: "\nx\na,b\n1,2\n",
    options: { skipLines: 2 },
    json: '[{"a":"1","b":"2"}]',
  },
  {
    name: "skipLines 0 detects nothing",
    text: "# a,b\n1,2\n3,4\n",
    options: { skipLines: 0 },
    json: '[{"# a":"1","b":"2"},{"# a":"3","b":"4"}]',
  },
  { name: "headerLine", text: "x\ny\nid,n\n1,2\n", options: { headerLine: "id" }, json: '[{"id":"1","n":"2"}]' },
  { name: "headerLine in a file that has nothing yet", text: "", options: { headerLine: "id" }, json: "[]" },
  {
    name: "skipAfterHeader",
    text: "a,b\n-,-\n\n1,2\n",
    options: { skipAfterHeader: 2 },
    json: '[{"a":"1","b":"2"}]',
  },
  {
    name: "comment lines may hold a quote",
    text: "a,b\n!it's \"so\n1,2\n",
    options: { comment: "!" },
    json: '[{"a":"1","b":"2"}]',
  },
  {
    name: "noHeader",
    text: "1,2\n3,4\n",
    options: { noHeader: true },
    json: '[{"c1":"1","c2":"2"},{"c1":"3","c2":"4"}]',
  },
  { name: "names", text: "a,b\n1,2\n", options: { names: ["x"] }, json: '[{"x":"1"}]' },
  {
    name: "trim, in quotes too",
    text: ' a ,b\n 1 ," 2\t"\n" x""y ",\n',
    options: { trim: true },
    json: '[{"a":"1","b":"2"},{"a":"x\\"y","b":""}]',
  },
  {
    name: "whitespace with quotes",
    text: '  a \t b\n\n "x y"   2 \n3\t"4 "" 5"\n',
    options: { delimiter: "whitespace" },
    json: '[{"a":"x y","b":"2"},{"a":"3","b":"4 \\" 5"}]',
  },
  {
    name: "another quote",
    text: "'a','b'\n'it''s, \"so\"',2\n",
    options: { quote: "'" },
    json: '[{"a":"it\'s, \\"so\\"","b":"2"}]',
  },
  { name: "no quote", text: 'a,b\n"1,2"\n', options: { quote: "none" }, json: '[{"a":"\\"1","b":"2\\""}]' },
  {
    name: "an escape",
    text: 'a,b\n"1\\"x\\\\",\\2\n',
    options: { escape: "\\" },
    json: '[{"a":"1\\"x\\\\","b":"\\\\2"}]',
  },
];

test.each(MEANINGS.map((entry) => [entry.name, entry] as const))("%s", (_name, { text, options, json }) => {
  expect(read(text, options).json).toBe(json);
});

const FAULTS: { options: ReadOptions; why: string }[] = [
  { options: { skipLines: 1, headerLine: "x" }, why: "both say where the header is" },
  { options: { noHeader: true, headerLine: "x" }, why: "contradict each other" },
  { options: { noHeader: true, skipAfterHeader: 1 }, why: "with --no-header there is none" },
  { options: { quote: "none", escape: "\\" }, why: "--quote none knows none" },
  { options: { quote: ";", delimiter: ";" }, why: "are both ;" },
  { options: { escape: ";", delimiter: ";" }, why: "are both ;" },
  { options: { delimiter: "ab" }, why: "one ASCII character, or whitespace" },
  { options: { delimiter: '"' }, why: "a quote cannot be the delimiter" },
  { options: { quote: "ab" }, why: "one ASCII character, or none" },
  { options: { escape: "" }, why: "one ASCII character" },
  { options: { skipLines: -1 }, why: "from 0 on" },
  { options: { skipAfterHeader: 1.5 }, why: "from 0 on" },
  { options: { comment: "" }, why: "not empty" },
  { options: { headerLine: "a\nb" }, why: "a piece of one line" },
  { options: { names: [] }, why: "at least one name" },
];

test.each(FAULTS.map((entry) => [JSON.stringify(entry.options), entry] as const))("%s is refused", (_name, entry) => {
  expect(faultIn(entry.options)).toContain(entry.why);
  expect(() => read("a\n1\n", entry.options)).toThrow(entry.why);
});

describe("the verdict", () => {
  const LINES: { text: string; options?: ReadOptions; line: string }[] = [
    { text: "a,b\n1,2\n", line: "comma, UTF-8" },
    { text: "\n\na;b\n1;2\n", line: "semicolon, UTF-8" },
    { text: "Report\n\nt;v\n0;1,5\n1;1,6\n", line: "semicolon, UTF-8, header in line 3 (2 lines skipped)" },
    { text: "# x\nt,v\n0,1\n", line: "comma, UTF-8, header in line 2 (1 line skipped)" },
    { text: "#TYPE X\na,b\n1,2\n", line: "PowerShell, comma, UTF-8, header in line 2 (1 line skipped)" },
    { text: "1,2\n", options: { noHeader: true }, line: "comma, UTF-8, no header" },
    { text: "a b\n1 2\n", options: { delimiter: "whitespace" }, line: "whitespace, UTF-8" },
  ];
  test.each(LINES.map((entry) => [entry.line, entry] as const))("%s", (line, { text, options }) => {
    expect(describeDialect(read(text, options).document)).toBe(line);
  });

  const WARNINGS: { text: string; options?: ReadOptions; warnings: string[] }[] = [
    { text: "a,b\n1,2\n", warnings: [] },
    { text: "a,b\n1,2\n", options: { names: ["x", "y"] }, warnings: [] },
    {
      text: "a,b\n1,2\n",
      options: { names: ["x", "y", "z"] },
      warnings: ["--names has 3, and the header (line 1) has 2"],
    },
    {
      text: "Title\n1,2\n3,4,5,6,7,8\n",
      warnings: [
        "6 cells dropped: beyond the last column of the header",
        "line 2 has 2 cells, the header (line 1) has 1: if the header is another line, see --skip-lines and --header-line",
      ],
    },
    { text: "12:00,1.5\n12:01,1.6\n", warnings: ["the header looks like a row of values: see --no-header"] },
    { text: "11,22\n66,77\n", warnings: [] },
    {
      text: 't,v\n1,"x\n2,y\n3,z\n',
      warnings: ["line 2: a stray quote is taken as it stands: see --quote none"],
    },
    { text: "t,v\n1,2\nt,v\n3,4\n", warnings: ["1 record skipped: the header again"] },
    {
      // What a hole cuts off is in the same line, for an editor.
      text: `t,v\n1,${"\0".repeat(20)}2,3\n4,5,6\n7,${"\0".repeat(20)}\n8,9\n`,
      warnings: [
        "1 cell dropped: beyond the last column of the header",
        "line 3 has 3 cells, the header (line 1) has 2: if the header is another line, see --skip-lines and --header-line",
        "40 bytes skipped: a hole of NULs, where the file was cut or preallocated",
      ],
    },
  ];
  test.each(WARNINGS.map((entry) => [JSON.stringify(entry.text), entry] as const))(
    "of %s",
    (_name, { text, options = {}, warnings }) => {
      const bytes = Buffer.from(text);
      const document = openDocument(bytes, bytes.length, options);
      expect(warningsOf(document, openTable(document))).toEqual(warnings);
    },
  );
});
