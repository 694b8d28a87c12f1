// Files that look like something else, and must be read as they stand: the header in the first line, every record under it a row.
import { describe, expect, test } from "bun:test";
import { openDocument, renderDocument, takeCensus } from "../../src/csv/document.ts";

type Plain = { name: string; lines: readonly string[]; delimiter?: string };

const numbered = (count: number, row: (r: number) => string) => Array.from({ length: count }, (_, r) => row(r));

/** A header narrower than its rows is no title: nothing below it is a header. */
const raggedHeaders = [",", ";", "\t", "|"].flatMap((d) =>
  [1, 2, 3, 5].flatMap((extra) =>
    [3, 12, 40].map((count) => ({
      name: `${extra} more cells than names, ${count} rows, ${JSON.stringify(d)}`,
      lines: [`id${d}name`, ...numbered(count, (r) => [r, `n${r}`, ...Array(extra).fill(`${r}.5`)].join(d))],
      delimiter: d,
    })),
  ),
);

/** Tables of text: a title cannot be told from a header there. */
const textTables = [2, 3, 4, 6].flatMap((width) =>
  [",", ";", "\t"].flatMap((d) =>
    ["List", "Team list of spring", "Names"].map((title) => ({
      name: `${title} over ${width} columns of text, ${JSON.stringify(d)}`,
      lines: [
        title,
        ...numbered(8, (r) => Array.from({ length: width }, (_, c) => `w${"abcdefgh"[r]}${"xyzuvw"[c]}`).join(d)),
      ],
      delimiter: d,
    })),
  ),
);

/** Comment signs that are names or data. */
const signs = ["#", "%", "//"].flatMap((sign) => [
  { name: `${sign} as the first name`, lines: [`${sign},name,score`, "1,a,5", "2,b,6", "3,c,7"] },
  { name: `${sign} before every id`, lines: [`${sign}id,name`, ...numbered(9, (r) => `${sign}${r},n${r}`)] },
  { name: `${sign} in the body`, lines: ["time,v", "12:00,1", `${sign} pump on`, "12:01,2", `${sign}x,3`] },
  { name: `${sign} at the end`, lines: ["time,v", "12:00,1", "12:01,2", `${sign} end of file`] },
  { name: `${sign} in a cell`, lines: ["url,n", `${sign}cdn/x.js,4`, `a${sign}top,5`] },
]);

/** Units that are data. */
const units = ["m", "s", "kg", "V", "degC", "%", "ms", "bar"].flatMap((unit) => [
  { name: `${unit} over text`, lines: ["unit,name", `${unit},${unit}`, "x,metre", "y,other"] },
  { name: `${unit} later on`, lines: ["t,U", "0,1.5", `${unit},${unit}`, "1,1.6", "2,1.7"] },
  { name: `${unit} with no row below`, lines: ["t,U", `${unit},${unit}`] },
  { name: `${unit} beside a word`, lines: ["t,what", `${unit},pump`, "0,valve", "1,pump"] },
  { name: `a code ${unit} among words`, lines: ["code,meaning", `${unit},${unit} as such`, "q,nothing", "r,else"] },
]);

/** Records equal to the header that may be data. */
const equal = [
  { name: "words without a number", lines: ["door,open", "gate,shut", "door,open", "door,open", "gate,open"] },
  { name: "one column of words", lines: ["word", "apple", "word", "zebra"] },
  { name: "no header at all", lines: ["0,0,0", "0,0,0", "1,0,0", "0,0,0"] },
  { name: "a value as a name", lines: ["1,A", "1,A", "2,A", "1,A"] },
  { name: "a time as a name", lines: ["12:00,on", "12:00,on", "12:01,off", "12:00,on"] },
  { name: "names that are all equal", lines: ["x,x", "1,2", "x,x", "3,4"] },
  { name: "an unnamed column inside", lines: ["a,,c", "1,2,3", "a,,c", "4,5,6"] },
  { name: "another case", lines: ["time,v", "12:00,1", "Time,V", "12:01,2"] },
  { name: "another order", lines: ["a,b,c", "1,2,3", "c,b,a", "4,5,6"] },
  { name: "one cell more", lines: ["a,b", "1,2", "a,b,c", "4,5"] },
  { name: "one cell less", lines: ["a,b,c", "1,2,3", "a,b", "4,5,6"] },
  { name: "quoted otherwise", lines: ["a,b", "1,2", '"a","b"', "4,5"] },
];

/** A header that grew wider, and a second table: nothing above it may be lost. */
const grown = [1, 2, 3].flatMap((more) =>
  [4, 10, 19].map((count) => ({
    name: `a header that grew by ${more} after ${count} rows`,
    lines: [
      "step,loss",
      ...numbered(count, (r) => `${r},0.${r}`),
      ["step", "loss", ...["val", "lr", "f1"].slice(0, more)].join(),
      ...numbered(count * 3, (r) => [r, `0.${r}`, ...Array(more).fill("0.5")].join()),
    ],
  })),
);
const stacked = [3, 5, 9, 19].flatMap((count) =>
  ["12:00:0", "2026-03-0", "1."].map((value) => ({
    name: `a typed table of ${count} rows from ${value} above a wider one`,
    lines: [
      "when,v",
      ...numbered(count, (r) => `${value}${r % 9},x`),
      "time,a,b,c",
      ...numbered(30, (r) => `12:00,${r},${r},${r}`),
    ],
  })),
);

/** Other delimiters inside cells. */
const inside = [";", "|", "\t"].flatMap((d) =>
  [2, 3, 5].map((width) => ({
    name: `${width} pieces by ${JSON.stringify(d)} in a column of text`,
    lines: ["nr,text", "1,notes", ...numbered(9, (r) => `${r + 2},${Array(width).fill(`${r}`).join(d)}`)],
    delimiter: ",",
  })),
);

/** First lines that are almost known ones. */
const nearlyKnown = [
  ["TOA5,other", "3,4", "5,6"],
  [",/home,/var", "used,10,20", "free,5,6"],
  ["setting,value", "sep=,x", "sep=;,y"],
  ["LabVIEW,n", "a,1", "b,2"],
  ["separator,fields", "a,1", "b,2"],
  ["group,datatype,default", "a,b,1", "c,d,2"],
  ["Fields,Version", "a,1", "b,2"],
].map((lines) => ({ name: `almost known: ${lines[0]}`, lines, delimiter: "," }));

/** Headers of numbers, years, empty names. */
const odd = [
  ["2019,2020,2021", "1,2,3", "4,5,6"],
  ["Region,2019,2020", "North,5,6", "South,7,8"],
  ["11,22", "66,77", "1111,1212"],
  [",Jan,Feb", "North,5,6", "South,7,8"],
  ["a,b,", "1,2,", "3,4,"],
  ["a,b,c", ",,", "1,2,3", ",,"],
  ["NA,NB", "1,2", "3,4"],
  ["V,A", "1,2", "3,4"],
  ["Q1,Q2", "How old are you?,Which town?", "34,Oslo", "51,Rome"],
  ["id,name,qty", "1,bolt", "2,nut,40", "3,rod,12"],
  ["temp,hum", "r1,NA,NA", "r2,20.5,60", "r3,20.7,61"],
  ["a", "1", "", "2"],
].map((lines) => ({ name: `an odd header: ${lines[0]}`, lines, delimiter: "," }));

/** Rows of letters and of words that are units elsewhere, over numbers; a header that is half empty. */
const alike = [
  ["x,y", "a,b", "1,2", "3,4"],
  ["x,y", "a,s", "1,2", "3,4"],
  ["x,y", "s,pump", "1,2", "3,4"],
  ["x,y", "A1,B2", "1,2", "3,4"],
  ["x,y,z", "s,V,high", "1,2,3", "4,5,6"],
  ["x", "s", "1", "2"],
  ["reading,state", "12 °C,ok", "12 °C,ok", "13 °C,ok"],
  ["level", "5 m", "5 m", "6 m"],
  ["name,score,,", "foo,bar,x,y", "baz,qux,z,w", "1,2,3,4", "5,6,7,8"],
  ["name,score,,", "foo,bar,,", "1,2,3,4", "5,6,7,8"],
  ["Key,Value", "Rate,100 Hz", "Start,12:00", "Gain,5"],
  ["Settings,", "Rate,100 Hz", "Start,12:00", "Gain,5"],
  ["date,time", "yyyy-mm-dd,hh:mm", "2026-03-01,12:00", "2026-03-01,12:01"],
  ["time,1 min,5 min", "12:00,0.5,0.4", "12:01,0.6,0.4"],
  ["Type,50%,99.9%", "GET,10,20", "PUT,11,21"],
  ["year,month,day", "2026,3,1", "2026,3,2"],
].map((lines) => ({
  name: `what is elsewhere something else: ${lines.slice(0, 2).join(" / ")}`,
  lines,
  delimiter: ",",
}));

/** Rows that are not quite units, widths of columns, settings or a second header. */
const nearlyMore = [
  ["t,U,I,what", "s,V,A,pump", "0,1,2,valve", "1,2,3,pump"],
  ["a,b,c,d", "s,V,high,low", "1,2,3,4", "5,6,7,8"],
  ["a,b,c,d", "s,V,A,5", "1,2,3,4", "5,6,7,8"],
  ["lap 1,lap 2", "5s,10s", "6s,11s", "7s,12s"],
  ["timeout,retry", "30s,5s", "1m,10m", "2h,30m"],
  ["name,length", "5s,x", "6,7", "8,9"],
  ["name,2026-03-01,2026-03-02", "status,open,closed", "temp,1,2", "hum,3,4"],
  ["cpu: user,cpu: system", "5,6", "7,8", "9,10"],
  ["id,name,note,more", "1,a", "2,b,c,d", "3,e"],
  ["id,name,note", "1,a", "2,b", "3,c"],
  ["when,what,by", "12:00,start", "12:01,run", "12:02,stop"],
  ["event,detail", "start,pump", "stop,fan", "a,b,c", "x,y,z"],
  ["a,b,", "x,y,", "1,2,", "3,4,"],
  ["a,b", "1,2,", "3,4,", "5,6,"],
  ["id,name,note", "1,,", "2,x,y", "3,x,y", "4,x,y"],
  ["serial,state", ",ok", "123,ok", "124,bad"],
  ["note,1772366400", "a,1", "b,2"],
  ["pump,5/min", "a,1", "b,2"],
  ["00,a,b", "01,1,2", "02,3,4", "03,5,6"],
].map((lines) => ({ name: `not quite: ${lines.slice(0, 2).join(" / ")}`, lines, delimiter: "," }));

/** Cells with line ends are no stray quotes. */
const multiline = [1, 2, 3, 6, 15].flatMap((count) =>
  [2, 3, 4].flatMap((width) =>
    [0, 1]
      .map((column) => ({ count, width, column }))
      .map(({ column }) => ({
        name: `cells of ${count + 1} lines in column ${column} of ${width}`,
        lines: [
          Array.from({ length: width }, (_, c) => `n${c}`).join(),
          ...numbered(6, (r) =>
            Array.from({ length: width }, (_, c) =>
              c === column
                ? `"line one, of ${r}\n${numbered(count, (l) => `more ${l}, and so on`).join("\n")}"`
                : `${r}`,
            ).join(),
          ),
        ],
        delimiter: ",",
      })),
  ),
);

const all: Plain[] = [
  ...raggedHeaders,
  ...textTables,
  ...signs,
  ...units,
  ...equal,
  ...grown,
  ...stacked,
  ...inside,
  ...nearlyKnown,
  ...odd,
  ...alike,
  ...nearlyMore,
  ...multiline,
];
const ended = all.flatMap((entry) => [
  { ...entry, end: "\n" },
  { ...entry, name: `${entry.name}, CRLF`, end: "\r\n" },
]);

/** The names of the first line, without what trimming and quoting do. */
const firstName = (line: string, delimiter: string) => line.split(delimiter)[0]!;

test("there are enough of them", () => {
  expect(all.length).toBeGreaterThanOrEqual(150);
  expect(ended.length).toBeGreaterThanOrEqual(300);
});

describe("nothing is skipped in", () => {
  test.each(ended.map((entry) => [entry.name, entry] as const))("%s", (_name, { lines, end, delimiter = "," }) => {
    const bytes = Buffer.from(lines.map((line) => `${line}${end}`).join(""));
    const document = openDocument(bytes, bytes.length);
    const { dialect } = document;
    const { rows, end: rowsEnd, tally } = takeCensus(document);
    expect(dialect.headerLine).toBe(1);
    expect(dialect.skippedLines).toBe(0);
    expect(dialect.format).toBeUndefined();
    expect(dialect.columns[0]).toBe(firstName(lines[0]!, delimiter));
    expect(rows).toBe(lines.slice(1).filter((line) => line !== "").length);
    expect(tally).toMatchObject({ again: 0, nuls: 0, strayAt: -1 });
    expect(JSON.parse(renderDocument(document, rowsEnd).text ?? "")).toHaveLength(rows);
  });
});
