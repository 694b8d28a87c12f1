// The words that programs write where there is no value. In a column of text they are text.

const WORDS: ReadonlySet<string> = new Set([
  "",
  "-",
  ".", // SAS, Stata
  "?", // ARFF
  "na",
  "n/a",
  "#n/a", // spreadsheets
  "[n/a]", // nvidia-smi
  "[not supported]",
  "<na>", // pandas
  "n.a.",
  "nan", // IEEE 754; JSON.stringify writes null, too
  "-nan", // printf of C
  "nan(ind)", // and of Windows
  "-nan(ind)",
  "null",
  "(null)",
  "\\n", // \N of MySQL and PostgreSQL
  "none", // Python
  "nil",
  "undef",
  "undefined",
  "nodata",
  "no data",
  "missing",
  "unavailable", // Home Assistant
  "unknown",
  "not available",
]);

/** Longer cells, the blanks around them included, are looked at no further. */
const MAX_LENGTH = 60;

/** Whether a cell says that there is no value: nothing, a word like `NA` in any case, or dashes alone. Blanks do not count. */
export function isMissing(cell: string): boolean {
  if (cell === "") return true;
  if (cell.length > MAX_LENGTH) return cell.trim() === "";
  const word = cell.trim().toLowerCase();
  return WORDS.has(word) || /^-+$/.test(word);
}
