// The table on the page: a layer as large as the view, in which the rows in view are drawn, over something that scrolls. Asks for what
// comes into view, keeps in place what a person looks at when rows come and go, and follows the end if asked to.
import { element } from "./dom.ts";
import { type Layout, openLayout } from "./layout.ts";
import type { ColumnFacts, Frame, Look, Mark } from "./messages.ts";
import { openRows, ROW_HEIGHT, type Scene } from "./rows.ts";
import { openScroll } from "./scroll.ts";
import { HEADER, openSelection, type Selection, type Spot } from "./selection.ts";

export type Grid = {
  /** What has the focus for the keyboard. */
  readonly scroller: HTMLElement;
  readonly layout: Layout;
  readonly selection: Selection;
  takeColumns(generation: number, columns: readonly ColumnFacts[]): void;
  takeFrame(frame: Frame): void;
  setSort(sort: Scene["sort"]): void;
  follow(isFollowing: boolean): void;
  isFollowing(): boolean;
  /** What the table shows there, if it is in view. */
  textAt(spot: Spot): string;
  /** How many rows are shown, and how many of them fit. */
  count(): number;
  rowsInView(): number;
  /** Puts the focus on a cell and brings it into view. */
  select(spot: Spot, isExtended: boolean): void;
  /** The cell or header at a point of the window, if there is one; `place` is -1 for the row numbers. */
  spotAt(x: number, y: number): Spot | undefined;
  /** The column whose right edge is there, in the header. */
  edgeAt(x: number, y: number): number | undefined;
  scrollBy(rows: number): void;
  /** After widths, hidden columns or the selection have changed. */
  refresh(): void;
};

export type GridEvents = {
  onLook(look: Look): void;
  onFollowing(isFollowing: boolean): void;
  onSelected(): void;
};

/** Rows beyond the view that are there already when it is scrolled. */
const SPARE_ROWS = 40;
const SPARE_COLUMNS = 3;
const REST_MS = 150;

export function openGrid(host: HTMLElement, { onLook, onFollowing, onSelected }: GridEvents): Grid {
  const layer = element("div", { class: "layer", role: "presentation" });
  const sized = element("div", { role: "presentation" }, layer);
  const scroller = element("div", { class: "scroller", role: "grid", tabindex: 0, "aria-label": "Table" }, sized);
  scroller.setAttribute("aria-readonly", "true");
  scroller.setAttribute("aria-multiselectable", "true");
  host.prepend(scroller);
  const layout = openLayout(measuring());
  const scroll = openScroll();
  const selection = openSelection(markAt);
  const rows = openRows(layer, () => performance.now(), refresh);
  let frame: Frame | undefined;
  let generation = -1;
  let sort: Scene["sort"];
  let isFollowing = false;
  let isAsking = false;
  let isDrawing = false;
  let resting: ReturnType<typeof setTimeout> | undefined;
  let size = { width: 0, height: 0 };

  new ResizeObserver(arrange).observe(scroller);
  scroller.addEventListener("scroll", scrolled, { passive: true });

  const count = () => frame?.count ?? 0;
  const bodyHeight = () => Math.max(0, size.height - ROW_HEIGHT);
  const gutter = () => Math.max(40, (frame?.total ?? 0).toLocaleString("en-US").length * 8 + 18);
  const firstInView = () => Math.floor(scroll.top() / ROW_HEIGHT);
  const endOfView = () => Math.min(count(), Math.ceil((scroll.top() + bodyHeight()) / ROW_HEIGHT));

  function markAt(position: number): Mark | undefined {
    const row = frame?.rows[position - frame.from];
    return row && frame && position >= frame.from ? { row: row.row, version: frame.version } : undefined;
  }

  /** Sizes and where things are; then all is drawn. */
  function arrange(): void {
    measure();
    if (isResized()) measure(); // bars have come or gone
    goTo(isFollowing ? scroll.end() : scroll.top());
    scroller.setAttribute("aria-rowcount", String(count() + 1));
    scroller.setAttribute("aria-colcount", String(layout.shown().length));
    refresh();
    ask();
  }

  const isResized = () => scroller.clientHeight !== size.height || scroller.clientWidth !== size.width;

  function measure(): void {
    size = { width: scroller.clientWidth, height: scroller.clientHeight };
    scroll.resize(count() * ROW_HEIGHT, bodyHeight());
    sized.style.height = `${scroll.height() + ROW_HEIGHT}px`;
    sized.style.width = `${layout.left(layout.shown().length) + gutter()}px`;
    layer.style.width = `${size.width}px`;
    layer.style.height = `${size.height}px`;
  }

  function refresh(): void {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      draw();
    });
  }

  function placesInView(): { from: number; to: number } {
    return layout.inView(scroller.scrollLeft, Math.max(0, size.width - gutter()));
  }

  function draw(): void {
    const { from, to } = placesInView();
    const at = { first: firstInView(), last: endOfView(), top: scroll.top(), from, to };
    rows.draw({ frame, layout, selection, sort, ...at, scrollLeft: scroller.scrollLeft, gutter: gutter() });
    if (selection.focus()) scroller.setAttribute("aria-activedescendant", rows.focusId);
    else scroller.removeAttribute("aria-activedescendant");
  }

  function scrolled(): void {
    // A view of another size moves the bar by itself.
    if (isResized()) return arrange();
    const before = scroll.top();
    scroll.barMoved(scroller.scrollTop);
    const isAtEnd = scroll.top() >= scroll.end() - 1;
    if (scroll.top() < before && isFollowing && !isAtEnd) setFollowing(false);
    if (scroll.top() > before && !isFollowing && isAtEnd) setFollowing(true);
    correct(false);
    clearTimeout(resting);
    resting = setTimeout(() => correct(true), REST_MS);
    refresh();
    ask();
  }

  function correct(isResting: boolean): void {
    const bar = scroll.correction(isResting);
    if (bar !== undefined) putBar(bar);
  }

  function putBar(bar: number): void {
    scroller.scrollTop = bar;
    scroll.barPut(scroller.scrollTop);
  }

  function goTo(top: number): void {
    putBar(scroll.goTo(top));
  }

  function setFollowing(next: boolean): void {
    if (isFollowing === next) return;
    isFollowing = next;
    onFollowing(next);
  }

  /** Asks for what is in view if it is not there; else to be told when it changes. */
  function ask(): void {
    if (generation === -1 || isAsking || size.height === 0) return;
    const first = firstInView();
    const last = Math.max(endOfView(), first + Math.ceil(bodyHeight() / ROW_HEIGHT));
    const shown = layout.shown();
    const { from, to } = placesInView();
    const inView = shown.slice(from, to).map(({ index }) => index);
    const columns = shown.slice(Math.max(0, from - SPARE_COLUMNS), to + SPARE_COLUMNS).map(({ index }) => index);
    isAsking = !covers(first, Math.min(last, count()), inView);
    const top = markAt(first);
    const isAtTop = scroll.top() < 1;
    const anchor = isFollowing ? "end" : isAtTop || !top ? "none" : { mark: top, position: first };
    const range = { from: Math.max(0, first - SPARE_ROWS), to: last + SPARE_ROWS };
    if (isFollowing && !isAsking) range.to = Math.max(count(), 1);
    onLook({
      version: frame?.version ?? -1,
      generation,
      ...range,
      columns,
      anchor: anchor === "end" && isAsking ? "none" : anchor,
      marks: selection.marks(),
      selection: selection.id,
      isMissing: isAsking,
    });
  }

  function covers(first: number, last: number, columns: readonly number[]): boolean {
    if (!frame || frame.generation !== generation) return false;
    const has = new Set(frame.columns);
    return first >= frame.from && last <= frame.from + frame.rows.length && columns.every((column) => has.has(column));
  }

  function takeFrame(next: Frame): void {
    isAsking = false;
    if (next.generation !== generation) return ask();
    frame = next;
    selection.take(next);
    if (next.shift !== 0 && !isFollowing) {
      scroll.resize(next.count * ROW_HEIGHT, bodyHeight());
      goTo(scroll.top() + next.shift * ROW_HEIGHT);
    }
    arrange();
    if (selection.focus()) onSelected();
  }

  function select(spot: Spot, isExtended: boolean): void {
    const last = layout.shown().length - 1;
    const bounded = {
      position: Math.max(HEADER, Math.min(spot.position, count() - 1)),
      place: Math.max(0, Math.min(spot.place, last)),
    };
    if (last < 0) return;
    selection.put(bounded, isExtended);
    reveal(bounded);
    onSelected();
    refresh();
    ask();
  }

  function reveal({ position, place }: Spot): void {
    const y = position * ROW_HEIGHT;
    const before = scroll.top();
    if (position !== HEADER && y < before) goTo(y);
    else if (position !== HEADER && y + ROW_HEIGHT > before + bodyHeight()) goTo(y + ROW_HEIGHT - bodyHeight());
    if (scroll.top() < before) setFollowing(false);
    else if (scroll.top() > before && scroll.top() >= scroll.end() - 1) setFollowing(true);
    const left = layout.left(place);
    const room = size.width - gutter();
    if (left < scroller.scrollLeft) scroller.scrollLeft = left;
    else if (layout.left(place + 1) > scroller.scrollLeft + room)
      scroller.scrollLeft = Math.min(left, layout.left(place + 1) - room);
  }

  function pointIn(x: number, y: number) {
    const box = scroller.getBoundingClientRect();
    return { x: x - box.left - gutter() + scroller.scrollLeft, y: y - box.top, isGutter: x - box.left < gutter() };
  }

  return {
    scroller,
    layout,
    selection,
    takeColumns(next, columns) {
      if (next !== generation) {
        frame = undefined;
        selection.clear();
        isAsking = false;
      }
      generation = next;
      layout.take(columns);
      arrange();
    },
    takeFrame,
    setSort(next) {
      sort = next;
      refresh();
    },
    follow(next) {
      setFollowing(next);
      if (next) goTo(scroll.end());
      arrange();
    },
    isFollowing: () => isFollowing,
    textAt({ position, place }) {
      const index = layout.shown()[place]?.index;
      const at = frame?.columns.findIndex((column) => column === index) ?? -1;
      return frame?.rows[position - frame.from]?.cells[at] ?? "";
    },
    count,
    rowsInView: () => Math.max(1, Math.floor(bodyHeight() / ROW_HEIGHT)),
    select,
    spotAt(clientX, clientY) {
      const { x, y, isGutter } = pointIn(clientX, clientY);
      const { from } = layout.inView(Math.max(0, x), 0);
      const isBeside = !isGutter && x >= layout.left(layout.shown().length);
      const position = y < ROW_HEIGHT ? HEADER : Math.floor((y - ROW_HEIGHT + scroll.top()) / ROW_HEIGHT);
      if (isBeside || position >= count()) return undefined;
      return { position, place: isGutter ? -1 : from };
    },
    edgeAt(clientX, clientY) {
      const { x, y, isGutter } = pointIn(clientX, clientY);
      if (y < 0 || y >= ROW_HEIGHT || isGutter) return undefined;
      const { from } = layout.inView(Math.max(0, x - 5), 0);
      const place = [from, from - 1].find((near) => near >= 0 && Math.abs(layout.left(near + 1) - x) <= 5);
      return place === undefined ? undefined : layout.shown()[place]?.index;
    },
    scrollBy(by) {
      const before = scroll.top();
      goTo(before + by * ROW_HEIGHT);
      if (scroll.top() < before) setFollowing(false);
      refresh();
      ask();
    },
    refresh: arrange,
  };
}

/** The width of a text in the font of the table. */
function measuring(): (text: string, isBold: boolean) => number {
  const context = document.createElement("canvas").getContext("2d");
  const { fontFamily, fontSize } = getComputedStyle(document.body);
  const known = new Map<string, number>();
  return (text, isBold) => {
    const font = `${isBold ? "600" : "400"} ${fontSize} ${fontFamily}`;
    const key = font + text;
    let width = known.get(key);
    if (width === undefined && context) {
      if (context.font !== font) context.font = font;
      width = context.measureText(text).width;
      if (known.size > 20_000) known.clear();
      known.set(key, width);
    }
    return width ?? text.length * 7;
  };
}
