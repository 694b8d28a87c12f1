// Draws the header and the rows in view, into elements that are used again: a row that stays in view keeps its element.
import { number } from "./captions.ts";
import { shownText } from "./cells.ts";
import { element } from "./dom.ts";
import { FLASH_MS } from "./flashes.ts";
import type { Column, Layout } from "./layout.ts";
import { openMarks } from "./marks.ts";
import type { Frame, FrameFlash, FrameRow } from "./messages.ts";
import { HEADER, type Selection } from "./selection.ts";

/** In px, where nothing else is said. */
export const ROW_HEIGHT = 26;
/** After so long without a change of what is drawn. */
const REST_MS = 300;

/** What is to be drawn. */
export type Scene = {
  readonly frame: Frame | undefined;
  readonly layout: Layout;
  readonly selection: Selection;
  readonly sort: { readonly column: string; readonly descending: boolean } | undefined;
  /** Positions in view, `[first, last)`, and the px of the table that is at the top. */
  readonly first: number;
  readonly last: number;
  readonly top: number;
  /** Places of columns in view, `[from, to)`. */
  readonly from: number;
  readonly to: number;
  readonly scrollLeft: number;
  readonly gutter: number;
  readonly rowHeight: number;
};

type CellBox = { readonly box: HTMLElement; hits: readonly number[]; text: string; style: string; kind: string };
type RowBox = {
  readonly box: HTMLElement;
  readonly number: HTMLElement;
  readonly cells: HTMLElement;
  readonly boxes: CellBox[];
  row: number;
  position: number;
};

export type Rows = {
  draw(scene: Scene): void;
  /** The element of the focus, for screen readers. */
  readonly focusId: string;
};

export function openRows(layer: HTMLElement, now: () => number, redraw: () => void): Rows {
  const head = element("div", { class: "head", role: "row", "aria-rowindex": 1 });
  const corner = element("div", { class: "number", role: "columnheader", title: "Row" }, "#");
  const headCells = element("div", { class: "cells", role: "presentation" });
  const body = element("div", { role: "rowgroup" });
  const headBoxes: CellBox[] = [];
  const edges: HTMLElement[] = [];
  head.append(headCells, corner);
  layer.append(element("div", { role: "rowgroup" }, head), body);
  let used = new Map<number, RowBox>();
  const free: RowBox[] = [];
  const marks = openMarks();
  let drawnFrame: Frame | undefined;
  let drawnAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let resting: ReturnType<typeof setTimeout> | undefined;

  function draw(scene: Scene): void {
    if (scene.frame !== drawnFrame) drawnAt = now();
    drawnFrame = scene.frame;
    layer.style.setProperty("--x", `${scene.gutter - scene.scrollLeft}px`);
    layer.style.setProperty("--scrolled", `${scene.scrollLeft}px`);
    drawHead(scene);
    drawBody(scene);
    marks.mark(cellsInView());
  }

  function* cellsInView(): Iterable<CellBox> {
    for (const { boxes } of used.values()) for (const cell of boxes) if (!cell.box.hidden) yield cell;
  }

  function drawHead(scene: Scene): void {
    const { layout, sort, selection, gutter } = scene;
    corner.style.width = `${gutter}px`;
    const shown = layout.shown();
    const places = placesOf(scene);
    const focus = selection.focus();
    fill(headCells, headBoxes, places.length, () => ({ box: element("div", { role: "columnheader" }), ...EMPTY }));
    while (edges.length < places.length) headCells.append((edges[edges.length] = newEdge()));
    headBoxes.forEach((cell, i) => {
      const place = places[i] ?? -1;
      const column = shown[place];
      cell.box.hidden = edges[i]!.hidden = !column;
      if (!column) return;
      put(cell, shownText(column.name), layout, place, column);
      const isFocus = focus?.position === HEADER && focus.place === place;
      setKind(cell, kindOf(column, isFocus ? " focus" : ""));
      cell.box.id = isFocus ? "focus" : "";
      const direction = sort?.descending ? "descending" : "ascending";
      cell.box.setAttribute("aria-sort", sort?.column === column.name ? direction : "none");
      cell.box.setAttribute("aria-colindex", String(place + 1));
      cell.box.title = shownText(column.name);
      putEdge(edges[i]!, column, layout.left(place + 1));
    });
    for (let i = places.length; i < edges.length; i++) edges[i]!.hidden = true;
  }

  function drawBody(scene: Scene): void {
    const { frame, first, last } = scene;
    const before = used;
    used = new Map();
    let flashLeft = 0;
    const shown: { readonly position: number; readonly row: FrameRow }[] = [];
    for (let position = first; position < last; position++) {
      const row = frame?.rows[position - frame.from];
      if (row && position >= frame.from) shown.push({ position, row });
    }
    const wanted = new Set(shown.map(({ row }) => row.row));
    for (const [row, box] of before) if (!wanted.has(row)) free.push(box);
    for (const { position, row } of shown) {
      const box = before.get(row.row) ?? free.pop() ?? newRow();
      used.set(row.row, box);
      const flash = row.flash && { ...row.flash, ms: row.flash.ms + now() - drawnAt };
      if (flash) flashLeft = Math.max(flashLeft, FLASH_MS - flash.ms);
      drawRow(box, position, row, flash, scene);
    }
    for (const box of free) box.box.hidden = true;
    clearTimeout(resting);
    resting = setTimeout(inOrder, REST_MS);
    if (flashLeft > 0) timer ??= setTimeout(() => ((timer = undefined), redraw()), flashLeft + 10);
  }

  /** Elements that are used again come out of order, and a screen reader reads them as they stand. */
  function inOrder(): void {
    const wanted = [...used.values()].sort((a, b) => a.position - b.position).map(({ box }) => box);
    const isInOrder = [...body.children]
      .filter((child) => !(child as HTMLElement).hidden)
      .every((box, i) => box === wanted[i]);
    if (!isInOrder) body.append(...wanted);
  }

  function newRow(): RowBox {
    const number = element("div", { class: "number", role: "rowheader" });
    const cells = element("div", { class: "cells", role: "presentation" });
    const box = element("div", { class: "row", role: "row" }, cells, number);
    body.append(box);
    return { box, number, cells, boxes: [], row: -1, position: -1 };
  }

  function drawRow(box: RowBox, position: number, row: FrameRow, flash: FrameFlash | undefined, scene: Scene): void {
    const { frame, layout, top, gutter, selection, rowHeight } = scene;
    const places = placesOf(scene);
    box.box.hidden = false;
    box.box.classList.toggle("still", box.row !== row.row);
    if (box.row !== row.row) box.number.textContent = number(row.row + 1);
    box.row = row.row;
    box.position = position;
    box.box.style.transform = `translateY(${rowHeight + position * rowHeight - top}px)`;
    box.box.setAttribute("aria-rowindex", String(position + 2));
    box.number.style.width = `${gutter}px`;
    const area = selection.area();
    const focus = selection.focus();
    const isIn = area !== undefined && position >= area.top && position <= area.bottom;
    const isOne = area !== undefined && area.top === area.bottom && area.left === area.right;
    const columnAt = new Map(frame!.columns.map((column, i) => [column, i]));
    const shown = layout.shown();
    fill(box.cells, box.boxes, places.length, () => ({ box: element("div", { role: "gridcell" }), ...EMPTY }));
    box.boxes.forEach((cell, i) => {
      const place = places[i] ?? -1;
      const column = shown[place];
      cell.box.hidden = !column;
      if (!column) return;
      const at = columnAt.get(column.index) ?? -1;
      put(cell, row.cells[at] ?? "", layout, place, column);
      cell.hits = row.hits[at] ?? [];
      const isFresh = flash && flash.ms < FLASH_MS && (flash.cells === "all" || flash.cells.includes(column.index));
      const isSelected = isIn && !isOne && place >= area.left && place <= area.right;
      const isFocus = focus?.position === position && focus.place === place;
      setKind(cell, kindOf(column, `${isFresh ? " fresh" : ""}${isSelected ? " in" : ""}${isFocus ? " focus" : ""}`));
      cell.box.id = isFocus ? "focus" : "";
      cell.box.setAttribute("aria-colindex", String(place + 1));
      if (isSelected || isFocus) cell.box.setAttribute("aria-selected", "true");
      else cell.box.removeAttribute("aria-selected");
    });
  }

  return { draw, focusId: "focus" };
}

/** Those of the pinned columns, and of those in view. */
const placesOf = ({ layout, from, to }: Scene): number[] => [
  ...Array.from({ length: layout.pinned() }, (_, place) => place),
  ...Array.from({ length: to - from }, (_, i) => from + i),
];

const kindOf = ({ type, isPinned }: Column, more: string) =>
  `cell${type === "number" ? " right" : ""}${isPinned ? " pin" : ""}${more}`;

function putEdge(edge: HTMLElement, { index, type, width, isPinned }: Column, right: number): void {
  const kind = `edge${type === "number" ? " right" : ""}${isPinned ? " pin" : ""}`;
  const key = `${kind} ${right} ${width} ${index}`;
  if (edge.dataset["key"] === key) return;
  edge.dataset["key"] = key;
  edge.style.left = `${right - 5}px`;
  edge.style.setProperty("--w", `${width}px`);
  edge.className = kind;
  edge.dataset["column"] = String(index);
}

/** The edge of a column in the header, to drag it by, with the mark that opens its menu. */
const newEdge = () => element("div", { class: "edge" }, element("div", { class: "mark", "aria-hidden": "true" }));

const EMPTY = { hits: [], text: "", style: "", kind: "" };

function fill(parent: HTMLElement, boxes: CellBox[], count: number, make: () => CellBox): void {
  while (boxes.length < count) {
    const cell = make();
    boxes.push(cell);
    parent.append(cell.box);
  }
}

/** Touches the page only where something is other than it was. */
function put(cell: CellBox, text: string, layout: Layout, place: number, { width }: Column): void {
  if (cell.text !== text) cell.box.textContent = cell.text = text;
  const style = `${layout.left(place)} ${width}`;
  if (cell.style === style) return;
  cell.style = style;
  cell.box.style.left = `${layout.left(place)}px`;
  cell.box.style.width = `${width}px`;
}

function setKind(cell: CellBox, kind: string): void {
  if (cell.kind !== kind) cell.box.className = cell.kind = kind;
}
