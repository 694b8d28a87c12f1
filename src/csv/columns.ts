// What each column is: made from the first rows, then kept while the header is the same. A function of the cells, however they come.
import { unitOf } from "../values/units.ts";
import { fits } from "../values/cell.ts";
import type { ColumnType, Verdict } from "../values/verdict.ts";
import type { QuoteRule } from "./quotes.ts";
import { type Layout, walkRecords } from "./records.ts";
import { jsonOf } from "./render.ts";
import { addCell, declaredVerdict, emptyTally, type Finding, findingOf, sharedEvidence } from "./findings.ts";

/** `auto`: by their cells. Or by name: the others are text, and a name that there is not says nothing. */
export type TypesOption = "auto" | Readonly<Record<string, ColumnType>>;

export type ColumnsOptions = {
  readonly types?: TypesOption | undefined;
  /** Of a row of units, in the order of the columns, as it is written: `(ms)`; undefined where it says nothing. */
  readonly units?: readonly (string | undefined)[] | undefined;
};

/** One value for each column. */
export type Cells = readonly string[];

/** With so many rows, or characters of cells and what separates them, the verdicts are settled. */
export const SAMPLE_ROWS = 100;
export const SAMPLE_CHARACTERS = 65_536;

export type Columns = {
  /**
   * Takes the next rows, from the first one on, each of them once and only whole: those of the sample make the verdicts, those after
   * it are counted if they do not fit. True if a verdict has changed.
   */
  refine(rows: readonly Cells[]): boolean;
  /** Whether the verdicts are final. */
  isSettled(): boolean;
  verdicts(): readonly Verdict[];
  /** For each column how many cells, of those that `refine` was given after the sample, do not fit. */
  misfits(): readonly number[];
  /** For people, with the column they are about: why it is text though it looks like numbers. */
  hints(): readonly { readonly column: string; readonly hint: string }[];
};

export function openColumns(names: readonly string[], { types = "auto", units = [] }: ColumnsOptions = {}): Columns {
  const tallies = names.map(emptyTally);
  const misfits = names.map(() => 0);
  let rows = 0;
  let characters = 0;
  let findings = findAll();

  const isSettled = () => rows >= SAMPLE_ROWS || characters >= SAMPLE_CHARACTERS;

  function findAll(): Finding[] {
    const shared = sharedEvidence(tallies);
    return names.map((name, column) => findingAt(name, column, shared));
  }

  function findingAt(name: string, column: number, shared: number): Finding {
    const tally = tallies[column]!;
    const written = units[column];
    const unit = written && (unitOf(written) ?? written);
    if (types === "auto") return findingOf(tally, name, unit, shared);
    const type = Object.hasOwn(types, name) ? types[name]! : "text";
    return { verdict: declaredVerdict(type, tally, name, unit, shared) };
  }

  function refine(fresh: readonly Cells[]): boolean {
    let at = 0;
    for (; at < fresh.length && !isSettled(); at++) addRow(fresh[at]!);
    const before = findings;
    if (at > 0) findings = paired(names, findAll());
    for (; at < fresh.length; at++) countMisfits(fresh[at]!);
    return findings !== before && findings.some(({ verdict }, c) => !isSame(verdict, before[c]!.verdict));
  }

  function addRow(cells: Cells): void {
    rows++;
    tallies.forEach((tally, c) => {
      const cell = cells[c] ?? "";
      characters += cell.length + 1;
      addCell(tally, cell);
    });
  }

  function countMisfits(cells: Cells): void {
    findings.forEach(({ verdict }, c) => (misfits[c]! += fits(cells[c] ?? "", verdict) ? 0 : 1));
  }

  return {
    refine,
    isSettled,
    verdicts: () => findings.map(({ verdict }) => verdict),
    misfits: () => misfits,
    hints: () => findings.flatMap(({ hint }, c) => (hint === undefined ? [] : [{ column: names[c]!, hint }])),
  };
}

const isSame = (a: Verdict, b: Verdict) => JSON.stringify(a) === JSON.stringify(b);

/** A column of times of day that belongs to the date beside it; a duration does not. */
const CLOCK_NAME = /^$|^t$|time|uhr|zeit|hour|hora|heure|clock|时间|時間|время/i;
const DURATION_NAME = /dur|elaps|laps|dauer|lauf|pace|split|up.?time|run.?time/i;

/** Dates find their time of day: in the next column, else in the one before. */
function paired(names: readonly string[], findings: Finding[]): Finding[] {
  const taken = new Set<number>();
  const isClock = (column: number) => {
    const verdict = findings[column]?.verdict;
    const name = names[column] ?? "";
    if (verdict?.type !== "time" || verdict.format !== "clock" || taken.has(column)) return false;
    return CLOCK_NAME.test(name) && !DURATION_NAME.test(name);
  };
  return findings.map((finding, column) => {
    const { verdict, isDate } = finding;
    if (verdict.type !== "time" || !isDate) return finding;
    const clock = [column + 1, column - 1].find(isClock);
    if (clock === undefined) return finding;
    taken.add(clock);
    return { ...finding, verdict: { ...verdict, clock } };
  });
}

/**
 * Gives `columns` the complete records in `bytes[from, to)` until its verdicts are settled; SPARE_BYTES lie behind `to`. With
 * `quotes` stray ones are marked. Returns where it stopped.
 */
export function refineFrom(
  columns: Columns,
  bytes: Uint8Array,
  from: number,
  to: number,
  layout: Layout,
  count: number,
  quotes?: QuoteRule,
): number {
  let at = from;
  while (at < to && !columns.isSettled()) {
    let rows = 0;
    let end = at;
    const visit = (_start: number, recordEnd: number) => {
      end = recordEnd;
      return ++rows === SAMPLE_ROWS || end - at >= SAMPLE_CHARACTERS;
    };
    walkRecords(bytes, at, to, layout, count, visit, { quotes });
    if (rows === 0) break;
    columns.refine(JSON.parse(jsonOf(bytes, at, end, layout, count)) as string[][]);
    at = end;
  }
  return at;
}
