// Marks what the filter has found in the cells in view with the browser's highlights: the cells stay plain text.

/** `hits` as of `hitsIn`. */
export type ShownCell = { readonly box: HTMLElement; readonly hits: readonly number[] };

export type Marks = {
  /** The cells in view are these. */
  mark(cells: Iterable<ShownCell>): void;
};

const NAME = "hit";
/** Here, as bundlers do not know the selector yet (CSS Custom Highlight API, section 4). */
const STYLE = `::highlight(${NAME}) { background-color: var(--hit); color: var(--text); }`;
/** More would not be seen as marks. */
const MAX_MARKS = 2_000;

export function openMarks(): Marks {
  const isKnown = "highlights" in CSS; // an older browser marks nothing
  if (isKnown) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets.push(sheet);
  }

  /** Static ones: rows are put into another place of the page, and a live range would stay where they were. */
  function* rangesIn({ box, hits }: ShownCell): Iterable<StaticRange> {
    const text = box.firstChild;
    if (!(text instanceof Text)) return;
    for (let i = 0; i < hits.length; i += 2)
      yield new StaticRange({
        startContainer: text,
        startOffset: hits[i]!,
        endContainer: text,
        endOffset: hits[i + 1]!,
      });
  }

  return {
    mark(cells) {
      if (!isKnown) return;
      const ranges: StaticRange[] = [];
      for (const cell of cells) for (const range of rangesIn(cell)) if (ranges.length < MAX_MARKS) ranges.push(range);
      if (ranges.length > 0) CSS.highlights.set(NAME, new Highlight(...ranges));
      else CSS.highlights.delete(NAME);
    },
  };
}
