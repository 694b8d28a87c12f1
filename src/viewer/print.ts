// The table on paper, as a table that a browser breaks into pages: all rows that are shown, if it is this page that prints. A browser that
// prints by itself waits for nobody: then it is the rows that are here already.
import { number } from "./captions.ts";
import { shownText } from "./cells.ts";
import { byId, element } from "./dom.ts";
import type { Grid } from "./grid.ts";
import type { Frame, Look } from "./messages.ts";

export type Printing = {
  /** Asks for the rows; when they are there the browser prints. */
  print(): void;
  take(frame: Frame): void;
};

const PRINTING = "printing";
const onPaper = () => document.documentElement.classList;
/** Then all is in the colours of a light page. */
export const isPrinting = () => onPaper().contains(PRINTING);

/** A hundred pages. */
export const MAX_PRINTED = 5_000;

export function openPrinting(grid: Grid, onAsk: (look: Look) => void): Printing {
  const paper = byId("paper");
  let asked: Frame | undefined;
  addEventListener("beforeprint", () => {
    onPaper().add(PRINTING);
    paper.replaceChildren(...tableOf(grid, asked));
  });
  addEventListener("afterprint", () => {
    asked = undefined;
    onPaper().remove(PRINTING);
    paper.replaceChildren();
  });

  return {
    print: () => onAsk(grid.lookAtAll(MAX_PRINTED)),
    take(frame) {
      asked = frame;
      print();
    },
  };
}

function tableOf(grid: Grid, asked: Frame | undefined): HTMLElement[] {
  const frame = asked ?? grid.frame();
  if (!frame || frame.rows.length === 0) return [];
  const columns = frame.columns.map((index) => grid.layout.columns[index]!);
  const isWide = columns.length > MANY;
  const kindOf = (i: number) => (columns[i]?.type === "number" ? "right" : undefined);
  const head = columns.map(({ name }, i) => element("th", { class: kindOf(i) }, shownText(name)));
  const rows = frame.rows.map(({ row, cells }) =>
    element(
      "tr",
      {},
      element("th", {}, number(row + 1)),
      ...cells.map((cell, i) => element("td", { class: cell.length > LONG || isWide ? "long" : kindOf(i) }, cell)),
    ),
  );
  const place = `${number(frame.from + 1)} to ${number(frame.from + frame.rows.length)} of ${number(frame.count)}`;
  const isAll = asked !== undefined || frame.rows.length === frame.count;
  return [
    element("p", {}, `Rows ${place}${isAll ? "" : `; ${MORE}`}`),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, element("th", {}), ...head)),
      element("tbody", {}, ...rows),
    ),
  ];
}

/** Words stay whole in tables of so few columns, and in cells of so few characters. */
const MANY = 8;
const LONG = 40;
const MORE = `Ctrl+P on the page prints up to ${number(MAX_PRINTED)}`;
