// Marks what the filter was looking for in the cells in view, with the browser's highlights: the cells stay plain text.
import type { Hit } from "./filter.ts";

export type ShownCell = { readonly box: HTMLElement; readonly column: number };

export type Hits = {
  set(hits: readonly Hit[]): void;
  /** The cells in view are these. */
  mark(cells: Iterable<ShownCell>): void;
};

const NAME = "hit";
/** More would not be seen as marks. */
const MAX_MARKS = 2_000;

export function openHits(): Hits {
  let patterns: { readonly column: number | undefined; readonly pattern: RegExp }[] = [];
  const isKnown = "highlights" in CSS; // an older browser marks nothing

  function* rangesIn({ box, column }: ShownCell): Iterable<Range> {
    const text = box.firstChild;
    if (!(text instanceof Text)) return;
    for (const { column: of, pattern } of patterns) {
      if (of !== undefined && of !== column) continue;
      for (const match of text.data.matchAll(pattern)) {
        if (match[0] === "") continue;
        const range = new Range();
        range.setStart(text, match.index);
        range.setEnd(text, match.index + match[0].length);
        yield range;
      }
    }
  }

  return {
    set(hits) {
      patterns = hits.map(({ column, source }) => ({ column, pattern: new RegExp(source, "giu") }));
      if (isKnown && patterns.length === 0) CSS.highlights.delete(NAME);
    },
    mark(cells) {
      if (!isKnown || patterns.length === 0) return;
      const ranges: Range[] = [];
      for (const cell of cells) for (const range of rangesIn(cell)) if (ranges.length < MAX_MARKS) ranges.push(range);
      CSS.highlights.set(NAME, new Highlight(...ranges));
    },
  };
}
