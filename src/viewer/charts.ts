// The charts of a plot, drawn by uPlot: one for all lines, or one below the other for each, with a cursor and a range in common.
import type uPlot from "uplot";
import { type AxisLook, LABEL_PX, numberXAxis, rangeOf, timeAxis, yAxis } from "./axes.ts";
import { element } from "./dom.ts";
import type { Plot } from "./messages.ts";
import { drawnPower, timesPowerOfTen } from "./ticks.ts";
import type { Zone } from "./zones.ts";

/** A line as it is drawn. */
export type Line = { readonly name: string; readonly unit: string | undefined; readonly colour: string };

export type Sheet = {
  readonly plot: Plot;
  readonly lines: readonly Line[];
  readonly isApart: boolean;
  readonly isLog: boolean;
  readonly zone: Zone;
  /** What is shown of the x axis; undefined: all that there is. */
  readonly range: { readonly min: number; readonly max: number } | undefined;
  readonly xLabel: string;
  readonly look: AxisLook;
  readonly width: number;
  readonly height: number;
};

export type Charts = {
  draw(sheet: Sheet): void;
  resize(width: number, height: number): void;
  /** What is shown of the x axis; undefined: nothing. */
  range(): { readonly min: number; readonly max: number } | undefined;
  /** The point of the data that is under the cursor now: as the data move on, it is another. */
  point(): number | undefined;
  readonly canvases: readonly HTMLCanvasElement[];
  clear(): void;
};

export type ChartEvents = {
  /** The cursor is at this point of the data, or at none. */
  onPoint(index: number | undefined): void;
  onZoom(from: number, to: number): void;
  onWhole(): void;
};

/** Below the last chart: labels of the x axis, and its name. */
const X_AXIS_PX = 57;
const MIN_CHART_PX = 64;
const SELECTED_PX = 4;

/** The name of a chart is above it. */
const NAME_PX = 19;

type Place = { readonly index: number; readonly isLast: boolean; readonly isOnly: boolean };

type Data = (number | null | undefined)[][];

/** `Chart` is uPlot, which is loaded when it is needed. */
export function openCharts(Chart: typeof uPlot, host: HTMLElement, events: ChartEvents): Charts {
  let charts: uPlot[] = [];
  let made = ""; // of what kind they are: when it is another, they are made anew
  let isDrawing = false;
  let sizes = { width: 0, height: 0 };
  let axisPx: number[] = []; // of each chart's labels: all have the room that the widest takes, so that one moment is below the other
  const sync = Chart.sync("csvcast");

  /** What each chart draws: its lines, and the power of ten that they are divided by. */
  function parts({ plot, isApart, isLog }: Sheet) {
    const each = plot.series.map((_, i) => [i]);
    const groups = isApart && each.length > 1 ? each : [each.flat()];
    return groups.map((lines) => {
      const series = lines.map((i) => plot.data[i + 1]!);
      const power = drawnPower(
        series.reduce((most, values) => {
          const { low, high } = rangeOf(values);
          return high >= low ? Math.max(most, Math.abs(low), Math.abs(high)) : most;
        }, 0),
      );
      const drawn = (value: number | null | undefined) => {
        if (value === null || value === undefined || (isLog && value <= 0)) return value === undefined ? value : null;
        return timesPowerOfTen(value, -power);
      };
      const ys = power === 0 && !isLog ? series : series.map((values) => values.map(drawn));
      return { lines, power, data: [plot.data[0]!, ...ys] as Data };
    });
  }

  function draw(sheet: Sheet): void {
    const drawn = parts(sheet);
    const { plot, lines, isApart, isLog, zone, xLabel, look } = sheet;
    const kind = JSON.stringify([
      [plot.isTime, plot.zone, isApart, isLog, zone.label, xLabel, look.stroke, look.line],
      drawn.map(({ lines, power }) => [lines.length, power]),
      lines,
    ]);
    isDrawing = true;
    const isNew = kind !== made;
    if (isNew) make(sheet, drawn);
    made = kind;
    charts.forEach((chart, i) => {
      const { range } = sheet;
      chart.batch(() => {
        if (!isNew) chart.setData(drawn[i]!.data as uPlot.AlignedData, range === undefined);
        if (range) chart.setScale("x", range);
      });
    });
    align();
    if (sizes.width !== sheet.width || sizes.height !== sheet.height) resize(sheet.width, sheet.height);
    isDrawing = false;
  }

  function make(sheet: Sheet, drawn: ReturnType<typeof parts>): void {
    clear();
    sizes = { width: sheet.width, height: sheet.height };
    axisPx = drawn.map(() => 0);
    charts = drawn.map(({ lines, power, data }, i) => {
      const place = { index: i, isLast: i === drawn.length - 1, isOnly: drawn.length === 1 };
      const options = optionsFor(sheet, lines, power, place, heightOf(i, drawn.length, sheet.height));
      const chart = new Chart(options, data as uPlot.AlignedData, host);
      if (drawn.length > 1) chart.over.append(nameOf(sheet.lines[lines[0]!]!));
      return chart;
    });
  }

  function nameOf({ name, colour }: Line): HTMLElement {
    const box = element("span", { class: "chart-name" }, name);
    box.style.color = colour;
    return box;
  }

  function align(): void {
    const widest = Math.max(...axisPx);
    if (charts.length > 1 && axisPx.some((px) => px !== widest)) for (const chart of charts) chart.redraw(false, true);
    axisPx.fill(widest);
  }

  /** The widest so far. */
  function sizeAt(index: number, px: number): number {
    axisPx[index] = px;
    return Math.max(...axisPx);
  }

  function optionsFor(sheet: Sheet, shown: readonly number[], power: number, place: Place, height: number) {
    const { plot, lines, isLog, zone, look, xLabel } = sheet;
    const units = new Set(shown.map((i) => lines[i]!.unit ?? ""));
    const isOfDay = plot.zone === "of day";
    const xAxis = plot.isTime ? timeAxis(look, xLabel, isOfDay) : numberXAxis(look, xLabel);
    const { isLast, isOnly } = place;
    const label = units.size === 1 ? [...units][0]! : "";
    const axis = yAxis(look, label, isLog, power);
    const size = (chart: uPlot, labels: string[], i: number, cycle: number) =>
      sizeAt(place.index, (axis.size as (...of: unknown[]) => number)(chart, labels, i, cycle));
    const side = isOnly ? axis : { ...axis, size, labelSize: LABEL_PX * look.scale };
    const options: uPlot.Options = {
      width: sheet.width,
      height,
      ms: 1,
      tzDate: (time) => Chart.tzDate(new Date(time + zone.offsetAt(time)), "Etc/UTC"),
      padding: [isOnly ? 12 : NAME_PX * look.scale, (plot.isTime ? 42 : 30) * look.scale, isLast ? 0 : 4, 0],
      scales: { x: { time: plot.isTime, range: throughLast }, y: isLog ? { distr: 3, log: 10 } : {} },
      series: [{}, ...shown.map((i) => lineOptions(lines[i]!.colour, look.scale))],
      axes: [isLast ? xAxis : withoutLabels(xAxis), side].map((one) => withItsLabel(one, isOnly)),
      legend: { show: false },
      cursor: {
        drag: { x: true, y: false, setScale: false },
        y: false,
        ...(plot.series.length > 1 && sheet.isApart && { sync: { key: sync.key, setSeries: false } }),
      },
      hooks: { setCursor: [pointed], setSelect: [selected] },
      plugins: [{ hooks: { ready: (chart) => chart.over.addEventListener("dblclick", events.onWhole) } }],
    };
    return options;
  }

  function pointed(chart: uPlot): void {
    if (!isDrawing) events.onPoint(chart.cursor.idx ?? undefined);
  }

  function selected(chart: uPlot): void {
    const { left, width } = chart.select;
    if (isDrawing || width < SELECTED_PX) return;
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    events.onZoom(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
  }

  function resize(width: number, height: number): void {
    sizes = { width, height };
    charts.forEach((chart, i) => chart.setSize({ width, height: heightOf(i, charts.length, height) }));
  }

  function clear(): void {
    for (const chart of charts) {
      sync.unsub(chart);
      chart.destroy();
    }
    charts = [];
    made = "";
  }

  return {
    draw,
    resize,
    clear,
    range() {
      const { min, max } = charts[0]?.scales["x"] ?? {};
      return min == null || max == null ? undefined : { min, max };
    },
    point() {
      const [chart] = charts;
      const left = chart?.cursor.left ?? -1;
      return chart && left >= 0 ? chart.posToIdx(left) : undefined;
    },
    get canvases() {
      return charts.map(({ ctx }) => ctx.canvas);
    },
  };
}

/** Of several rows at the greatest x what draws takes one for the last, and none that is beyond: it ends a bit behind it. */
const throughLast = (_: uPlot, min: number, max: number): [number, number] => [
  min,
  max > min ? max + Math.max(Math.abs(min), Math.abs(max)) * 2 ** -51 : max,
];

const withoutLabels = (axis: uPlot.Axis): uPlot.Axis => ({
  ...axis,
  label: "",
  size: 4,
  values: (_, ticks) => ticks.map(() => ""),
});

/** A label of no text takes no room. */
const withItsLabel = ({ label, ...axis }: uPlot.Axis, isOnly: boolean): uPlot.Axis => {
  if (label) return { ...axis, label };
  return axis.scale === "y" && !isOnly ? { ...axis, label: " " } : { ...axis, labelSize: 0 };
};

/** Each has the same room for its lines; the last one has the labels below. */
function heightOf(index: number, count: number, height: number): number {
  if (count === 1) return height;
  const each = Math.max(MIN_CHART_PX, Math.floor((height - X_AXIS_PX) / count));
  return index === count - 1 ? each + X_AXIS_PX : each;
}

function lineOptions(colour: string, scale: number): uPlot.Series {
  return { stroke: colour, width: 1.25 * scale, spanGaps: false, scale: "y", points: { filter: lonelyPoints } };
}

/** Where points are too dense to be shown: those without a neighbour, of which no line would be seen. */
function lonelyPoints(chart: uPlot, index: number, isShown: boolean): number[] | null {
  if (isShown) return null;
  const values = chart.data[index] as readonly (number | null | undefined)[];
  const [from, to] = chart.series[0]!.idxs ?? [0, values.length - 1];
  const lonely: number[] = [];
  let before: number | null = null; // null: broken
  for (let i = Math.max(0, from - 1), at = -1; i <= Math.min(to + 1, values.length); i++) {
    const value = i < values.length ? values[i] : null;
    if (value === undefined) continue;
    if (value === null && at >= 0 && before === null) lonely.push(at);
    before = value !== null && at >= 0 ? values[at]! : null;
    at = value === null ? -1 : i;
  }
  return lonely.length > 0 ? lonely : null;
}
