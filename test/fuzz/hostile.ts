// Files that nobody should write, and that somebody has: made of the kinds of faults that test suites of other readers collect.

export type Hostile = { readonly name: string; readonly bytes: Uint8Array };

const text = (content: string) => new Uint8Array(Buffer.from(content));
const latin1 = (content: string) => new Uint8Array(Buffer.from(content, "latin1"));
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const rows = (count: number, row: (r: number) => string, end = "\n") =>
  Array.from({ length: count }, (_, r) => row(r) + end).join("");

function utf16(content: string, isBigEndian: boolean, hasMark = true): Uint8Array {
  const bytes = Buffer.from((hasMark ? "\ufeff" : "") + content, "utf16le");
  return new Uint8Array(isBigEndian ? bytes.swap16() : bytes);
}

/** Every file of one byte. */
const single = Array.from({ length: 256 }, (_, byte) => ({ name: `the byte ${byte}`, bytes: Uint8Array.of(byte) }));

const NULLS = ["", "NULL", "\\N", '""', "null", "NaN", '"NULL"', "\0", "None", "-"];
const nulls = NULLS.flatMap((word) => [
  { name: `nothing but ${JSON.stringify(word)}`, bytes: text(rows(50, () => `${word},${word}`)) },
  {
    name: `${JSON.stringify(word)} among numbers`,
    bytes: text(`a,b\n${rows(50, (r) => `${r % 3 ? r : word},${word}`)}`),
  },
]);

const QUOTED = [
  'a,b\n"1,2\n3,4\n',
  'a,b\n1,"2\n',
  '"a,b\n1,2\n',
  'a,b\n"1"x,2\n',
  'a,b\n"1" ,2\n"3"",4\n',
  'a,b\n1,2"\n3,"4""\n',
  '"""\n"""\n"""\n',
  '"a""b","""","""""\n',
  'a,b\n""""\n',
  'a,b\n"\n"\n"\n"\n',
  '"',
  '""',
  '"""',
  '"\n',
  'a\n"',
  'a,b\n"x\\"y",2\n',
  "a,b\n'1,2',3\n",
  'a,b\n  "1, 2" , 3\n',
];
const quotes = QUOTED.flatMap((content) =>
  ["\n", "\r\n", "\r"].map((end) => ({
    name: `quotes ${JSON.stringify(content)} with ${JSON.stringify(end)}`,
    bytes: text(content.replaceAll("\n", end)),
  })),
);

const ENDS = ["\n", "\r", "\r\n", "\n\r", "\r\r\n", "\n\n", "\v", "\f", "\u2028", "\u0085", "\0\n"];
const lineEnds = ENDS.flatMap((end) => [
  { name: `lines that end with ${JSON.stringify(end)}`, bytes: text(`a,b${end}${rows(40, (r) => `${r},x`, end)}`) },
  { name: `nothing but ${JSON.stringify(end)}`, bytes: text(end.repeat(500)) },
  { name: `${JSON.stringify(end)} and LF in turn`, bytes: text(rows(40, (r) => `${r},x${r % 2 ? end : ""}`)) },
]);

const delimiters = [",", ";", "\t", "|", "||", "\u0001", "ab", "🦆", "::", " ", "^", "~"].flatMap((d) => [
  { name: `cells between ${JSON.stringify(d)}`, bytes: text(rows(40, (r) => [r, "x", r * 1.5].join(d))) },
  { name: `nothing but ${JSON.stringify(d)}`, bytes: text(rows(40, () => d.repeat(9))) },
]);

const wide = [1_000, 99_999, 100_001].flatMap((columns) => [
  {
    name: `${columns} columns`,
    bytes: text(`${Array.from({ length: columns }, (_, c) => `c${c}`)}\n${",".repeat(9)}\n`),
  },
  { name: `${columns} columns without a name`, bytes: text(`${",".repeat(columns - 1)}\n1\n`) },
  { name: `a row of ${columns} cells`, bytes: text(`a,b\n1,2\n${",".repeat(columns)}\n`) },
]);

const SIZES = [65_535, 65_536, 65_537, 200_000, 5_000_000];
const long = SIZES.flatMap((size) => [
  { name: `a header of ${size} bytes`, bytes: text(`${"h".repeat(size)}\n1\n`) },
  { name: `a cell of ${size} bytes`, bytes: text(`a,b\n1,${"x".repeat(size)}\n`) },
  { name: `an open quote of ${size} bytes`, bytes: text(`a,b\n1,"${"x\n".repeat(size / 2)}`) },
  { name: `${size} bytes without a line end`, bytes: text("1,2,".repeat(size / 4)) },
  { name: `comments of ${size} bytes`, bytes: text("# comment\n".repeat(size / 10)) },
]);

const TABLE = "näme,vàlue\nÄ,1\nß,2\n";
const MARK = Uint8Array.of(0xef, 0xbb, 0xbf);
const encodings = [
  { name: "a mark alone", bytes: MARK },
  { name: "two marks", bytes: joined(MARK, MARK, text(TABLE)) },
  { name: "a mark in the middle", bytes: joined(text("a,b\n"), MARK, text("1,2\n")) },
  { name: "half a mark", bytes: MARK.subarray(0, 2) },
  { name: "latin1", bytes: latin1(TABLE) },
  { name: "a torn character at the end", bytes: text(TABLE + "é").subarray(0, -1) },
  { name: "overlong and surrogate bytes", bytes: latin1("a,b\n\xc0\xaf,\xed\xa0\x80\n\xf4\x90\x80\x80,\xff\xfe\n") },
  { name: "GBK", bytes: latin1("\xd0\xd5\xc3\xfb,\xc4\xea\xc1\xe4\n\xd5\xc5\xc8\xfd,23\n") },
  { name: "UTF-32", bytes: new Uint8Array(Buffer.from([...TABLE].map((c) => `${c}\0\0\0`).join(""), "latin1")) },
  ...[true, false].flatMap((isBigEndian) =>
    [true, false].flatMap((hasMark) =>
      [TABLE, 'a,b\n"1', "a", "", `a,b\n${"1,🦆\n".repeat(20_000)}`].flatMap((content, i) => {
        const bytes = utf16(content, isBigEndian, hasMark);
        const name = `UTF-16${isBigEndian ? "BE" : "LE"}${hasMark ? " with a mark" : ""}, ${i}`;
        return [
          { name, bytes },
          { name: `${name}, torn`, bytes: bytes.subarray(0, -1) },
        ];
      }),
    ),
  ),
];

const binary = [
  { name: "gzip", bytes: Bun.gzipSync(text(TABLE)) },
  { name: "nothing", bytes: new Uint8Array(0) },
  { name: "NULs", bytes: new Uint8Array(100_000) },
  { name: "NULs behind a table", bytes: joined(text(TABLE), new Uint8Array(100_000)) },
  { name: "a table behind NULs", bytes: joined(new Uint8Array(4_096), text(TABLE)) },
  { name: "every byte", bytes: Uint8Array.from({ length: 70_000 }, (_, i) => i) },
  { name: "parquet", bytes: joined(text("PAR1\x15\x04\x15\x10"), new Uint8Array(50), text("PAR1")) },
  { name: "JSON", bytes: text('[{"a":1,"b":[2,"x\\n"]},\n{"a":"__proto__"}]\n') },
];

const NAMES = [
  "__proto__,constructor,toString\n1,2,3\n",
  "a,a,a_1,A\n1,2,3,4\n",
  '"",""\n1,2\n',
  " a,a \n1,2\n",
  "a,,\n,,\n",
];
const names = NAMES.map((content) => ({ name: `names ${JSON.stringify(content)}`, bytes: text(content) }));

/** Nearly 500 of them. */
export const hostileFiles: readonly Hostile[] = [
  ...[...single, ...nulls, ...quotes, ...lineEnds, ...delimiters],
  ...[...wide, ...long, ...encodings, ...binary, ...names],
];
