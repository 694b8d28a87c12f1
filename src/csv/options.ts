// How a file is to be read, where it is not left to detection: the options of the field, and which of them contradict each other.
import { COLUMN_TYPES } from "../values/verdict.ts";
import type { TypesOption } from "./columns.ts";

export type ReadOptions = {
  /** One ASCII character, or `whitespace`: runs of blanks and tabs are one. Without it the delimiter is guessed. */
  readonly delimiter?: string | undefined;
  /** A WHATWG encoding label; without it the encoding is detected. */
  readonly encoding?: string | undefined;
  /** A header of more columns is refused; 100,000 without it. */
  readonly maxColumns?: number | undefined;
  /** The header is the first record behind so many lines, blank ones too; 0: the first line is, and nothing is detected. */
  readonly skipLines?: number | undefined;
  /** The header is the first line that contains this text. */
  readonly headerLine?: string | undefined;
  /** So many lines under the header are no rows. */
  readonly skipAfterHeader?: number | undefined;
  /** Lines that begin with this prefix are no rows, wherever they are. */
  readonly comment?: string | undefined;
  /** The first record is a row; the columns are called `c1`, `c2`, …, or as `names` says. */
  readonly noHeader?: boolean | undefined;
  /** The names of the columns, instead of those in the header. */
  readonly names?: readonly string[] | undefined;
  /** Takes blanks and tabs around cells and names away, in quotes too. */
  readonly trim?: boolean | undefined;
  /** The quote character, one of ASCII, or `none`. Given as `"` it means what it does without it, but no stray one is told. */
  readonly quote?: string | undefined;
  /** One ASCII character that makes the next one data, inside quotes. */
  readonly escape?: string | undefined;
  /**
   * Numbers and booleans become JSON literals, `null` where a typed column has no value: `auto` by the cells of the first rows, or
   * by name, such as `{ price: "number", id: "text" }`. Without it every value is a string.
   */
  readonly types?: TypesOption | undefined;
};

/** Why options cannot be meant together, or one by itself; undefined if nothing is wrong. Names are those of the command line. */
export function faultIn(options: ReadOptions): string | undefined {
  return faultInOne(options) ?? contradiction(options);
}

const isOneAscii = (text: string) => /^[\t\x20-\x7e\x1c-\x1f]$/.test(text);
const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

function faultInOne(options: ReadOptions) {
  const { delimiter, skipLines, headerLine, skipAfterHeader, comment, names, quote, escape, types } = options;
  if (delimiter !== undefined && delimiter !== "whitespace" && !isOneAscii(delimiter))
    return `--delimiter ${delimiter}: a delimiter is one ASCII character, or whitespace`;
  if (delimiter === '"') return '--delimiter ": a quote cannot be the delimiter';
  if (skipLines !== undefined && !isCount(skipLines)) return `--skip-lines ${skipLines}: a number of lines from 0 on`;
  if (skipAfterHeader !== undefined && !isCount(skipAfterHeader))
    return `--skip-after-header ${skipAfterHeader}: a number of lines from 0 on`;
  if (headerLine === "" || (headerLine !== undefined && /[\r\n]/.test(headerLine)))
    return "--header-line: a piece of one line, and not empty";
  if (comment === "" || (comment !== undefined && /[\r\n]/.test(comment)))
    return "--comment: the beginning of a line, and not empty";
  if (types !== undefined && types !== "auto" && !Object.values(types).every((type) => COLUMN_TYPES.includes(type)))
    return `--types: auto, or for each column one of ${COLUMN_TYPES.join(", ")}`;
  if (names?.length === 0) return "--names: at least one name";
  if (quote !== undefined && quote !== "none" && !isOneAscii(quote))
    return `--quote ${quote}: a quote is one ASCII character, or none`;
  if (escape !== undefined && !isOneAscii(escape)) return `--escape ${escape}: an escape is one ASCII character`;
  return undefined;
}

function contradiction({ delimiter, quote, escape, ...options }: ReadOptions): string | undefined {
  const { skipLines, headerLine, skipAfterHeader, noHeader, names, maxColumns } = options;
  if (skipLines !== undefined && headerLine !== undefined)
    return "--skip-lines and --header-line both say where the header is: take one";
  if (noHeader && headerLine !== undefined) return "--no-header and --header-line contradict each other";
  if (noHeader && skipAfterHeader !== undefined)
    return "--skip-after-header counts from the header, and with --no-header there is none: see --skip-lines";
  if (quote === "none" && escape !== undefined) return "--escape works inside quotes, and --quote none knows none";
  if (quote !== undefined && quote === delimiter) return `--quote and --delimiter are both ${quote}`;
  if (escape !== undefined && escape === delimiter) return `--escape and --delimiter are both ${escape}`;
  if (delimiter === "whitespace" && (quote === " " || quote === "\t"))
    return "--quote cannot be a blank with --delimiter whitespace";
  if (names && maxColumns !== undefined && names.length > maxColumns)
    return `--names: ${names.length} names, and --max-columns is ${maxColumns}`;
  return undefined;
}

/** Whether a text must be rewritten into the plain grammar before it is walked. */
export function isExotic({ delimiter, trim, quote, escape }: ReadOptions): boolean {
  return (
    delimiter === "whitespace" || trim === true || (quote !== undefined && quote !== '"') || isEscaping(escape, quote)
  );
}

const isEscaping = (escape: string | undefined, quote = '"') => escape !== undefined && escape !== quote;
