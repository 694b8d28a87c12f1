// Plots for the page, as they are asked for and again when the table has changed, as often as the work allows.
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

export type Plotting = {
  /** Undefined: nothing is drawn any more. */
  request(request: PlotRequest | undefined): void;
  /** The model has changed. */
  changed(): void;
};

const MIN_PAUSE_MS = 100;
/** A plot that took long is drawn anew after so many times as long. */
const PAUSE_FACTOR = 5;

export function openPlotting(model: Model, onPlot: (plot: Plot) => void): Plotting {
  let request: PlotRequest | undefined;
  let columns = new Map<number, ColumnValues>();
  let generation = -1;
  let kinds: unknown;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let notBefore = 0;

  function draw(): void {
    clearTimeout(timer);
    timer = undefined;
    if (!request || model.columns.length === 0) return;
    const began = performance.now();
    onPlot(plot(request));
    const took = performance.now() - began;
    notBefore = performance.now() + Math.max(MIN_PAUSE_MS, took * PAUSE_FACTOR);
  }

  function plot(asked: PlotRequest): Plot {
    if (generation !== model.generation || kinds !== model.kinds) columns = new Map();
    generation = model.generation;
    kinds = model.kinds;
    const sample = sampleOf(model.rows);
    const picked = pickAxes(model.columns, model.kinds, sample);
    const x = axisNamed(asked.x) ?? picked.x;
    const chosen = asked.ys?.map((name) => model.columns.indexOf(name)).filter((column) => column !== -1);
    const ys = chosen ?? picked.ys.filter((column) => column !== x.column);
    for (const column of columns.keys()) if (column !== x.column && !ys.includes(column)) columns.delete(column);
    const rows = rowsDrawn(asked.last);
    const xs = x.column === ROW_NUMBER ? rowNumbers(rows) : drawn(x.column, rows);
    const points = pointsOf(
      xs,
      ys.map((column) => drawn(column, rows)),
      asked.from,
      asked.to,
      asked.points,
    );
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
    return rows ? Float64Array.from(rows, (row) => row + 1) : Float64Array.from(model.rows, (_, row) => row + 1);
  }

  function drawn(column: number, rows: Uint32Array | undefined): Float64Array {
    const { values, count } = upToDate(column);
    return rows ? Float64Array.from(rows, (row) => values[row]!) : values.subarray(0, count);
  }

  function upToDate(column: number): ColumnValues {
    const held = columns.get(column);
    const kind = model.kinds[column]!;
    const changes = held && model.since(held.version);
    const current = held && changes ? held : readColumn(model.rows, column, kind, model.version);
    if (held && changes) for (const splices of changes) spliceColumn(current, splices, column, kind);
    current.version = model.version;
    columns.set(column, current);
    return current;
  }

  return {
    request(next) {
      request = next;
      draw();
    },
    changed() {
      if (request) timer ??= setTimeout(draw, Math.max(0, notBefore - performance.now()));
    },
  };
}
