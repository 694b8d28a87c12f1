// What was found out about a file, for a person: one line, and what seems odd.
import type { Understanding } from "./document.ts";
import { lineInSource } from "./holes.ts";
import type { Tally } from "./tally.ts";

const DELIMITER_NAMES: Record<string, string> = {
  ",": "comma",
  ";": "semicolon",
  "\t": "tab",
  "|": "pipe",
  " ": "space",
  whitespace: "whitespace",
};
const ENCODING_NAMES: Record<string, string> = { "utf-8": "UTF-8", "utf-16le": "UTF-16LE", "utf-16be": "UTF-16BE" };

const nameOf = (encoding: string) => ENCODING_NAMES[encoding] ?? encoding;

/** The verdict for a person: `comma, UTF-8`, `TOA5, comma, UTF-8, header in line 2 (1 line skipped)`. */
export function describeDialect({ dialect, encoding }: Understanding): string {
  const { delimiter, columns, headerLine, skippedLines, format } = dialect;
  const skipped = `${skippedLines} line${skippedLines === 1 ? "" : "s"} skipped`;
  const parts = [
    ...(format ? [format] : []),
    DELIMITER_NAMES[delimiter] ?? JSON.stringify(delimiter),
    nameOf(encoding),
  ];
  if (headerLine !== undefined && skippedLines > 0) parts.push(`header in line ${headerLine} (${skipped})`);
  if (headerLine === undefined && columns.length > 0)
    parts.push(skippedLines > 0 ? `no header (${skipped})` : "no header");
  return parts.join(", ");
}

/** What of a table the warnings are made from. */
export type Warned = { tally(): Tally; lineAt(offset: number): number };

/**
 * What seems odd: a sentence each, with the line and the option that may be meant. `lines` keeps the lines of offsets from one call
 * to the next, as finding them takes a walk: whoever changes the text before them clears it.
 */
export function warningsOf(
  { dialect, encoding, replaced, replacedAt, holes, cuts, encodingHint }: Understanding,
  table: Warned,
  lines: Map<number, number> = new Map(),
): string[] {
  const { columns, headerLine, renamed, hints } = dialect;
  const { surplus, firstSurplus, again, strayAt } = table.tally();
  const warnings: string[] = [];
  const line = (offset: number) => {
    const found = lines.get(offset) ?? lineInSource(table.lineAt(offset), offset, cuts);
    lines.set(offset, found);
    return found;
  };
  if (renamed > 0) warnings.push(`${plural(renamed, "column")} renamed: the name was there already`);
  if (surplus > 0) warnings.push(`${plural(surplus, "cell")} dropped: beyond the last column of the header`);
  if (firstSurplus) {
    const header = headerLine === undefined ? "the first row" : `the header (line ${headerLine})`;
    const width = `line ${line(firstSurplus.start)} has ${plural(firstSurplus.fields, "cell")}, ${header} has ${columns.length}`;
    const option =
      headerLine === undefined ? "" : ": if the header is another line, see --skip-lines and --header-line";
    warnings.push(`${width}${option}`);
  }
  if (strayAt !== -1) warnings.push(`line ${line(strayAt)}: a stray quote is taken as it stands: see --quote none`);
  if (again > 0) warnings.push(`${plural(again, "record")} skipped: the header again`);
  if (replaced > 0)
    warnings.push(
      `${plural(replaced, "character")} replaced: not valid in ${nameOf(encoding)}, the first in line ${line(replacedAt)}`,
    );
  if (holes > 0)
    warnings.push(`${plural(holes, "byte")} skipped: a hole of NULs, where the file was cut or preallocated`);
  return [...warnings, ...hints, ...(encodingHint ? [encodingHint] : [])];
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
