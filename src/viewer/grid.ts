// The table on the page: a layer as large as the view, in which the rows in view are drawn, over something that scrolls. Asks for what
// comes into view, keeps in place what a person looks at when rows come and go, and follows the end if asked to.
import { type HitTest, openHitTest } from "./hit.ts";
import { type Layout, openLayout } from "./layout.ts";
import { number } from "./captions.ts";
import type { ColumnFacts, Frame, Look, Mark } from "./messages.ts";
import { openRows, ROW_HEIGHT, type Scene } from "./rows.ts";
import { measuring } from "./measure.ts";
import { HEADER, openSelection, type Selection, type Spot } from "./selection.ts";
import { openViewport } from "./viewport.ts";

export type Grid = HitTest & {
  /** What has the focus for the keyboard. */
  readonly scroller: HTMLElement;
  readonly layout: Layout;
  readonly selection: Selection;
  takeColumns(generation: number, columns: readonly ColumnFacts[]): void;
  takeFrame(frame: Frame): void;
  setSort(sort: Scene["sort"]): void;
  /** Stays where new rows come: at the end, or at the top of a descending order. */
  follow(isFollowing: boolean): void;
  isFollowing(): boolean;
  /** New rows come at the top. */
  isNewestFirst(): boolean;
  /** How many rows have come out of sight. */
  unseen(): number;
  /** What there is to print: all that is shown, or, of more rows than that, those from the first in view. */
  lookAtAll(most: number): Look;
  /** The rows that are here. */
  frame(): Frame | undefined;
  /** What the table shows there, if it is in view. */
  textAt(spot: Spot): string;
  /** How many rows are shown, and how many of them fit. */
  count(): number;
  rowsInView(): number;
  /** Puts the focus on a cell and brings it into view. */
  select(spot: Spot, isExtended: boolean): void;
  /** After widths, hidden columns or the selection have changed. */
  refresh(): void;
};

export type GridEvents = {
  onLook(look: Look): void;
  onFollowing(isFollowing: boolean): void;
  onSelected(): void;
  /** Other rows are in view, or the same elsewhere. */
  onDrawn(): void;
};

/** Rows and columns beyond the view that are there already when it is scrolled. */
const SPARE_ROWS = 40;
const SPARE_COLUMNS = 3;
const MIN_GUTTER = 40;
/** Of the height of a row. */
const DIGIT = 8 / 26;

/** `rowHeight` in px. */
export function openGrid(host: HTMLElement, rowHeight: number, events: GridEvents): Grid {
  const { onLook, onFollowing, onSelected, onDrawn } = events;
  let frame: Frame | undefined;
  let generation = -1;
  let sort: Scene["sort"];
  let isFollowing = false;
  let isAsking = false;
  let isDrawing = false;
  let seen: number | undefined; // the last row of the file when rows that came were seen the last time
  let unseen = 0;

  const gutter = () => Math.max(MIN_GUTTER, number(frame?.total ?? 0).length * DIGIT * rowHeight + 18);
  const layout = openLayout(measuring(), rowHeight / ROW_HEIGHT);
  const selection = openSelection(markAt, layout);
  const view = openViewport(host, { head: rowHeight, gutter, onScrolled, onResized: () => arrange() });
  const rows = openRows(view.layer, () => performance.now(), redraw);

  const count = () => frame?.count ?? 0;
  const firstInView = () => Math.floor(view.top() / rowHeight);
  const endOfView = () => Math.min(count(), Math.ceil((view.top() + view.height()) / rowHeight));
  const placesInView = () => layout.inView(view.left(), view.width());

  function markAt(position: number): Mark | undefined {
    const row = frame?.rows[position - frame.from];
    return row && frame ? { row: row.row, version: frame.version } : undefined;
  }

  /** Sizes and where things are; then all is drawn. `shift`: so many rows what is looked at has moved. */
  function arrange(shift = 0): void {
    view.resize({ height: count() * rowHeight, width: layout.left(layout.shown().length) });
    if (isFollowing) goToNewest();
    else if (shift !== 0) view.goTo(view.top() + shift * rowHeight);
    view.scroller.setAttribute("aria-rowcount", String(count() + 1));
    view.scroller.setAttribute("aria-colcount", String(layout.shown().length));
    redraw();
    ask();
  }

  const isNewestFirst = () => sort?.descending === true;
  const isAtNewest = () => (isNewestFirst() ? view.top() < 1 : view.isAtEnd());

  function goToNewest(): void {
    if (isNewestFirst()) view.goTo(0);
    else view.goToEnd();
  }

  function redraw(): void {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      draw();
    });
  }

  function draw(): void {
    const inView = { first: firstInView(), last: endOfView(), ...placesInView() };
    const at = { top: view.top(), scrollLeft: view.left(), gutter: gutter() };
    rows.draw({ frame, layout, selection, sort, rowHeight, ...inView, ...at });
    onDrawn();
    if (selection.focus()) view.scroller.setAttribute("aria-activedescendant", rows.focusId);
    else view.scroller.removeAttribute("aria-activedescendant");
  }

  function onScrolled(by: number): void {
    followAfter(by);
    redraw();
    ask();
  }

  /** As a terminal does: up lets go, and the very end holds on. */
  function followAfter(by: number): void {
    const towards = isNewestFirst() ? -by : by;
    if (towards < 0 && !isAtNewest()) setFollowing(false);
    if (towards > 0 && isAtNewest()) setFollowing(true);
  }

  function setFollowing(next: boolean): void {
    if (isFollowing === next) return;
    isFollowing = next;
    onFollowing(next);
  }

  /** What is there has been seen, or nothing is known of what has. */
  function see(): void {
    seen = frame?.isWhole ? frame.total - 1 : undefined;
    unseen = 0;
  }

  /** Asks for what is in view if it is not there; else to be told when it changes. */
  function ask(): void {
    if (isAtNewest()) see();
    if (generation === -1 || isAsking || view.height() === 0) return;
    const first = firstInView();
    const last = first + Math.ceil(view.height() / rowHeight) + 1;
    const shown = layout.shown();
    const { from, to } = placesInView();
    const pinned = layout.pinned();
    const indexes = (first: number, end: number) =>
      [...shown.slice(0, pinned), ...shown.slice(Math.max(pinned, first), end)].map(({ index }) => index);
    const columns = indexes(from - SPARE_COLUMNS, to + SPARE_COLUMNS);
    const inView = indexes(from, to);
    isAsking = !covers(first, Math.min(endOfView(), count()), inView);
    const boundToEnd = isFollowing && !isAsking && !isNewestFirst();
    onLook({
      ...lookAt(Math.max(0, first - SPARE_ROWS), boundToEnd ? count() : last + SPARE_ROWS, columns),
      anchor: boundToEnd ? "end" : anchorAt(first),
      isMissing: isAsking,
    });
  }

  function lookAt(from: number, to: number, columns: readonly number[]): Look {
    const version = frame?.version ?? -1;
    return {
      version,
      generation,
      from,
      to,
      columns,
      anchor: "none",
      marks: selection.marks(),
      selection: selection.id,
      seen: seen === undefined ? undefined : { row: seen, version, isNewestFirst: isNewestFirst() },
      isMissing: true,
    };
  }

  function lookAtAll(most: number): Look {
    const from = count() <= most ? 0 : Math.min(firstInView(), count() - most);
    const columns = layout.shown().map(({ index }) => index);
    return lookAt(from, from + most, columns);
  }

  /** At the top of the table what comes there is to be seen; elsewhere what is seen stays where it is. */
  function anchorAt(position: number): Look["anchor"] {
    const mark = view.top() < 1 || isFollowing ? undefined : markAt(position);
    return mark ? { mark, position } : "none";
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
    if (!next.unseen || !next.isWhole) see();
    else ({ last: seen, count: unseen } = next.unseen);
    next.columns.forEach((column, i) =>
      layout.widen(
        column,
        next.rows.map((row) => row.cells[i]!),
      ),
    );
    selection.take(next);
    arrange(next.shift);
    if (selection.focus()) onSelected();
  }

  function select(spot: Spot, isExtended: boolean): void {
    const last = layout.shown().length - 1;
    if (last < 0) return;
    const bounded = {
      position: Math.max(HEADER, Math.min(spot.position, count() - 1)),
      place: Math.max(0, Math.min(spot.place, last)),
    };
    selection.put(bounded, isExtended);
    reveal(bounded);
    onSelected();
    redraw();
    ask();
  }

  function reveal({ position, place }: Spot): void {
    const y = position * rowHeight;
    const before = view.top();
    if (position !== HEADER && y < before) view.goTo(y);
    else if (position !== HEADER && y + rowHeight > before + view.height()) view.goTo(y + rowHeight - view.height());
    followAfter(view.top() - before);
    if (place < layout.pinned()) return;
    const left = layout.left(place) - layout.pinnedWidth();
    if (left < view.left()) view.setLeft(left);
    else if (layout.left(place + 1) > view.left() + view.width())
      view.setLeft(Math.min(left, layout.left(place + 1) - view.width()));
  }

  return {
    scroller: view.scroller,
    layout,
    selection,
    takeColumns(next, columns) {
      if (next !== generation) {
        frame = undefined;
        see();
        selection.clear();
        isAsking = false;
      }
      generation = next;
      layout.take(columns);
      arrange();
      onSelected();
    },
    takeFrame,
    setSort(next) {
      sort = next;
      if (isFollowing) arrange();
      redraw();
    },
    follow(next) {
      setFollowing(next);
      arrange();
    },
    isFollowing: () => isFollowing,
    isNewestFirst,
    frame: () => frame,
    unseen: () => unseen,
    lookAtAll,
    textAt({ position, place }) {
      const index = layout.shown()[place]?.index;
      const at = frame?.columns.findIndex((column) => column === index) ?? -1;
      return frame?.rows[position - frame.from]?.cells[at] ?? "";
    },
    count,
    rowsInView: () => Math.max(1, Math.floor(view.height() / rowHeight)),
    select,
    ...openHitTest(view, layout, gutter, count, rowHeight),
    refresh() {
      arrange();
      onSelected();
    },
  };
}
