// What was found out about a file, for a person: one line, and what seems odd.
import type { CsvDocument } from "./document.ts";

const DELIMITER_NAMES: Record<string, string> = {
  ",": "comma",
  ";": "semicolon",
  "\t": "tab",
  "|": "pipe",
  " ": "space",
  whitespace: "whitespace",
};
const ENCODING_NAMES: Record<string, string> = { "utf-8": "UTF-8", "utf-16le": "UTF-16LE", "utf-16be": "UTF-16BE" };

/** The verdict for a person: `comma, UTF-8`, `TOA5, comma, UTF-8, header in line 2 (1 line skipped)`. */
export function describeDialect({ dialect, encoding }: CsvDocument): string {
  const { delimiter, columns, headerLine, skippedLines, format } = dialect;
  const skipped = `${skippedLines} line${skippedLines === 1 ? "" : "s"} skipped`;
  const parts = [
    ...(format ? [format] : []),
    DELIMITER_NAMES[delimiter] ?? JSON.stringify(delimiter),
    ENCODING_NAMES[encoding] ?? encoding,
  ];
  if (headerLine !== undefined && skippedLines > 0) parts.push(`header in line ${headerLine} (${skipped})`);
  if (headerLine === undefined && columns.length > 0)
    parts.push(skippedLines > 0 ? `no header (${skipped})` : "no header");
  return parts.join(", ");
}
