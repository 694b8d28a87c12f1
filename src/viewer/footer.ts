// The footer: what is selected, the figures of the numbers in it, and copying it.
import { many, selectedText } from "./captions.ts";
import { byId, copyText, setText } from "./dom.ts";
import type { Grid } from "./grid.ts";
import type { Area, FromWorker, ToWorker } from "./messages.ts";
import { type Figures, figuresText } from "./summary.ts";

export type Footer = {
  /** Something else is selected, or the same has other cells. */
  selected(): void;
  figures(figures: Figures): void;
  copy(hasHeader: boolean): void;
  copied(message: Extract<FromWorker, { type: "copied" }>): Promise<void>;
};

/** While a selection is dragged nothing is added up. */
const STILL_MS = 100;

/** `guard`: whether formulas are disarmed. */
export function openFooter(grid: Grid, guard: { readonly isOn: boolean }, say: (message: ToWorker) => void): Footer {
  const box = byId("selected");
  let figures = "";
  let asked = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function areaOf(): Area | undefined {
    const area = grid.selection.area();
    if (!area) return undefined;
    const columns = grid.layout.shown().slice(area.left, area.right + 1);
    return { from: area.top, to: area.bottom + 1, columns: columns.map(({ index }) => index) };
  }

  function show(): void {
    const text = selectedText(grid.selection, grid.layout.shown(), grid.textAt);
    setText(box, figures === "" ? text : `${text} · ${figures}`);
  }

  function ask(): void {
    const area = areaOf();
    const isSeveral = area !== undefined && (area.to - area.from > 1 || area.columns.length > 1);
    say({ type: "figures", area: isSeveral ? area : undefined });
  }

  return {
    selected() {
      const next = JSON.stringify(areaOf());
      if (next !== asked) {
        asked = next;
        figures = "";
        clearTimeout(timer);
        timer = setTimeout(ask, STILL_MS);
      }
      show();
    },
    figures(next) {
      figures = figuresText(next);
      show();
    },
    copy(hasHeader) {
      const area = areaOf();
      if (!area) return;
      const isAll = area.from === 0 && area.to === grid.count() && area.to > 1;
      say({ type: "copy", area, isGuarded: guard.isOn, hasHeader: hasHeader || isAll });
    },
    async copied({ text, html, rows }) {
      const isDone = text !== undefined && (await copyText(text, html));
      const trouble =
        text === undefined ? "Too much for the clipboard: use Download." : "The browser does not allow copying.";
      setText(box, isDone ? `Copied ${many(rows, "row")}.` : trouble);
    },
  };
}
