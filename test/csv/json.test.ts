import { expect, setDefaultTimeout, test } from "bun:test";
import { openDocument, renderDocument, takeCensus } from "../../src/csv/document.ts";

setDefaultTimeout(30_000);

function jsonOf(text: string | Buffer) {
  const bytes = Buffer.from(text);
  const document = openDocument(bytes, bytes.length);
  const census = takeCensus(document);
  return { ...census, text: renderDocument(document, census.end).text, dialect: document.dialect };
}

const CASES = [
  { name: "the sample", text: "11,22\n66,77\n1111,1212\n", json: '[{"11":"66","22":"77"},{"11":"1111","22":"1212"}]' },
  {
    name: "values stay text",
    text: "a,b,c,d\n00123,1e400,NaN,true\n",
    json: '[{"a":"00123","b":"1e400","c":"NaN","d":"true"}]',
  },
  { name: "integer-like names keep their order", text: "11,2,name\n1,2,3\n", json: '[{"11":"1","2":"2","name":"3"}]' },
  { name: "a column __proto__ survives", text: "__proto__,a\n1,2\n", json: '[{"__proto__":"1","a":"2"}]' },
  { name: "LF and CRLF in one file", text: "a,b\r\n1,2\n3,4\r\n", json: '[{"a":"1","b":"2"},{"a":"3","b":"4"}]' },
  { name: "CR alone", text: "a,b\r1,2\r3,4", json: '[{"a":"1","b":"2"},{"a":"3","b":"4"}]' },
  { name: "a CR in a file with LF is data", text: "a,b\n1\r1,2\n", json: '[{"a":"1\\r1","b":"2"}]' },
  {
    name: "inside quotes every byte is data",
    text: 'a,b\n"1,\r\n""x""\t",2\n',
    json: '[{"a":"1,\\r\\n\\"x\\"\\t","b":"2"}]',
  },
  {
    name: "blank lines are skipped",
    text: "\na,b\n\n1,2\n\r\n\n3,4\n\n",
    json: '[{"a":"1","b":"2"},{"a":"3","b":"4"}]',
  },
  { name: "a line of delimiters is a row", text: "a,b\n,\n", json: '[{"a":"","b":""}]' },
  { name: 'a line of "" is a row', text: 'a\n""\n', json: '[{"a":""}]' },
  { name: "no newline at the end", text: "a,b\n1,2", json: '[{"a":"1","b":"2"}]' },
  { name: "a CRLF torn at the end", text: "a,b\n1,2\r", json: '[{"a":"1","b":"2"}]' },
  { name: "a short row is filled", text: "a,b,c\n1\n", json: '[{"a":"1","b":"","c":""}]' },
  { name: "a long row is cut", text: "a,b\n1,2,3,4\n", json: '[{"a":"1","b":"2"}]', surplus: 2 },
  { name: "empty surplus cells are no loss", text: 'a,b\n1,2,,""\n', json: '[{"a":"1","b":"2"}]' },
  { name: "a quote in mid-cell is literal", text: 'a,b\n5" disk,6\n', json: '[{"a":"5\\" disk","b":"6"}]' },
  { name: "text after a closing quote is literal", text: 'a,b\n"x"y,"z" \n', json: '[{"a":"xy","b":"z "}]' },
  {
    name: "a quote after a closing quote's text is literal",
    text: 'a,b\n"x"y"z,1\n',
    json: '[{"a":"xy\\"z","b":"1"}]',
  },
  {
    name: "controls as JSON.stringify writes them",
    text: "a\n\b\t\f\x01\x1f\x7f\\/\n",
    json: '[{"a":"\\b\\t\\f\\u0001\\u001f\x7f\\\\/"}]',
  },
  { name: "U+2028 and emoji stay", text: "a\n\u2028😀é\n", json: '[{"a":"\u2028😀é"}]' },
  { name: "the header alone", text: "a,b\n", json: "[]" },
  { name: "nothing", text: "", json: "[]" },
  { name: "sep= is no row", text: "sep=;\na;b\n1;2\n", json: '[{"a":"1","b":"2"}]' },
] as const;

test.each(CASES.map((entry) => [entry.name, entry] as const))("%s", (_name, entry) => {
  const { text, rows, tally } = jsonOf(entry.text);
  expect(text).toBe(entry.json);
  expect(rows).toBe((JSON.parse(entry.json) as unknown[]).length);
  expect(tally.surplus).toBe("surplus" in entry ? entry.surplus : 0);
});

test("a record inside an open quote is held back, the rows before it stay", () => {
  const { text, openQuoteLine } = jsonOf('a,b\n1,2\n3,4\n5,"6\n7,8\n');
  expect(text).toBe('[{"a":"1","b":"2"},{"a":"3","b":"4"}]');
  expect(openQuoteLine).toBe(4);
});

test("a text longer than the limit is given up, not cut", () => {
  const bytes = Buffer.from(`a,b\n${"1,2\n".repeat(100_000)}`);
  const document = openDocument(bytes, bytes.length);
  const { end } = takeCensus(document);
  expect(renderDocument(document, end, {}, 1_000_000).text).toBeUndefined();
  expect(renderDocument(document, end, {}, 2_000_000).text).toHaveLength(1_800_001);
});

test("10,000 columns and a row of one cell", () => {
  const names = Array.from({ length: 10_000 }, (_, c) => `c${c}`);
  const [row] = JSON.parse(jsonOf(`${names.join(",")}\n7\n`).text ?? "") as Record<string, string>[];
  expect(Object.keys(row ?? {})).toEqual(names);
  expect(row?.["c0"]).toBe("7");
  expect(row?.["c9999"]).toBe("");
});

test("names whose bytes would be a NaN as a number", () => {
  const names = [
    "ÿÿÿÿÿÿÿÿÿÿ",
    "xðÿ",
    "xyÿ\x7f",
    "abcdeÿÿ",
    "ðÿ1",
    "xðÿ2",
    "xxðÿ3",
    "xxxðÿ4",
    "xxxxðÿ5",
    "xxxxxðÿ6",
    "xxxxxxðÿ7",
  ];
  const { text } = jsonOf(`${names.join(",")}\n${names.join(",")}\n`);
  expect(text).toBe(JSON.stringify([Object.fromEntries(names.map((name) => [name, name]))]));
});

test("a cell of 100 MB", () => {
  const cell = "x".repeat(100_000_000);
  const { text } = jsonOf(`a,b\n"${cell}",2\n`);
  expect(text).toHaveLength(cell.length + '[{"a":"","b":"2"}]'.length);
});
