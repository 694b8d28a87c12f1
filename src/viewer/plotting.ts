// Plots for the page, as they are asked for and again when the table has changed, as often as the work allows. What they need of the
// table is read in the background; of one that is still coming nothing is drawn.
import type { Plot, PlotRequest, PlotSeries } from "./messages.ts";
import { type Model, sampleOf } from "./model.ts";
import type { Wanted } from "./numbers.ts";
import { type Axis, axisOf, pickAxes, pointsOf, ROW_NUMBER, splitValues } from "./series.ts";
import type { Breath } from "./sort.ts";
import { zoneOf } from "./zones.ts";

export type Plotting = {
  /** Undefined: nothing is drawn any more. */
  request(request: PlotRequest | undefined): void;
  /** The model has changed. */
  changed(): void;
  /** A person has changed what is shown: that is drawn as soon as it is there, whatever was drawn a moment ago. */
  hurry(): void;
};

const MIN_PAUSE_MS = 100;
/** A plot that took long is drawn anew after so many times as long. */
const PAUSE_FACTOR = 5;
/** An order that is built anew all the time is not waited for longer. */
const MAX_WAIT_MS = 2_000;
/** More lines cannot be told apart. */
export const MAX_SERIES = 8;

export function openPlotting(model: Model, breathe: Breath, onPlot: (plot: Plot) => void): Plotting {
  const { numbers } = model;
  let request: PlotRequest | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let notBefore = 0;
  let isDrawing = false;
  let isHurried = false;
  let isFirst = true; // nothing has been drawn yet of what was asked for, in the order that was asked for

  async function draw(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (isDrawing) return; // what is asked for by then will be drawn
    isDrawing = true;
    const began = performance.now();
    let drawn: Plot | undefined;
    let isRead = true;
    while (isRead && !drawn && request && model.columns.length > 0 && model.total === undefined) {
      const axes = axesFor(request);
      drawn = plot(request, axes);
      if (!drawn) isRead = await numbers.read("plot", wantedFor(axes), breathe);
    }
    isDrawing = false;
    if (drawn) onPlot(drawn);
    if (drawn && isFirst) {
      isFirst = model.isBuilding;
      isHurried ||= isFirst;
    }
    const took = performance.now() - began;
    notBefore = performance.now() + Math.max(MIN_PAUSE_MS, took * PAUSE_FACTOR);
    if (isHurried) changed();
  }

  function changed(): void {
    if (!request) return;
    if (isHurried && !model.isBuilding && !isDrawing) {
      isHurried = false;
      void draw();
    } else timer ??= setTimeout(draw, isHurried ? MAX_WAIT_MS : Math.max(0, notBefore - performance.now()));
  }

  function axesFor(asked: PlotRequest): Axes {
    const picked = pickAxes(model.columns, model.kinds, sampleOf(model.rows));
    const x = axisNamed(asked.x) ?? picked.x;
    const named = asked.ys?.map((name) => model.columns.indexOf(name)).filter((column) => column !== -1);
    const isGone = named?.length === 0 && asked.ys!.length > 0; // all of them: these are other columns
    const ys = (!named || isGone ? picked.ys.filter((column) => column !== x.column) : named).slice(0, MAX_SERIES);
    const split = asked.split === undefined ? -1 : model.columns.indexOf(asked.split);
    return { x, ys, split: split === -1 ? undefined : split };
  }

  function axisNamed(name: string | null | undefined): Axis | undefined {
    if (name === undefined) return undefined;
    if (name === null) return { column: ROW_NUMBER, isTime: false };
    const column = model.columns.indexOf(name);
    return column === -1 ? undefined : axisOf(column, model.kinds);
  }

  /** Undefined if a column must be read first. */
  function plot(asked: PlotRequest, axes: Axes): Plot | undefined {
    const { x, ys, split } = axes;
    const rows = rowsDrawn(asked.last);
    const xs = x.column === ROW_NUMBER ? rowNumbers(rows) : valuesOf({ column: x.column, as: "number" }, rows);
    const columns = ys.map((column) => valuesOf({ column, as: "number" }, rows));
    const codes = split === undefined ? undefined : valuesOf({ column: split, as: "word" }, rows);
    if (!xs || !columns.every((values) => values !== undefined) || (split !== undefined && !codes)) return undefined;
    const from = asked.lastMs === undefined || !x.isTime ? asked.from : greatest(xs) - asked.lastMs;
    const lines = codes ? linesOf(xs, columns, codes, axes) : { values: columns, series: seriesOf(ys), left: 0 };
    const { to, points: most } = asked;
    const isSplit = codes !== undefined;
    const points = pointsOf(xs, lines.values, { from, to, most, hasGaps: x.isTime, isSplit });
    return {
      ...points,
      from,
      ...axisWords(x),
      series: lines.series,
      linesLeft: lines.left,
      split: split === undefined ? undefined : model.columns[split]!,
      ...choices(),
    };
  }

  function choices() {
    const named = (isOf: (type: string) => boolean) =>
      model.columns.filter((_, column) => isOf(model.kinds[column]!.type));
    return {
      xChoices: named((type) => type !== "text"),
      yChoices: named((type) => type === "number"),
      splitChoices: named((type) => type === "text"),
    };
  }

  const seriesOf = (ys: readonly number[]): PlotSeries[] =>
    ys.map((column) => ({ column: model.columns[column]!, word: undefined, unit: model.kinds[column]!.unit }));

  /** A line for each word that the column of `split` has, of the most frequent ones, for each column that is drawn. */
  function linesOf(xs: Float64Array, columns: readonly Float64Array[], codes: Float64Array, { ys, split }: Axes) {
    const words = numbers.words(split!);
    const counts = new Map<number, number>();
    for (const code of codes) if (!Number.isNaN(code)) counts.set(code, (counts.get(code) ?? 0) + 1);
    const room = Math.max(1, Math.floor(MAX_SERIES / Math.max(1, ys.length)));
    const frequent = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([code]) => code);
    const drawn = frequent.slice(0, room).sort((a, b) => (words[a]! < words[b]! ? -1 : 1));
    const pairs = ys.flatMap((column, i) => drawn.map((code) => ({ column, code, values: columns[i]! })));
    return {
      values: pairs.map(({ values, code }) => splitValues(xs, values, codes, code)),
      series: pairs.map(({ column, code }) => ({ ...seriesOf([column])[0]!, word: words[code]! })),
      left: ys.length === 0 ? 0 : frequent.length - drawn.length,
    };
  }

  function axisWords({ column, isTime }: Axis) {
    if (column === ROW_NUMBER) return { x: undefined, xUnit: undefined, isTime, zone: "none" as const };
    const { unit } = model.kinds[column]!;
    return {
      x: model.columns[column]!,
      xUnit: unit,
      isTime,
      zone: isTime ? zoneOf(model.rows, column, model.kinds[column]!) : ("none" as const),
    };
  }

  /** The last so many of those that pass the filter, in the order of the file; undefined: all of the file. */
  function rowsDrawn(last: number): Uint32Array | undefined {
    const { order, rows } = model;
    const count = order.count();
    if (count === rows.length && last >= count) return undefined;
    const isAll = count === rows.length;
    const shown = new Uint32Array(isAll ? Math.min(last, count) : count);
    let isAscending = true;
    for (let i = 0; i < shown.length; i++) {
      shown[i] = isAll ? count - shown.length + i : order.rowAt(i);
      if (i > 0 && shown[i]! < shown[i - 1]!) isAscending = false;
    }
    if (!isAscending) shown.sort();
    return last >= shown.length ? shown : shown.subarray(shown.length - last);
  }

  function rowNumbers(rows: Uint32Array | undefined): Float64Array {
    const numbers = new Float64Array(rows ? rows.length : model.rows.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = (rows ? rows[i]! : i) + 1;
    return numbers;
  }

  function valuesOf(wanted: Wanted, rows: Uint32Array | undefined): Float64Array | undefined {
    const held = numbers.values(wanted);
    if (!held || !rows) return held;
    const picked = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) picked[i] = held[rows[i]!]!;
    return picked;
  }

  return {
    request(next) {
      isFirst ||= request === undefined;
      request = next;
      void (next ? draw() : numbers.read("plot", [], breathe));
    },
    changed,
    hurry: () => void (isHurried = request !== undefined),
  };
}

type Axes = { readonly x: Axis; readonly ys: readonly number[]; readonly split: number | undefined };

function wantedFor({ x, ys, split }: Axes): Wanted[] {
  const columns = [x.column, ...ys].filter((column) => column !== ROW_NUMBER);
  const wanted: Wanted[] = columns.map((column) => ({ column, as: "number" }));
  return split === undefined ? wanted : [...wanted, { column: split, as: "word" }];
}

function greatest(xs: Float64Array): number {
  let most = -Infinity;
  for (const x of xs) if (x > most) most = x;
  return most;
}
