// The table on paper: the rows that are in view and around it, as a table that a browser breaks into pages.
import { number } from "./captions.ts";
import { shownText } from "./cells.ts";
import { byId, element } from "./dom.ts";
import type { Grid } from "./grid.ts";

export function listenToPrinting(grid: Grid): void {
  const paper = byId("paper");
  addEventListener("beforeprint", () => paper.replaceChildren(...tableOf(grid)));
  addEventListener("afterprint", () => paper.replaceChildren());
}

function tableOf(grid: Grid): HTMLElement[] {
  const frame = grid.frame();
  if (!frame || frame.rows.length === 0) return [];
  const columns = frame.columns.map((index) => grid.layout.columns[index]!);
  const kindOf = (i: number) => (columns[i]?.type === "number" ? "right" : undefined);
  const head = columns.map(({ name }, i) => element("th", { class: kindOf(i) }, shownText(name)));
  const rows = frame.rows.map(({ row, cells }) =>
    element(
      "tr",
      {},
      element("th", {}, number(row + 1)),
      ...cells.map((cell, i) => element("td", { class: kindOf(i) }, cell)),
    ),
  );
  const place = `${number(frame.from + 1)} to ${number(frame.from + frame.rows.length)} of ${number(frame.count)}`;
  return [
    element("p", {}, `Rows ${place}`),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, element("th", {}), ...head)),
      element("tbody", {}, ...rows),
    ),
  ];
}
