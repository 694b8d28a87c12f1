// A leading block of comment lines, and the header that its last lines may be.
import { isTypedColumn } from "./cells.ts";
import { agreement, CANDIDATES, guessDelimiter } from "./delimiter.ts";
import { hasValues, type Header, isHeader, isMoreOfUnits, isUnitsRow, rowsOf } from "./header.ts";
import { cellsOf, commonWidth, type Head, type HeadRecord, type Line, layoutOf, linesOf, recordsOf } from "./head.ts";

const PREFIXES = [/^#+/, /^%+/, /^\/\/+/, /^;+(?= )/];

/** Where the body begins behind a block of comments, and its header if that is one of them; undefined if there is no block. */
export function findComments(
  head: Head,
  from: number,
  given: string | undefined,
): { readonly bodyStart: number; readonly header: Header | undefined } | undefined {
  const first = linesOf(head, from).next().value;
  const prefix = first && PREFIXES.find((pattern) => pattern.test(first.text));
  if (!prefix) return undefined;
  const block: Line[] = [];
  let bodyStart = -1;
  for (const line of linesOf(head, from)) {
    if (!prefix.test(line.text)) {
      bodyStart = line.start;
      break;
    }
    block.push(line);
  }
  if (bodyStart === -1) return undefined;
  const header = headerIn(head, block, bodyStart, prefix, given);
  // A first line that is no comment but has the width of the table: `; Jan; Feb`.
  if (!header && block.length === 1 && fitsAsItStands(head, from, given)) return undefined;
  return { bodyStart, header };
}

/** The last comment that has the width of the body, unless the record below the block is a header itself. */
function headerIn(
  head: Head,
  block: readonly Line[],
  bodyStart: number,
  prefix: RegExp,
  given: string | undefined,
): Header | undefined {
  const fitting: FittingLine[] = [];
  for (const line of block.toReversed()) {
    const start = behindPrefix(line, prefix);
    const found = readingThatFits(head, line, start, bodyStart, given);
    if (found) fitting.push({ line, start, ...found });
    if (fitting.length === 2) break;
  }
  const [last, above] = fitting;
  const isUnits = last && (isUnitsRow(last.cells) || (above !== undefined && isMoreOfUnits(last.cells, above.cells)));
  const names = isUnits ? above : last;
  if (!names) return undefined;
  const { line, start, delimiter, cells } = names;
  const isKept = cells[0]!.trim() === "" || (line.text.startsWith("%") && start === line.start + 1);
  const nameStart = isKept ? line.start : start;
  const units = isUnits ? last.cells : undefined;
  return { delimiter, start: nameStart, end: line.next, lineStart: line.start, bodyStart, units };
}

/** A comment that has the width of the body: where it begins behind its prefix, and its cells. */
type FittingLine = {
  readonly line: Line;
  readonly start: number;
  readonly delimiter: string;
  readonly cells: readonly string[];
};

/** The delimiter by which a comment has the width of the body, and its cells then. */
function readingThatFits(head: Head, line: Line, start: number, bodyStart: number, given: string | undefined) {
  for (const delimiter of given ? [given] : delimitersOf(head, line, start, bodyStart)) {
    const body = recordsOf(head, bodyStart, delimiter);
    const cells = cellsOf(head.bytes, start, line.end, layoutOf(head, delimiter));
    if (start < line.end && fits(cells, body) && !isHeaded(body)) return { delimiter, cells };
  }
  return undefined;
}

/** Header and body together tell the delimiter: `# Zeit;U` over `0,1;2,5`. */
function delimitersOf(head: Head, { next }: Line, start: number, bodyStart: number): readonly string[] {
  if (start >= next) return [];
  const gap = head.bytes.subarray(next, bodyStart);
  if (gap.length === 0) return [guessDelimiter(head, start), guessDelimiter(head, bodyStart)];
  const body = guessDelimiter(head, bodyStart);
  return [
    body,
    ...CANDIDATES.filter((candidate) => candidate !== body && agreement(head, bodyStart, candidate).share >= 0.9),
  ];
}

function behindPrefix({ start, text }: Line, prefix: RegExp): number {
  const sign = prefix.exec(text)?.[0] ?? "";
  const blanks = /^[\s\ufffd]*/.exec(text.slice(sign.length))?.[0] ?? "";
  return start + sign.length + Buffer.byteLength(blanks.replaceAll("\ufffd", "?"));
}

/** Whether a line of these cells has the width of the body; a single column must be typed. */
function fits(cells: readonly string[], body: readonly HeadRecord[]): boolean {
  const { width, share } = commonWidth(body);
  const isTitle = width > 2 && cells.filter((cell) => cell.trim() !== "").length <= 1;
  if (cells.length !== width || share < 0.9 || isTitle) return false;
  return width > 1 || isTypedColumn(rowsOf(body), 0);
}

/** Whether the first record is a header over a typed column. */
function isHeaded(body: readonly HeadRecord[]): boolean {
  const [first, ...rows] = rowsOf(body);
  const rest = rows.filter((cells) => !isUnitsRow(cells));
  if (!first || hasValues(first, rest)) return false;
  return isHeader(first, "some units") && first.some((_n, c) => isTypedColumn(rest, c));
}

function fitsAsItStands(head: Head, from: number, given: string | undefined): boolean {
  const { fields, share } = agreement(head, from, given ?? guessDelimiter(head, from));
  const [first, second] = recordsOf(head, from, given ?? guessDelimiter(head, from));
  return fields > 1 && share >= 0.9 && first?.cells[0] === "" && second !== undefined;
}
