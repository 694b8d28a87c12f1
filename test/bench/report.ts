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
