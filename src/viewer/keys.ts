// The keyboard: arrows and pages on the table, single keys for what the buttons do.
import { number } from "./captions.ts";
import type { Grid } from "./grid.ts";
import { MAX_PRINTED } from "./print.ts";
import { HEADER, type Spot } from "./selection.ts";

export type KeyEvents = {
  onFilter(): void;
  onSort(column: number): void;
  onHide(column: number): void;
  onOpen(): void;
  onMenu(column: number, at: { readonly x: number; readonly y: number }): void;
  onCopy(hasHeader: boolean): void;
  onPrint(): void;
  /** Keys that are buttons, too. */
  readonly buttons: Readonly<Record<string, () => void>>;
};

/** For the help. */
export const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["↑ ↓ ← →", "move; with Shift select; with Ctrl to the last cell that way"],
  ["PgUp, PgDn", "a page up or down"],
  ["Home, End", "the first or the last row"],
  ["Ctrl+A, Ctrl+C", "select all; copy the selection, with Shift with its header"],
  ["Ctrl+P", `print what is shown, up to ${number(MAX_PRINTED)} rows`],
  ["Enter", "all of a row; on a header: sort"],
  ["s, h, m", "sort by this column; hide it; its menu"],
  ["/", "the filter; Esc leaves it"],
  ["f, Space", "follow the end; pause"],
  ["p, c, t", "plot; columns; other tables"],
];

export function listenToKeys(grid: Grid, events: KeyEvents): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
    const isInTheWay = isTyping && !isChord(event, "p");
    if (event.defaultPrevented || isInTheWay || document.querySelector("dialog[open]")) return;
    const isHandled = isPlain(event) ? onKey(event, target) : onChord(event);
    if (isHandled) event.preventDefault();
  });

  function onChord(event: KeyboardEvent): boolean {
    if (isChord(event, "p") && !event.shiftKey) return did(events.onPrint);
    if (isChord(event, "c")) return getSelection()?.isCollapsed !== false && did(() => events.onCopy(event.shiftKey));
    if (isChord(event, "a")) return did(selectAll); // and not the toolbar's words
    if (document.activeElement !== grid.scroller && document.activeElement !== document.body) return false;
    return !event.altKey && move(event);
  }

  function onKey(event: KeyboardEvent, target: HTMLElement): boolean {
    const { key } = event;
    if (key === "/") return did(events.onFilter);
    if (target.tagName === "BUTTON" && (key === "Enter" || key === " ")) return false;
    const button = Object.hasOwn(events.buttons, key) ? events.buttons[key] : undefined;
    if (button) return did(button);
    if (target !== grid.scroller && target !== document.body) return false;
    if (target === document.body && /^(Arrow|Page|Home|End)/.test(key)) grid.scroller.focus();
    return onCell(key) || move(event);
  }

  /** What a key does with the cell that has the focus. */
  function onCell(key: string): boolean {
    const focus = grid.selection.focus();
    const column = focus && grid.layout.shown()[focus.place]?.index;
    if (!focus || column === undefined) return false;
    if (key === "s" || (key === "Enter" && focus.position === HEADER)) return did(() => events.onSort(column));
    if (key === "m") return did(() => events.onMenu(column, middleOf(document.getElementById("focus"))));
    if (key === "h") return did(() => events.onHide(column));
    if (key === "Enter") return did(events.onOpen);
    return false;
  }

  function move(event: KeyboardEvent): boolean {
    const from = grid.selection.focus();
    const isFar = event.ctrlKey || event.metaKey;
    const to = from ? moved(event.key, from, isFar) : moved(event.key, { position: HEADER, place: 0 }, isFar);
    if (to) grid.select(to, event.shiftKey && to.position !== HEADER);
    return to !== undefined;
  }

  function moved(key: string, { position, place }: Spot, isFar: boolean): Spot | undefined {
    const last = grid.count() - 1;
    switch (key) {
      case "ArrowUp":
        return { position: isFar ? 0 : position - 1, place };
      case "ArrowDown":
        return { position: isFar ? last : position + 1, place };
      case "ArrowLeft":
        return { position, place: isFar ? 0 : place - 1 };
      case "ArrowRight":
        return { position, place: isFar ? Number.MAX_SAFE_INTEGER : place + 1 };
      case "PageUp":
        return { position: Math.max(0, position - grid.rowsInView()), place };
      case "PageDown":
        return { position: Math.max(0, position) + grid.rowsInView(), place };
      case "Home":
        return { position: 0, place: isFar ? 0 : place };
      case "End":
        return { position: last, place: isFar ? Number.MAX_SAFE_INTEGER : place };
      default:
        return undefined;
    }
  }

  function selectAll(): void {
    const { scrollLeft } = grid.scroller;
    grid.selection.put({ position: 0, place: 0 }, false);
    grid.selection.put({ position: grid.count() - 1, place: grid.layout.shown().length - 1 }, true);
    grid.scroller.scrollLeft = scrollLeft;
    grid.refresh();
  }
}

function middleOf(box: HTMLElement | null) {
  const { left = 0, bottom = 0 } = box?.getBoundingClientRect() ?? {};
  return { x: left, y: bottom };
}

const isChord = ({ key, ctrlKey, metaKey, altKey }: KeyboardEvent, letter: string) =>
  (ctrlKey || metaKey) && !altKey && key.toLowerCase() === letter;

const isPlain = (event: KeyboardEvent) => !event.ctrlKey && !event.metaKey && !event.altKey;

function did(action: () => void): true {
  action();
  return true;
}
