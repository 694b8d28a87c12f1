// Mouse, pen and finger on the table: selecting, sorting by a header, dragging a column's edge.
import type { Grid } from "./grid.ts";
import { HEADER, type Spot } from "./selection.ts";

export type PointerEvents = {
  /** A header was clicked. */
  onSort(column: number): void;
  /** A cell was double-clicked. */
  onOpen(): void;
  /** Its mark was clicked, or it was clicked with the other button. */
  onMenu(column: number, at: { readonly x: number; readonly y: number }): void;
  /** A column is as wide as somebody has dragged it. */
  onWidth(): void;
};

/** Beyond the edge of the table a selection goes on by so many rows a time. */
const DRAG_ROWS = 3;
const DRAG_MS = 40;

export function listenToPointer(grid: Grid, { onSort, onOpen, onMenu, onWidth }: PointerEvents): void {
  const { scroller, layout } = grid;
  let pressed: number | undefined; // the header that was pressed: a click is a press and a release on the same

  scroller.addEventListener("pointerdown", (event) => {
    pressed = undefined;
    if (markedColumn(event) !== undefined) return;
    if (event.button !== 0 || isOnScrollbar(event)) return;
    const edge = grid.edgeAt(event.clientX, event.clientY);
    if (edge !== undefined) return dragEdge(event, edge);
    const spot = grid.spotAt(event.clientX, event.clientY);
    if (spot?.position === HEADER) pressed = layout.shown()[spot.place]?.index;
    if (!spot || event.pointerType === "touch") return; // a finger scrolls; `click` is for it
    if (spot.position !== HEADER) dragSelection(event);
  });

  scroller.addEventListener("click", (event) => {
    const marked = markedColumn(event);
    if (marked !== undefined) return onMenu(marked, { x: event.clientX - 12, y: event.clientY + 12 });
    if (isOnScrollbar(event) || grid.edgeAt(event.clientX, event.clientY) !== undefined) return;
    const spot = grid.spotAt(event.clientX, event.clientY);
    const column = spot && layout.shown()[spot.place];
    if (spot?.position === HEADER && column && column.index === pressed) onSort(column.index);
    else if (spot && isTouch(event)) tap(spot);
  });

  /** A finger on the number of a row opens it. */
  function tap({ position, place }: Spot): void {
    grid.select({ position, place: Math.max(0, place) }, false);
    if (place < 0 && position !== HEADER) onOpen();
  }

  scroller.addEventListener("dblclick", (event) => {
    const edge = grid.edgeAt(event.clientX, event.clientY);
    const spot = grid.spotAt(event.clientX, event.clientY);
    if (edge !== undefined) {
      layout.fit(edge);
      onWidth();
    } else if (spot && spot.position !== HEADER && spot.place >= 0) return onOpen();
    grid.refresh();
  });

  scroller.addEventListener("contextmenu", (event) => {
    const spot = grid.spotAt(event.clientX, event.clientY);
    const column = spot?.position === HEADER ? layout.shown()[spot.place] : undefined;
    if (!column) return; // cells have the browser's own
    event.preventDefault();
    onMenu(column.index, { x: event.clientX, y: event.clientY });
  });

  function isOnScrollbar(event: MouseEvent): boolean {
    const box = scroller.getBoundingClientRect();
    return event.clientX - box.left >= scroller.clientWidth || event.clientY - box.top >= scroller.clientHeight;
  }

  function dragEdge(event: PointerEvent, column: number): void {
    event.preventDefault();
    const before = layout.columns[column]!.width;
    const drag = ({ clientX }: PointerEvent) => {
      layout.setWidth(column, before + clientX - event.clientX);
      grid.refresh();
    };
    follow(event, drag, onWidth);
  }

  function dragSelection(event: PointerEvent): void {
    const spot = grid.spotAt(event.clientX, event.clientY)!;
    scroller.focus();
    if (spot.place === -1) return selectRow(spot.position, event.shiftKey);
    grid.select(spot, event.shiftKey);
    let last = event;
    const beyond = setInterval(() => goBeyond(last), DRAG_MS);
    follow(
      event,
      (moved) => {
        last = moved;
        const over = grid.nearestCell(moved.clientX, moved.clientY);
        if (over) grid.select(over, true);
      },
      () => clearInterval(beyond),
    );
  }

  /** Beyond the edges the selection goes on, the further the pointer is held there. */
  function goBeyond({ clientX, clientY }: PointerEvent): void {
    const { left, right, top, bottom } = scroller.getBoundingClientRect();
    const rows = clientY > bottom ? DRAG_ROWS : clientY < top ? -DRAG_ROWS : 0;
    const columns = clientX > right ? 1 : clientX < left ? -1 : 0;
    const focus = grid.selection.focus();
    if (!focus || (rows === 0 && columns === 0)) return;
    grid.select({ position: Math.max(0, focus.position + rows), place: focus.place + columns }, true);
  }

  function selectRow(position: number, isExtended: boolean): void {
    const last = layout.shown().length - 1;
    const { scrollLeft } = scroller;
    if (!isExtended) grid.select({ position, place: 0 }, false);
    grid.select({ position, place: last }, true);
    scroller.scrollLeft = scrollLeft;
  }

  function follow(event: PointerEvent, onMove: (event: PointerEvent) => void, onEnd = () => {}): void {
    scroller.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent) => onMove(moved);
    const end = () => {
      scroller.removeEventListener("pointermove", move);
      scroller.removeEventListener("lostpointercapture", end);
      onEnd();
    };
    scroller.addEventListener("pointermove", move);
    scroller.addEventListener("lostpointercapture", end);
  }
}

/** The column whose mark is under the pointer. */
function markedColumn({ target }: Event): number | undefined {
  const edge = target instanceof Element && target.classList.contains("mark") ? target.parentElement : null;
  return edge ? Number(edge.dataset["column"]) : undefined;
}

const isTouch = (event: MouseEvent) => event instanceof PointerEvent && event.pointerType === "touch";
