// What is looked at more closely: one row, and the menu of one column.
import { type ColumnMenu, type MenuActions, openColumnMenu } from "./column-menu.ts";
import type { Grid } from "./grid.ts";
import type { RowPlace, RowShown, ToWorker } from "./messages.ts";
import type { Override } from "./overrides.ts";
import { openRowView, type RowView } from "./row-view.ts";
import { HEADER } from "./selection.ts";
import type { Summary } from "./summary.ts";

export type Details = {
  /** The row of the focus. */
  openRow(): void;
  showRow(row: RowShown): void;
  moveRow(place: RowPlace): void;
  openMenu(column: number, at: { readonly x: number; readonly y: number }): void;
  showSummary(column: number, summary: Summary): void;
};

export type DetailsEvents = Omit<MenuActions, "onSort" | "onPlot" | "onType" | "onHide" | "onPin"> & {
  onSort(column: string, descending: boolean | undefined): void;
  onPlot(column: string): void;
  /** What a person takes a column for. */
  override(column: string): Override | undefined;
  onType(column: string, type: Override | undefined): void;
  /** A column is hidden, or pinned. */
  onColumns(): void;
};

export function openDetails(grid: Grid, say: (message: ToWorker) => void, events: DetailsEvents): Details {
  let rowView: RowView | undefined;
  let menu: ColumnMenu | undefined;

  function goTo(position: number, column: number): void {
    say({ type: "row", position, column });
    const place = grid.layout.placeOf(column);
    if (grid.layout.shown()[place]?.index === column) grid.select({ position, place }, false);
  }

  function openRow(): void {
    const focus = grid.selection.focus();
    const column = focus && grid.layout.shown()[focus.place];
    if (!focus || focus.position === HEADER || !column) return;
    const onClose = () => {
      rowView = undefined;
      say({ type: "row", position: undefined, column: 0 });
      grid.scroller.focus();
    };
    rowView ??= openRowView({ onGo: goTo, onClose });
    say({ type: "row", position: focus.position, column: column.index });
  }

  return {
    openRow,
    showRow: (row) =>
      rowView?.show(
        row,
        grid.layout.columns.map(({ name }) => name),
      ),
    moveRow: (place) => rowView?.move(place),
    openMenu(index, at) {
      const column = grid.layout.columns[index];
      if (!column) return;
      const { name, isPinned } = column;
      menu = openColumnMenu(column, events.override(name), at, {
        onSort: (descending) => events.onSort(name, descending),
        onTerm: events.onTerm,
        onPlot: () => events.onPlot(name),
        onHide() {
          grid.layout.setHidden(index, true);
          events.onColumns();
        },
        onPin() {
          grid.layout.setPinned(index, !isPinned);
          events.onColumns();
        },
        onType: (type) => events.onType(name, type),
      });
      say({ type: "summary", column: index });
    },
    showSummary: (column, summary) => menu?.fill(column, summary),
  };
}
