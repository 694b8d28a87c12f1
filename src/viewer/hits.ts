// Marks what the filter was looking for in the cells in view, with the browser's highlights: the cells stay plain text.
import type { Hit } from "./filter.ts";

export type ShownCell = { readonly box: HTMLElement; readonly column: number };

export type Hits = {
  set(hits: readonly Hit[]): void;
  /** The cells in view are these. */
  mark(cells: Iterable<ShownCell>): void;
};

const NAME = "hit";
/** Here, as bundlers do not know the selector yet (CSS Custom Highlight API, section 4). */
const STYLE = `::highlight(${NAME}) { background-color: var(--hit); color: var(--text); }`;
/** More would not be seen as marks. */
const MAX_MARKS = 2_000;

export function openHits(): Hits {
  let patterns: { readonly column: number | undefined; readonly pattern: RegExp }[] = [];
  const isKnown = "highlights" in CSS; // an older browser marks nothing
  if (isKnown) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets.push(sheet);
  }

  /** Static ones: rows are put into another place of the page, and a live range would stay where they were. */
  function* rangesIn({ box, column }: ShownCell): Iterable<StaticRange> {
    const text = box.firstChild;
    if (!(text instanceof Text)) return;
    for (const { column: of, pattern } of patterns) {
      if (of !== undefined && of !== column) continue;
      for (const match of text.data.matchAll(pattern)) {
        if (match[0] === "") continue;
        const [startOffset, endOffset] = [match.index, match.index + match[0].length];
        const range = new StaticRange({ startContainer: text, startOffset, endContainer: text, endOffset });
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
      const ranges: StaticRange[] = [];
      for (const cell of cells) for (const range of rangesIn(cell)) if (ranges.length < MAX_MARKS) ranges.push(range);
      CSS.highlights.set(NAME, new Highlight(...ranges));
    },
  };
}
