// What may be meant, but is never guessed: a sentence each, with the option. From the header that was found, and the first records
// under it.
import { isMissing } from "../values/missing.ts";
import { isTyped, shareOf, typedColumns } from "./cells.ts";
import { isHeader, isKey, isOddName, rowsOf } from "./header.ts";
import { commonWidth, type HeadRecord } from "./head.ts";

/** `lineOf`: the line of an offset, from 1. */
export function hintsOf(
  names: readonly string[],
  records: readonly HeadRecord[],
  lineOf: (offset: number) => number,
): readonly string[] {
  if (names.some(isOddName)) return ["the header looks like a row of values: see --no-header"];
  const other = otherHeader(records);
  if (other)
    return [
      `line ${lineOf(other.start)} reads like a header, too: see --skip-lines, --header-line and --skip-after-header`,
    ];
  if (isSaidByOne(names))
    return ["the header looks like a title or a setting: if it is another line, see --skip-lines and --header-line"];
  if (names.length === 1 && isSplitByBlanks(rowsOf(records)))
    return ["blanks seem to separate the cells: see --delimiter whitespace"];
  return [];
}

/** Of three or more names one at most is there, or the first one is a key such as `Owner:`. */
function isSaidByOne(names: readonly string[]): boolean {
  const filled = names.filter((name) => name.trim() !== "");
  return (names.length > 2 && filled.length <= 1) || (names.length > 1 && isKey(names[0]!));
}

/** The first record that has words over all columns of numbers or times. Right under the header one such column is enough. */
function otherHeader(records: readonly HeadRecord[]): HeadRecord | undefined {
  const { width } = commonWidth(records.slice(records.length >> 1));
  const table = records.filter(({ cells }) => cells.length === width);
  const typed = typedColumns(rowsOf(table.slice(table.length >> 1)), width).flatMap((is, c) => (is ? [c] : []));
  if (table.length < 3 || width < 2 || typed.length === 0) return undefined;
  const isWord = (cell: string) => !isMissing(cell) && !isTyped(cell);
  return table.find(({ cells }, r) => {
    const isEnough = r === 0 ? table[0] === records[0] : typed.length > 1;
    return isEnough && typed.every((c) => isWord(cells[c]!)) && isHeader(cells, "some units");
  });
}

/** As many words in each line, three or more, and a column of numbers or times among them; but no cell is one as a whole. */
function isSplitByBlanks(rows: readonly (readonly string[])[]): boolean {
  const split = rows.map((cells) => ({ cells: (cells[0] ?? "").trim().split(/[ \t]+/) }));
  const { width, share } = commonWidth(split);
  if (rows.length < 3 || width < 3 || share < 0.9 || shareOf(rows, 0, isTyped) >= 0.5) return false;
  const even = split.filter(({ cells }) => cells.length === width).map(({ cells }) => cells);
  return typedColumns(even, width).includes(true);
}
