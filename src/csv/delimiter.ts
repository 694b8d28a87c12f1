// Which byte separates the cells, and which the records. papaparse guesses the delimiter; where it is known to be wrong, the
// agreement of header and rows corrects it.
import Papa from "papaparse";
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
  const text = Buffer.from(head.bytes.subarray(from, head.to)).toString("utf8");
  const newline = head.recordEnd === CR ? "\r" : text.includes("\r\n") ? "\r\n" : "\n";
  const guessed = Papa.parse(text, {
    preview: 1,
    skipEmptyLines: true,
    newline,
    delimitersToGuess: [...CANDIDATES],
  }).meta.delimiter;
  let best = { delimiter: guessed, ...agreement(head, from, guessed) };
  for (const delimiter of CANDIDATES) {
    const { share, fields } = agreement(head, from, delimiter);
    const isDecimalComma = best.delimiter === "," && share === best.share && fields === best.fields && fields > 1;
    if (share > best.share || isDecimalComma) best = { delimiter, share, fields };
  }
  // Nothing fits, as above a table that is to come: these are no part of a sentence.
  const isHelpless = best.share === 0 && best.fields < 2;
  const splitting = isHelpless && ["\t", "|"].find((delimiter) => agreement(head, from, delimiter).fields > 1);
  return splitting || best.delimiter;
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
