// Plots for the page, as they are asked for and again when the table has changed, as often as the work allows. What they need of the
// table is read in the background; of one that is still coming nothing is drawn.
import type { Plot, PlotRequest } from "./messages.ts";
import { type Model, sampleOf } from "./model.ts";
import {
  type Axis,
  axisOf,
  type ColumnValues,
  pickAxes,
  pointsOf,
  readColumn,
  ROW_NUMBER,
  spliceColumn,
} from "./series.ts";
import type { Breath } from "./sort.ts";

export type Plotting = {
  /** Undefined: nothing is drawn any more. */
  request(request: PlotRequest | undefined): void;
  /** The model has changed. */
  changed(): void;
};

const MIN_PAUSE_MS = 100;
/** A plot that took long is drawn anew after so many times as long. */
const PAUSE_FACTOR = 5;

export function openPlotting(model: Model, breathe: Breath, onPlot: (plot: Plot) => void): Plotting {
  const columns = openColumns(model, breathe);
  let request: PlotRequest | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let notBefore = 0;
  let isDrawing = false;

  async function draw(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (isDrawing) return; // what is asked for by then will be drawn
    isDrawing = true;
    const began = performance.now();
    let drawn: Plot | undefined;
    let isRead = true;
    while (isRead && !drawn && request && model.columns.length > 0 && model.total === undefined) {
      const { x, ys } = axesFor(request);
      drawn = plot(request, x, ys);
      if (!drawn) isRead = await columns.read([x.column, ...ys].filter((column) => column !== ROW_NUMBER));
    }
    isDrawing = false;
    if (drawn) onPlot(drawn);
    const took = performance.now() - began;
    notBefore = performance.now() + Math.max(MIN_PAUSE_MS, took * PAUSE_FACTOR);
  }

  function axesFor(asked: PlotRequest): { readonly x: Axis; readonly ys: readonly number[] } {
    const sample = sampleOf(model.rows);
    const picked = pickAxes(model.columns, model.kinds, sample);
    const x = axisNamed(asked.x) ?? picked.x;
    const chosen = asked.ys?.map((name) => model.columns.indexOf(name)).filter((column) => column !== -1);
    return { x, ys: chosen ?? picked.ys.filter((column) => column !== x.column) };
  }

  /** Undefined if a column must be read first. */
  function plot(asked: PlotRequest, x: Axis, ys: readonly number[]): Plot | undefined {
    const rows = rowsDrawn(asked.last);
    const xs = x.column === ROW_NUMBER ? rowNumbers(rows) : valuesOf(x.column, rows);
    const series = ys.map((column) => valuesOf(column, rows));
    if (!xs || !series.every((values) => values !== undefined)) return undefined;
    const points = pointsOf(xs, series, asked.from, asked.to, asked.points);
    const named = (column: number) => model.columns[column]!;
    const numeric = model.columns.flatMap((_, column) => (model.kinds[column]!.type === "text" ? [] : [column]));
    return {
      ...points,
      x: x.column === ROW_NUMBER ? undefined : named(x.column),
      isTime: x.isTime,
      ys: ys.map(named),
      xChoices: numeric.map(named),
      yChoices: numeric.filter((column) => model.kinds[column]!.type === "number").map(named),
    };
  }

  function axisNamed(name: string | null | undefined): Axis | undefined {
    if (name === undefined) return undefined;
    if (name === null) return { column: ROW_NUMBER, isTime: false };
    const column = model.columns.indexOf(name);
    return column === -1 ? undefined : axisOf(column, model.kinds);
  }

  /** The last so many of those that pass the filter, in the order of the file; undefined: all of the file. */
  function rowsDrawn(last: number): Uint32Array | undefined {
    const { order, rows } = model;
    const count = order.count();
    if (count === rows.length && last >= count) return undefined;
    if (count === rows.length) return Uint32Array.from({ length: last }, (_, i) => count - last + i);
    const all = Uint32Array.from({ length: count }, (_, i) => order.rowAt(i)).sort();
    return last >= count ? all : all.subarray(count - last);
  }

  function rowNumbers(rows: Uint32Array | undefined): Float64Array {
    const numbers = new Float64Array(rows ? rows.length : model.rows.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = (rows ? rows[i]! : i) + 1;
    return numbers;
  }

  function valuesOf(column: number, rows: Uint32Array | undefined): Float64Array | undefined {
    const held = columns.values(column);
    return held && rows ? Float64Array.from(rows, (row) => held[row]!) : held;
  }

  return {
    request(next) {
      request = next;
      void (next ? draw() : columns.read([]));
    },
    changed() {
      if (request) timer ??= setTimeout(draw, Math.max(0, notBefore - performance.now()));
    },
  };
}

/** The numbers of columns: read once, in the background, and then kept up with the model. */
function openColumns(model: Model, breathe: Breath) {
  let held = new Map<number, ColumnValues>();
  let generation = -1;
  let kinds: unknown;

  const isOther = () => generation !== model.generation || kinds !== model.kinds;

  /** Up to date; undefined if it must be read first. */
  function values(column: number): Float64Array | undefined {
    const current = isOther() ? undefined : held.get(column);
    const changes = current && model.since(current.version);
    if (!changes) return undefined;
    for (const splices of changes) spliceColumn(current, splices, column, model.kinds[column]!);
    current.version = model.version;
    return current.values.subarray(0, current.count);
  }

  /** Reads those of them that are not there, and forgets all others. False if that was given up. */
  async function read(wanted: readonly number[]): Promise<boolean> {
    if (isOther()) held = new Map();
    generation = model.generation;
    kinds = model.kinds;
    for (const column of held.keys()) if (!wanted.includes(column)) held.delete(column);
    for (const column of wanted) {
      if (values(column)) continue;
      const current = await readColumn(model.rows, column, model.kinds[column]!, model.version, breathe);
      if (!current) return false;
      if (isOther()) return true;
      held.set(column, current);
    }
    return true;
  }

  return { values, read };
}
