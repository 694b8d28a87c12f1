// The small texts around the table: how large it is, what is hidden, what is selected, and what stands where there are no rows. Pure.
import { cut, shownText } from "./cells.ts";
import type { Column } from "./layout.ts";
import type { Facts } from "./messages.ts";
import { HEADER, type Selection, type Spot } from "./selection.ts";
import type { Situation } from "./verdict.ts";

const MAX_CELL = 300;

/** `5,000`. Without Intl: its first use takes a browser 60 ms. */
export const number = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

export const many = (count: number, noun: string) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** `5,000 rows × 7 columns`; of a table that is still coming: `5,000 of 9,000 rows × 7 columns` */
export function shapeText({ hasTable, rows, total }: Facts, columns: number): string {
  if (!hasTable) return "";
  const there = total === undefined ? many(rows, "row") : `${number(rows)} of ${many(total, "row")}`;
  return `${there} × ${many(columns, "column")}`;
}

/** `12 of 5,000 rows · 2 columns hidden` */
export function hiddenText(facts: Facts, isFiltered: boolean, hidden: number): string {
  const { hasTable, rows, shown, isBuilding, total } = facts;
  return [
    ...(isFiltered && hasTable && total === undefined ? [`${number(shown)} of ${many(rows, "row")}`] : []),
    ...(hidden > 0 ? [`${many(hidden, "column")} hidden`] : []),
    ...(isBuilding ? ["sorting…"] : []),
  ].join(" · ");
}

/** In the place of the rows, if there are none. */
export function emptyText(
  { connection, status }: Pick<Situation, "connection" | "status">,
  facts: Facts | undefined,
): string {
  if (facts?.hasTable && facts.rows === 0) return "The table has no rows yet.";
  if (facts?.hasTable) return facts.shown === 0 && !facts.isBuilding ? "No row passes the filter." : "";
  if (connection === "connecting" || connection === "reconnecting") return "Connecting…";
  if (connection === "ended") return "There is nothing to show.";
  if (facts?.loaded !== undefined) return `Loading… ${Math.floor(facts.loaded * 100)} %`;
  return status?.state === "waiting" ? waitingText(status.message) : "Loading…";
}

/** `prices.csv: no such file yet. The table will appear here.` */
function waitingText(message: string): string {
  const isNamed = message !== "" && message !== "no table is published yet";
  return isNamed ? `${message}. The table will appear here.` : "No table is published yet. It will appear here.";
}

/** `textAt` gives the text of a cell, as far as it is known. */
export function selectedText(selection: Selection, columns: readonly Column[], textAt: (spot: Spot) => string): string {
  const focus = selection.focus();
  const area = selection.area();
  const column = focus && columns[focus.place];
  if (!focus || !column) return "";
  if (!area || focus.position === HEADER) return `${shownText(column.name)}: Enter sorts, ↓ goes to the rows`;
  const height = area.bottom - area.top + 1;
  const width = area.right - area.left + 1;
  if (height * width > 1) return `${number(height)} × ${number(width)} cells selected · Ctrl+C copies`;
  return `${shownText(column.name)}: ${cut(textAt(focus), MAX_CELL)}`;
}
