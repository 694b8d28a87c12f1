// Which byte separates the cells, and which the records. papaparse guesses the delimiter; where it is known to be wrong, the
// agreement of header and rows corrects it.
import { type Head, layoutOf } from "./head.ts";
import { CR, type Layout, LF, QUOTE, walkRecords } from "./records.ts";

export const CANDIDATES = [",", ";", "\t", "|"] as const;

/** CR only where no LF stands outside quotes. Counting quotes is enough here: a border needs them balanced before it. */
export function detectRecordEnd(head: Uint8Array, from: number): Layout["recordEnd"] {
  let quoted = false;
  let sawCr = false;
  let sawLf = false;
  for (let i = from; i < head.length; i++) {
    const byte = head[i];
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === LF && !quoted) return LF;
    else if (byte === LF) sawLf = true;
    else if (byte === CR && !quoted) sawCr = true;
  }
  // An odd number of quotes leaves the rest "inside": a stray one must not turn a file with LF into one with CR.
  return sawCr && !(quoted && sawLf) ? CR : LF;
}

/** The delimiter of the stretch from `from` on, whose first record is its header. */
export function guessDelimiter(head: Head, from: number): string {
  const found = CANDIDATES.map((delimiter) => ({ delimiter, ...agreement(head, from, delimiter) }));
  const most = Math.max(...found.map(({ share }) => share));
  const equals = found.filter(({ share }) => share === most);
  if (equals.length === 1) return equals[0]!.delimiter;
  const guessed = papaGuess(head, from);
  let best = found.find(({ delimiter }) => delimiter === guessed) ?? {
    delimiter: guessed,
    ...agreement(head, from, guessed),
  };
  for (const other of found) {
    const { share, fields } = other;
    const isDecimalComma = best.delimiter === "," && share === best.share && fields === best.fields && fields > 1;
    if (share > best.share || isDecimalComma) best = other;
  }
  // Nothing fits, as above a table that is to come: these are no part of a sentence.
  const isHelpless = best.share === 0 && best.fields < 2;
  const splitting =
    isHelpless && ["\t", "|"].find((delimiter) => found.some((one) => one.delimiter === delimiter && one.fields > 1));
  return splitting || best.delimiter;
}

/** papaparse is loaded when it is needed for the first time: most texts have one delimiter that fits. */
function papaGuess({ bytes, to, recordEnd }: Head, from: number): string {
  const Papa = require("papaparse") as typeof import("papaparse");
  const text = Buffer.from(bytes.subarray(from, to)).toString("utf8");
  const newline = recordEnd === CR ? "\r" : text.includes("\r\n") ? "\r\n" : "\n";
  const { meta } = Papa.parse(text, { preview: 1, skipEmptyLines: true, newline, delimitersToGuess: [...CANDIDATES] });
  return meta.delimiter;
}

/** The share of rows that have as many fields as the header; 0 if the delimiter does not split the header at all. */
export function agreement(head: Head, from: number, delimiter: string): { fields: number; share: number } {
  let header = 0;
  let rows = 0;
  let agreeing = 0;
  walkRecords(head.bytes, from, head.to, layoutOf(head, delimiter), Infinity, (_start, _end, fields) => {
    if (header === 0) return void (header = fields);
    rows++;
    if (fields === header) agreeing++;
  });
  return { fields: header, share: header < 2 ? 0 : rows === 0 ? 1 : agreeing / rows };
}
