// The menu of a column: sort, filter by value, plot, hide, pin, what is in it, and what it is taken for.
import { many, number } from "./captions.ts";
import { shownText } from "./cells.ts";
import { element, openDialog } from "./dom.ts";
import type { Column } from "./layout.ts";
import { quotedName } from "./offers.ts";
import { isOverride, type Override, OVERRIDES } from "./overrides.ts";
import { figureText, type Summary } from "./summary.ts";
import { timeText } from "./zones.ts";

export type ColumnMenu = {
  /** What the Worker says is in the column. */
  fill(column: number, summary: Summary): void;
};

export type MenuActions = {
  onSort(descending: boolean | undefined): void;
  /** Adds a term to the filter. */
  onTerm(term: string): void;
  onPlot(): void;
  onHide(): void;
  onPin(): void;
  /** Undefined: as the server says. */
  onType(type: Override | undefined): void;
};

const WORDS: Readonly<Record<Override, string>> = {
  text: "text",
  number: "number",
  comma: "number, decimal comma",
  time: "time",
};

/** Opens it at a point of the window. */
export function openColumnMenu(
  column: Column,
  type: Override | undefined,
  at: { readonly x: number; readonly y: number },
  actions: MenuActions,
): ColumnMenu {
  const button = (text: string, action: () => void) =>
    element("button", { type: "button", onclick: () => (dialog.close(), action()) }, text);
  const figures = element("p", { class: "muted", role: "status" }, "counting…");
  const values = element("ul", { class: "values" });
  const found = type === undefined ? `${column.type}, as found` : "as found";
  const types = element("select", { "aria-label": "Taken for" }, element("option", { value: "" }, found));
  types.append(...OVERRIDES.map((name) => element("option", { value: name }, WORDS[name])));
  types.value = type ?? "";
  types.addEventListener("change", () => {
    dialog.close();
    actions.onType(isOverride(types.value) ? types.value : undefined);
  });
  const dialog = openDialog(
    shownText(column.name) || "(no name)",
    element(
      "div",
      { class: "line" },
      button("Sort ▲", () => actions.onSort(false)),
      button("Sort ▼", () => actions.onSort(true)),
      button("File order", () => actions.onSort(undefined)),
      ...(column.type === "number" ? [button("Plot this", actions.onPlot)] : []),
      button("Hide", actions.onHide),
      button(column.isPinned ? "Unpin" : "Pin left", actions.onPin),
    ),
    element("p", {}, element("label", {}, "taken for", types)),
    figures,
    values,
  );
  dialog.body.classList.add("menu");
  const { width, height } = dialog.body.getBoundingClientRect();
  dialog.body.style.left = `${Math.max(8, Math.min(at.x, innerWidth - width - 8))}px`;
  dialog.body.style.top = `${Math.max(8, Math.min(at.y, innerHeight - height - 8))}px`;

  return {
    fill(index, summary) {
      if (index !== column.index) return;
      figures.textContent = summaryText(summary, column);
      const name = quotedName(column.name);
      const items = summary.top.map(([text, count]) => {
        const term = `${name}=${quoted(text)}`;
        const shown = element("span", {}, shownText(text) || "(empty)");
        const pick = button("", () => actions.onTerm(term));
        pick.title = `Filter: ${shownText(term)}`;
        pick.append(shown, element("span", { class: "muted" }, number(count)));
        return element("li", {}, pick);
      });
      values.replaceChildren(...items);
      const box = dialog.body.getBoundingClientRect();
      if (box.bottom > innerHeight) dialog.body.style.top = `${Math.max(8, innerHeight - box.height - 8)}px`;
    },
  };
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

function summaryText({ rows, blanks, figures, distinct, isDistinctKnown }: Summary, { type, unit }: Column): string {
  const { count, sum, least, greatest } = figures;
  const different = `${isDistinctKnown ? "" : "more than "}${number(distinct)} different`;
  const shown = (value: number) =>
    type === "time" ? timeText(value, { offsetAt: () => 0, label: "" }) : figureText(value);
  const range = count === 0 ? [] : [`min ${shown(least)}`, `max ${shown(greatest)}`];
  const mean = count === 0 || type !== "number" ? [] : [`mean ${figureText(sum / count)}`];
  return [
    many(rows, "row"),
    different,
    ...(blanks > 0 ? [`${number(blanks)} without a value`] : []),
    ...range,
    ...mean,
    ...(unit ? [`in ${unit}`] : []),
    ...(type === "time" ? ["UTC"] : []),
  ].join(" · ");
}
