// Figures for a person: medians, aligned tables, and the same tables as markdown.

export type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** Thousands are set apart: `2,184`. */
export function number(value: number, digits = 0): string {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return Number.isFinite(value) ? value.toLocaleString("en-US", format) : "-";
}

/** The first column to the left, figures to the right. */
export function aligned({ head, rows }: Table): string {
  const widths = head.map((title, c) =>
    Math.max(...[title, ...rows.map((row) => row[c] ?? "")].map((cell) => Bun.stringWidth(cell))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

export function markdown({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_title, c) => (c === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}

/** A word on what was to be reached. */
export function verdict(what: string, value: number, isReached: boolean, target: string): string {
  return `${isReached ? "reached" : "MISSED "}  ${what}: ${number(value, 2)} (target ${target})`;
}

/** Without a target it is there for comparison; `before`: what version 0.1.0 took, on a machine of the same kind. */
export type Figure = {
  readonly what: string;
  readonly value: number;
  readonly digits?: number;
  readonly before?: number;
  readonly target?: string;
  readonly isReached?: boolean;
};

export const figure = (what: string, value: number, digits = 0): Figure => ({ what, value, digits });

export const atMost = (what: string, value: number, most: number, digits = 0): Figure => ({
  ...figure(what, value, digits),
  target: most === 0 ? "0" : `at most ${number(most)}`,
  isReached: value <= most,
});

/** No more than it was. */
export const beats = (what: string, value: number, before: number, digits = 0): Figure => ({
  ...figure(what, value, digits),
  ...{ before, target: `under ${number(before, digits)}`, isReached: value < before },
});

export const shown = ({ value, digits }: Figure) => number(value, digits);

/** Prints figures as a table and what was to be reached, and gives both as markdown. */
export function report(figures: readonly Figure[]): string {
  const table: Table = {
    head: ["figure", "measured", "0.1.0", "target"],
    rows: figures.map((one) => [
      one.what,
      shown(one),
      one.before === undefined ? "" : number(one.before, one.digits),
      one.target ?? "",
    ]),
  };
  const verdicts = figures.flatMap(({ what, value, target, isReached }) =>
    target === undefined ? [] : [verdict(what, value, isReached === true, target)],
  );
  console.log(`\n${aligned(table)}\n\n${verdicts.join("\n")}`);
  return `${markdown(table)}\n\n${verdicts.map((line) => `- ${line}`).join("\n")}`;
}
