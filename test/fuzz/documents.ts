// Random CSV documents, for the tests that hold two readings of one document against each other.
import type { Random } from "./random.ts";

const DELIMITERS = [",", ";", "\t", "|", "\x1f", " "] as const;
export const PIECES = [
  "a",
  "bc",
  "0",
  "1.5",
  "é",
  "€",
  "😀",
  "\\",
  "/",
  "\0",
  "\x01",
  "\x1b",
  "\x7f",
  "\u0085",
  "\u2028",
  "'",
  "__proto__",
] as const;

export type TestDocument = { text: string; delimiter: string; recordEnd: "\n" | "\r"; newline: "\n" | "\r\n" | "\r" };

/** As papaparse understands it too: quotes where they belong, one record end. */
export function wellFormed(random: Random): TestDocument {
  const delimiter = random.pick(DELIMITERS);
  const newline = random.pick(["\n", "\r\n", "\r"] as const);
  const columns = 1 + random.below(6);
  const cell = () => {
    let text = "";
    while (random.chance(0.6)) text += random.pick([...PIECES, ...DELIMITERS, '"', "\n", "\r", "\r\n", " "]);
    // Blanks before a quote, CRs before a LF and lines of NULs are read otherwise by papaparse: such cells are quoted.
    const isOwn = /^[ \t\0]|\0$/.test(text);
    const needsQuotes = isOwn || /["\r\n]/.test(text) || text.includes(delimiter);
    return needsQuotes || random.chance(0.2) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = () => {
    const ragged = random.chance(0.1) ? random.below(3) - 1 : 0;
    return Array.from({ length: Math.max(1, columns + ragged) }, cell).join(delimiter);
  };
  const lines = Array.from({ length: random.below(12) }, () => (random.chance(0.08) ? "" : line()));
  const text = lines.join(newline) + (random.chance(0.7) ? newline : "");
  return { text, delimiter, newline, recordEnd: newline === "\r" ? "\r" : "\n" };
}

/** Any bytes at all, dense in the ones that mean something. */
export function hostile(random: Random): TestDocument {
  const delimiter = random.pick(DELIMITERS);
  const recordEnd = random.chance(0.85) ? ("\n" as const) : ("\r" as const);
  const soup = [delimiter, delimiter, '"', '"', '""', "\n", "\r\n", "\r", "x", "y", ...PIECES];
  let text = "";
  for (let i = random.below(40); i > 0; i--) text += random.pick(soup);
  return { text, delimiter, recordEnd, newline: "\n" };
}
