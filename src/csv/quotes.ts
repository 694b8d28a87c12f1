// A quote that opens a cell and is not closed in its line: is it a cell with line ends, or a stray quote of somebody who never
// escapes? Told by what follows, within a bounded stretch, so that a walk stays linear.
import { isMissing } from "../values/missing.ts";
import { isTyped } from "./cells.ts";

const CR = 13;
const QUOTE = 34;
const SPACE = 32;
const TAB = 9;

/** So many lines that are records of the right width settle it, whatever comes behind them. */
const MANY_LINES = 16;
/** And so many if the text ends there. */
const FEW_LINES = 2;
const MAX_BYTES = 1 << 16;

/**
 * `cell`: the quote opens a cell with line ends. `stray`: it is data, and its record ends with its line. `stray-so-far`: so it
 * seems at the end of the text, and more text may tell otherwise. `later`: more text is needed.
 */
export type Telling = "cell" | "stray" | "stray-so-far" | "later";

export type QuoteRule = {
  readonly shape: Shape;
  /**
   * Tells about the quote at `quoteAt`, which opens field `field` (from 0) of its record and is not closed before `lineEnd`.
   * The text ends at `to`, for good if `isEnd`.
   */
  tell(bytes: Uint8Array, quoteAt: number, lineEnd: number, field: number, to: number, isEnd: boolean): Telling;
};

export type Shape = {
  readonly delimiter: number;
  readonly recordEnd: number;
  /** The cells of a whole record. */
  readonly width: number;
  /** Columns of numbers or times. */
  readonly typed: readonly boolean[];
};

export function quoteRule(shape: Shape): QuoteRule {
  const { recordEnd, width, typed } = shape;
  const typedAt = typed.flatMap((isOne, c) => (isOne ? [c] : []));

  const tell: QuoteRule["tell"] = (bytes, quoteAt, lineEnd, field, to, isEnd) => {
    if (closesSoon(bytes, lineEnd + 1, to, field, shape)) return "cell";
    if (field + cellsBetween(bytes, quoteAt, lineEnd, shape, true).length > width) return "cell";
    let lines = 0;
    // What stands behind the quote's field fits either way.
    const before = typedAt.filter((c) => c < field);
    let areTyped = before.length > 0;
    const limit = Math.min(to, lineEnd + MAX_BYTES);
    for (let at = lineEnd + 1; lines < MANY_LINES;) {
      const end = lineEndIn(bytes, at, limit, recordEnd);
      const isTorn = end === limit;
      if (isTorn && limit < to) return "cell";
      if (isTorn && !isEnd) return "later";
      const close = closeIn(bytes, at, end);
      if (isTorn && close === -1) break; // still being written
      if (!isBlank(bytes, at, end)) {
        const cells = cellsBetween(bytes, at, end, shape, false);
        if (cells.length !== width) return "cell";
        if (width === 1 && !(typed[0] && isTypedCell(cells[0]!))) return "cell";
        areTyped &&= before.every((c) => isTypedCell(cells[c]!)) && before.some((c) => isTyped(cells[c]!));
        lines++;
      }
      if (close !== -1) return isWellClosed(bytes, close, end, field, shape) && !areTyped ? "cell" : "stray";
      if (isTorn || end + 1 >= to) break;
      at = end + 1;
    }
    if (lines >= MANY_LINES) return "stray";
    if (!isEnd) return "later";
    return lines >= FEW_LINES ? "stray-so-far" : "cell";
  };
  return { shape, tell };
}

/**
 * The usual case, told at once: the next line closes the quote as it should, with fewer delimiters before than a record has up to
 * this field.
 */
function closesSoon(bytes: Uint8Array, from: number, to: number, field: number, shape: Shape): boolean {
  const { delimiter, recordEnd } = shape;
  let delimiters = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === recordEnd) return false;
    if (byte === delimiter && ++delimiters >= field) return false;
    if (byte !== QUOTE) continue;
    const next = i + 1 < to ? bytes[i + 1] : recordEnd;
    if (next !== QUOTE) return delimiters < field && (next === delimiter || next === recordEnd || next === CR);
    i++;
  }
  return false;
}

function lineEndIn(bytes: Uint8Array, from: number, to: number, recordEnd: number): number {
  while (from < to && bytes[from] !== recordEnd) from++;
  return from;
}

const isTypedCell = (cell: string) => isMissing(cell) || isTyped(cell);

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  while (from < to && bytes[from] === CR) from++;
  return from === to;
}

/** The quote that closes a cell opened before `from`; a doubled one is data. */
function closeIn(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    if (bytes[i] !== QUOTE) continue;
    if (i + 1 < to && bytes[i + 1] === QUOTE) i++;
    else return i;
  }
  return -1;
}

/** Whether the cell ends behind its closing quote, as it should, and its record has the right width then. */
function isWellClosed(bytes: Uint8Array, close: number, lineEnd: number, field: number, shape: Shape): boolean {
  let i = close + 1;
  while (i < lineEnd && bytes[i] !== shape.delimiter && (bytes[i] === SPACE || bytes[i] === TAB || bytes[i] === CR))
    i++;
  if (i < lineEnd && bytes[i] !== shape.delimiter) return false;
  return field + cellsBetween(bytes, close, lineEnd, shape, true).length === shape.width;
}

/** The cells of a line, in latin1. A quote opens one only if it is closed in the line; `isLiteral`: the first one does not. */
function cellsBetween(bytes: Uint8Array, from: number, to: number, shape: Shape, isLiteral: boolean): string[] {
  const { delimiter } = shape;
  const cells: string[] = [];
  for (let i = from; ; i++) {
    let start = i;
    while (start < to && bytes[start] !== delimiter && (bytes[start] === SPACE || bytes[start] === TAB)) start++;
    const close = bytes[start] === QUOTE && !(isLiteral && cells.length === 0) ? closeIn(bytes, start + 1, to) : -1;
    const content = close === -1 ? start : start + 1;
    if (close !== -1) i = close + 1;
    while (i < to && bytes[i] !== delimiter) i++;
    cells.push(Buffer.from(bytes.subarray(content, close === -1 ? i : close)).toString("latin1"));
    if (i >= to) return cells;
  }
}
