// Where the header is: found in the head of a file, or where the options say.
import { findComments } from "./comments.ts";
import { CANDIDATES, guessDelimiter } from "./delimiter.ts";
import { HEAD_BYTES } from "./encoding.ts";
import { CsvError } from "./error.ts";
import { findFormat } from "./formats.ts";
import type { Header } from "./header.ts";
import { type Head, layoutOf } from "./head.ts";
import type { ReadOptions } from "./options.ts";
import { findPreamble } from "./preamble.ts";
import { lineOf, walkRecords } from "./records.ts";

/** A header longer than this is no header. */
const MAX_HEADER_BYTES = 4 << 20;

/** Where the options say that the header is; the first line that is not blank behind it counts. An empty text has none yet. */
export function placedHeader(
  head: Head,
  given: string | undefined,
  { skipLines = 0, headerLine }: ReadOptions,
): Header {
  const { bytes, from, to, recordEnd } = head;
  let at = from;
  if (headerLine !== undefined) {
    const found = Buffer.from(bytes.buffer, bytes.byteOffset, to).indexOf(headerLine, from);
    if (found === -1 && to > from)
      throw new CsvError("not-csv", `no line in the first ${HEAD_BYTES >> 10} kB contains the text of --header-line`);
    at = found === -1 ? from : Math.max(from, bytes.lastIndexOf(recordEnd, found) + 1);
  }
  for (let line = 0; line < skipLines && at < to; line++) {
    const end = bytes.indexOf(recordEnd, at);
    at = end === -1 || end >= to ? to : end + 1;
  }
  return firstRecord(head, at, given ?? guessDelimiter(head, at));
}

function firstRecord(head: Head, from: number, delimiter: string): Header {
  let start = from;
  let end = from;
  walkRecords(head.bytes, from, head.to, layoutOf(head, delimiter), Infinity, (at, behind) => {
    start = at;
    end = behind;
    return true;
  });
  return { delimiter, start, end, lineStart: start, bodyStart: end };
}

/** `sep=`, then a known first line, a block of comments, a preamble; else the first record. */
export function foundHeader(head: Head, given: string | undefined): Header | "waiting" {
  const sep = excelSeparator(head.bytes, head.from);
  if (sep) return headerBehind(head, sep.end, given ?? sep.delimiter);
  const format = findFormat(head, head.from, given);
  return format ?? headerBehind(head, head.from, given);
}

function headerBehind(head: Head, start: number, given: string | undefined): Header {
  const comments = findComments(head, start, given);
  if (comments?.header) return comments.header;
  const from = comments?.bodyStart ?? start;
  const preamble = findPreamble(head, from, given ? [given] : CANDIDATES);
  return preamble ?? firstRecord(head, from, given ?? guessDelimiter(head, from));
}

/** Excel's first line `sep=;` names the delimiter and is no row. */
function excelSeparator(head: Uint8Array, from: number): { delimiter: string; end: number } | undefined {
  const line = /^"?sep=([^"\r\n])"?(\r*\n|\r|$)/i.exec(Buffer.from(head.subarray(from, from + 16)).toString("latin1"));
  if (!line?.[1] || line[1] > "\x7f") return undefined;
  return { delimiter: line[1], end: from + line[0].length };
}

/** A header may be longer than the head. */
export function wholeHeader(bytes: Uint8Array, to: number, head: Head, header: Header): Header {
  if (header.end > header.start && (header.end < head.to || head.to === to)) return header;
  const layout = layoutOf(head, header.delimiter);
  const limit = Math.min(to, header.start + MAX_HEADER_BYTES);
  for (let window = HEAD_BYTES; header.start < limit; window *= 8) {
    const until = Math.min(limit, header.start + window);
    let found: readonly [number, number] | undefined;
    const open = walkRecords(bytes.subarray(0, until), header.start, until, layout, Infinity, (start, end) => {
      found = [start, end];
      return true;
    });
    const isTorn = found?.[1] === until && until < to;
    if (found && !isTorn)
      return { ...header, start: found[0], lineStart: found[0], end: found[1], bodyStart: found[1] };
    if (until < limit) continue;
    if (isTorn || (open !== -1 && limit < to))
      throw new CsvError("not-csv", `not a CSV: the header record is longer than ${MAX_HEADER_BYTES >> 20} MiB`);
    if (open !== -1)
      throw new CsvError("unclosed-quote", "a quote in the header is never closed", lineOf(bytes, open, layout));
    break;
  }
  return { ...header, end: header.start, bodyStart: to };
}
