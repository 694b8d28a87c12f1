// First lines that say what a file is. To teach csvcast another format, add a line to the table at the end, and a file to
// test/csv/programs.
import type { Header } from "./header.ts";
import { cellsOf, type Head, type Line, layoutOf, linesOf } from "./head.ts";
import { guessDelimiter } from "./delimiter.ts";

/**
 * A known format: whether the first line is its, and where its header is. `waiting`: its header is still to come.
 * The delimiter is the one that was asked for, if one was.
 */
export type Format = {
  readonly name: string;
  isFirst(line: string): boolean;
  find(head: Head, lines: Iterable<Line>, delimiter: string | undefined): Header | "waiting" | undefined;
};

/** The known format of the text from `from` on, if it has one. */
export function findFormat(head: Head, from: number, delimiter: string | undefined): Header | "waiting" | undefined {
  const first = linesOf(head, from).next().value;
  if (!first) return undefined;
  for (const format of FORMATS) {
    if (!format.isFirst(first.text)) continue;
    const found = format.find(head, linesOf(head, from), delimiter);
    if (found) return found === "waiting" ? found : { ...found, format: format.name };
  }
  return undefined;
}

/** The lines up to the first that passes, that one included; undefined if none does. */
function upTo(lines: Iterable<Line>, passes: (text: string, index: number) => boolean): Line[] | undefined {
  const before: Line[] = [];
  for (const line of lines) {
    before.push(line);
    if (passes(line.text, before.length - 1)) return before;
  }
  return undefined;
}

/** The header is a whole line. */
function lineHeader(head: Head, line: Line, delimiter: string | undefined): Header {
  const { start, next } = line;
  return {
    delimiter: delimiter ?? guessDelimiter(head, start),
    start,
    end: next,
    lineStart: start,
    bodyStart: next,
  };
}

/** The header is what stands behind a word of its line: `#Fields: date time`. */
function behindWord(line: Line, word: RegExp, delimiter: string): Header | undefined {
  const found = word.exec(line.text)?.[0];
  if (found === undefined) return undefined;
  const { start, next } = line;
  return { delimiter, start: start + found.length, end: next, lineStart: start, bodyStart: next };
}

/** Campbell Scientific: names in line 2, then `rest` lines about them, of which the first has the units. */
function campbell(name: string, minCells: number, rest: number): Format {
  const first = new RegExp(`^"?${name}"?,`);
  return {
    name,
    isFirst: (line) => first.test(line) && line.split(",").length >= minCells,
    find(head, lines) {
      const all = upTo(lines, (_text, index) => index === rest + 1);
      if (!all) return "waiting";
      const header = lineHeader(head, all[1]!, ",");
      const units = all[2] && cellsOf(head.bytes, all[2].start, all[2].next, layoutOf(head, ","));
      const again = all.slice(2).map(({ start, end }) => [start, end] as const);
      return { ...header, bodyStart: all.at(-1)!.next, units, again, directives: [`"${name}",`, `${name},`] };
    },
  };
}

const POWERSHELL: Format = {
  name: "PowerShell",
  isFirst: (line) => /^#TYPE \S/.test(line),
  find(head, lines, delimiter) {
    const all = upTo(lines, (_text, index) => index === 1);
    return all ? { ...lineHeader(head, all[1]!, delimiter), directives: ["#TYPE "] } : "waiting";
  },
};

const ZEEK_WORDS = [
  "separator",
  "set_separator",
  "empty_field",
  "unset_field",
  "path",
  "open",
  "close",
  "fields",
  "types",
];

const ZEEK: Format = {
  name: "Zeek",
  isFirst: (line) => /^#separator \S/.test(line),
  find(_head, lines) {
    const all = upTo(lines, (text) => text.startsWith("#types"));
    if (!all) return "waiting";
    const [, escaped] = /^#separator \\x([0-9a-f]{2})/i.exec(all[0]!.text) ?? [];
    const delimiter = escaped ? String.fromCharCode(Number.parseInt(escaped, 16)) : all[0]!.text.slice(11, 12);
    const line = all.find(({ text }) => text.startsWith("#fields"));
    const header = line && behindWord(line, /^#fields./, delimiter);
    return header && { ...header, bodyStart: all.at(-1)!.next, directives: ZEEK_WORDS.map((word) => `#${word}`) };
  },
};

const W3C_WORDS = [
  "Software",
  "Version",
  "Date",
  "Start-Date",
  "End-Date",
  "Remark",
  "Log-type",
  "Fields",
  "GMT-Offset",
];
const W3C_LINE = new RegExp(`^#(${W3C_WORDS.join("|")}): ?`);

const W3C: Format = {
  name: "W3C log",
  isFirst: (line) => W3C_LINE.test(line),
  find(head, lines) {
    const all = upTo(lines, (text) => text.startsWith("#Fields:") || !text.startsWith("#"));
    if (!all) return "waiting";
    const line = all.at(-1)!;
    const names = line.text.replace(/^#Fields:\s*/, "").trim();
    const delimiter = names.includes("\t") ? "\t" : names.includes(" ") || !names.includes(",") ? " " : ",";
    const header = behindWord(line, /^#Fields:\s*/, delimiter);
    const found = header && { ...header, directives: W3C_WORDS.map((word) => `#${word}:`) };
    // CloudFront: blanks between the names, tabs in the body.
    const row = upTo(linesOf(head, line.next), (text) => !text.startsWith("#"))?.at(-1)?.text;
    const isMixed = delimiter === " " && row?.split("\t").length === names.split(" ").length;
    return found && isMixed ? { ...found, delimiter: "\t", names: names.split(" ") } : found;
  },
};

const ANNOTATION = /^#(group|datatype|default)\b/;

const ANNOTATED: Format = {
  name: "annotated CSV",
  isFirst: (line) => ANNOTATION.test(line),
  find(head, lines, delimiter) {
    const all = upTo(lines, (text) => !ANNOTATION.test(text));
    if (!all) return "waiting";
    const annotation = /^#[a-z]+([,;\t|])/.exec(all[0]!.text)?.[1];
    const directives = ["#group", "#datatype", "#default"];
    return { ...lineHeader(head, all.at(-1)!, delimiter ?? annotation), directives };
  },
};

/** Open Hardware Monitor: identifiers of sensors above their names. */
const IDENTIFIERS: Format = {
  name: "Open Hardware Monitor",
  isFirst: (line) => /^([,;\t])"?\/[^,;\t]*(\1"?\/[^,;\t]*)*$/.test(line),
  find(head, lines, delimiter) {
    const all = upTo(lines, (_text, index) => index === 1);
    const [first, second] = all ?? [];
    if (!first || !second || !/^"?Time\b/.test(second.text)) return undefined;
    return { ...lineHeader(head, second, delimiter ?? first.text[0]), again: [[first.start, first.end]] };
  },
};

const END_OF_HEADER = "***End_of_Header***";

/** LabVIEW Measurement: two sections of metadata, each with an end. */
const LABVIEW: Format = {
  name: "LabVIEW Measurement",
  isFirst: (line) => /^LabVIEW Measurement\s*$/.test(line),
  find(head, lines) {
    let ends = 0;
    const all = upTo(lines, (text) => ends >= 2 || (text.startsWith(END_OF_HEADER) && ++ends < 0));
    if (!all) return "waiting";
    const separator = all.find(({ text }) => /^Separator\b/.test(text))?.text;
    return lineHeader(head, all.at(-1)!, separator?.includes("Comma") ? "," : "\t");
  },
};

/** Names in the first line that begins so, whatever stands above it. */
function headedBy(name: string, first: RegExp, header: RegExp, directives: readonly string[] = []): Format {
  return {
    name,
    isFirst: (line) => first.test(line),
    find(head, lines, delimiter) {
      const all = upTo(lines, (text) => header.test(text));
      return all ? { ...lineHeader(head, all.at(-1)!, delimiter), directives } : "waiting";
    },
  };
}

const FORMATS: readonly Format[] = [
  campbell("TOA5", 6, 2),
  campbell("TOACI1", 3, 0),
  POWERSHELL,
  ZEEK,
  W3C,
  ANNOTATED,
  IDENTIFIERS,
  LABVIEW,
  headedBy("MSI Afterburner", /^00, [^,]+, Hardware monitoring log\b/, /^02,/, ["00,", "01,", "02,", "03,"]),
  headedBy("OptiTrack", /^Format Version,\d/, /^"?Frame"?,/),
];
