// What kind of CSV is this? Delimiter, record end and header, as a function of the first 64 kB. papaparse guesses the
// delimiter; where it is known to be wrong, the agreement of header and rows corrects it.
import Papa from "papaparse";
import { HEAD_BYTES } from "./encoding.ts";
import { CsvError } from "./error.ts";
import { CR, type Layout, LF, lineOf, QUOTE, walkRecords } from "./records.ts";
import { jsonOf } from "./render.ts";

const CANDIDATES = [",", ";", "\t", "|"] as const;

/** A header longer than this is no header. */
const MAX_HEADER_BYTES = 4 << 20;
export const MAX_COLUMNS = 100_000;

export type DialectOptions = {
  /** Overrides the guess. */
  readonly delimiter?: string | undefined;
  readonly maxColumns?: number | undefined;
};

export type Dialect = {
  readonly layout: Layout;
  /** Column names in file order, unique: a duplicate `a` becomes `a_1`, `a_2`, … */
  readonly columns: readonly string[];
  /** How many columns were renamed because their name was taken. */
  readonly renamed: number;
  /** Where the rows begin: the offset behind the header record. */
  readonly bodyStart: number;
};

/** The dialect of the UTF-8 text in `bytes[from, to)`; a text without a header has no columns. */
export function detectDialect(bytes: Uint8Array, from: number, to: number, options: DialectOptions = {}): Dialect {
  const whole = to - from <= HEAD_BYTES;
  const head = bytes.subarray(0, whole ? to : from + HEAD_BYTES);
  const recordEnd = detectRecordEnd(head, from);
  const sep = excelSeparator(head, from);
  const start = sep ? sep.end : from;
  const chosen = options.delimiter ?? sep?.delimiter ?? guessDelimiter(head, start, recordEnd, whole);
  return readHeader(
    bytes,
    start,
    to,
    { delimiter: chosen.charCodeAt(0), recordEnd },
    options.maxColumns ?? MAX_COLUMNS,
  );
}

/** CR only where no LF stands outside quotes. Counting quotes is enough here: a border needs them balanced before it. */
function detectRecordEnd(head: Uint8Array, from: number): Layout["recordEnd"] {
  let quoted = false;
  let sawCr = false;
  for (let i = from; i < head.length; i++) {
    const byte = head[i];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === LF) return LF;
    else if (byte === CR) sawCr = true;
  }
  return sawCr ? CR : LF;
}

/** Excel's first line `sep=;` names the delimiter and is no row. */
function excelSeparator(head: Uint8Array, from: number): { delimiter: string; end: number } | undefined {
  const line = /^"?sep=([^"\r\n])"?(\r\n|\n|\r|$)/i.exec(
    Buffer.from(head.subarray(from, from + 16)).toString("latin1"),
  );
  if (!line?.[1] || line[1] > "\x7f") return undefined;
  return { delimiter: line[1], end: from + line[0].length };
}

function guessDelimiter(head: Uint8Array, from: number, recordEnd: Layout["recordEnd"], whole: boolean): string {
  const end = whole ? head.length : Math.max(head.lastIndexOf(recordEnd) + 1, from) || head.length;
  const text = Buffer.from(head.subarray(from, end)).toString("utf8");
  const newline = recordEnd === CR ? "\r" : text.includes("\r\n") ? "\r\n" : "\n";
  const guessed = Papa.parse(text, {
    preview: 1,
    skipEmptyLines: true,
    newline,
    delimitersToGuess: [...CANDIDATES],
  }).meta.delimiter;
  let best = { delimiter: guessed, ...agreement(head, from, end, guessed, recordEnd) };
  for (const delimiter of CANDIDATES) {
    const { share, fields } = agreement(head, from, end, delimiter, recordEnd);
    const isDecimalComma = best.delimiter === "," && share === best.share && fields === best.fields && fields > 1;
    if (share > best.share || isDecimalComma) best = { delimiter, share, fields };
  }
  return best.delimiter;
}

/** The share of rows that have as many fields as the header; 0 if the delimiter does not split the header at all. */
function agreement(head: Uint8Array, from: number, to: number, delimiter: string, recordEnd: Layout["recordEnd"]) {
  let header = 0;
  let rows = 0;
  let agreeing = 0;
  const layout = { delimiter: delimiter.charCodeAt(0), recordEnd };
  walkRecords(head, from, to, layout, Infinity, (_start, _end, fields) => {
    if (header === 0) return void (header = fields);
    rows++;
    if (fields === header) agreeing++;
  });
  return { fields: header, share: header < 2 ? 0 : rows === 0 ? 1 : agreeing / rows };
}

function readHeader(bytes: Uint8Array, from: number, to: number, layout: Layout, maxColumns: number): Dialect {
  const limit = Math.min(to, from + MAX_HEADER_BYTES);
  let end = from;
  let fields = 0;
  for (let window = HEAD_BYTES; fields === 0 && end < limit; window *= 8) {
    const until = Math.min(limit, from + window);
    const open = walkRecords(bytes.subarray(0, until), from, until, layout, Infinity, (_start, recordEnd, count) => {
      if (fields > 0) return;
      end = recordEnd;
      fields = count;
    });
    const torn = end === until && until < to;
    if (torn) fields = 0;
    if (fields > 0 || until < limit) continue;
    if (torn || (open !== -1 && limit < to))
      throw new CsvError("not-csv", `not a CSV: the header record is longer than ${MAX_HEADER_BYTES >> 20} MiB`);
    if (open !== -1)
      throw new CsvError("unclosed-quote", "a quote in the header is never closed", lineOf(bytes, open, layout));
    break;
  }
  if (fields > maxColumns)
    throw new CsvError("too-large", `${fields} columns, more than ${maxColumns}; raise --max-columns if that is right`);
  if (fields === 0) return { layout, columns: [], renamed: 0, bodyStart: to };
  const names = JSON.parse(jsonOf(bytes, from, end, layout, fields))[0] as string[];
  const columns = uniqueNames(names);
  return { layout, columns, renamed: columns.filter((name, i) => name !== names[i]).length, bodyStart: end };
}

/** A name that is taken gets the first free suffix: `a`, `a_1`, `a_2`; never the name of another column. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names);
  const seen = new Map<string, number>();
  return names.map((name) => {
    let suffix = seen.get(name) ?? 0;
    let fresh = name;
    while (suffix > 0 && taken.has((fresh = `${name}_${suffix}`))) suffix++;
    seen.set(name, suffix + 1);
    taken.add(fresh);
    return fresh;
  });
}
