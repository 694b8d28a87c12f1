// The plot panel: numeric columns over a time or a number. What is drawn comes from the Worker, for as many points as there are pixels;
// zooming asks for those of the part. Choices are in `plot-controls.ts`, the drawing in `charts.ts`.
import type uPlot from "uplot";
import { rangesDiffer } from "./axes.ts";
import { openCharts, type Line } from "./charts.ts";
import { COLOURS, DARK_COLOURS, openPlaces } from "./colours.ts";
import { byId, element, setText } from "./dom.ts";
import { measuring } from "./measure.ts";
import type { Plot, PlotRequest } from "./messages.ts";
import { openPlotControls } from "./plot-controls.ts";
import { heightEdge, listenToGestures, MIN_HEIGHT } from "./plot-gestures.ts";
import { pictureOf } from "./plot-image.ts";
import { NO_PLOT_VIEW, type PlotView, type Range, WHOLE } from "./plot-view.ts";
import { MAX_SERIES } from "./plotting.ts";
import { isPrinting } from "./print.ts";
import { labelOf, plotLabel, readoutAt, seriesName } from "./readout.ts";
import { type Zone, zoneFor } from "./zones.ts";

export type PlotPanel = {
  isOpen(): boolean;
  toggle(): void;
  draw(plot: Plot): void;
  view(): PlotView;
  /** Draws this column too, and opens. */
  add(column: string): void;
  /** Opens it as it was chosen elsewhere. */
  setView(view: PlotView): void;
};

export type PlotEvents = {
  onRequest(request: PlotRequest | undefined): void;
  /** Something was chosen, or it was opened or closed. */
  onView(): void;
  onImage(blob: Blob): void;
  /** What the file is called. */
  readonly title: () => string;
};

const NARROW = 700;
const HEIGHT = 230;
const NARROW_HEIGHT = 180;
/** Of each chart, if there are several. */
const EACH_HEIGHT = 104;

/** `Chart` is uPlot; `scale`: so much larger than usual is all text. */
export function openPlotPanel(
  Chart: typeof uPlot,
  scale: number,
  { onRequest, onView, onImage, title }: PlotEvents,
): PlotPanel {
  const panel = byId("plot-panel");
  const canvas = element("div", { class: "canvas", role: "img", tabindex: 0 });
  const legend = element("ul", { class: "legend" });
  const controls = openPlotControls({ onChange: choose, onImage: () => void save() });
  const edge = heightEdge(height, (px) => choose({ height: px }));
  panel.append(controls.box, canvas, legend, edge);
  const charts = openCharts(Chart, canvas, { onPoint: showLegend, onZoom: zoom, onWhole: () => choose(WHOLE) });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const measure = measuring();
  const places = openPlaces(COLOURS.length);
  let view = NO_PLOT_VIEW;
  let shown: Plot | undefined;
  let named = ""; // the lines of the legend
  let ranges = { key: "", differ: false };
  dark.addEventListener("change", redraw);
  for (const type of ["beforeprint", "afterprint"]) addEventListener(type, redraw);
  new ResizeObserver(() => requestAnimationFrame(() => shown && charts.resize(width(), height()))).observe(canvas);
  listenToGestures(canvas, {
    range: charts.range,
    onRange: ({ min, max }) => zoom(min, max),
    onWhole: () => choose(WHOLE),
  });

  function choose(change: Partial<PlotView>): void {
    view = { ...view, ...change };
    ask();
    onView();
    redraw();
  }

  function ask(): void {
    const { x, ys, split, from, to, last, lastMs } = view;
    const points = Math.max(500, Math.round(canvas.clientWidth * devicePixelRatio * 2));
    onRequest({ x, ys, split, from, to, last, lastMs, points });
  }

  function zoom(from: number, to: number): void {
    if (to > from && Number.isFinite(to - from)) choose({ from, to });
  }

  /** As the ranges were when these series were chosen: it does not change while one looks. */
  function areApart({ series, data }: Plot): boolean {
    const key = JSON.stringify(series);
    if (ranges.key !== key) ranges = { key, differ: series.length > 1 && rangesDiffer(data.slice(1)) };
    return view.isApart ?? (ranges.differ && view.split === undefined && !view.isLog);
  }

  function redraw(): void {
    if (shown) draw(shown);
  }

  function draw(plot: Plot): void {
    if (panel.hidden) return;
    shown = plot;
    const isApart = areApart(plot);
    const lines = linesOf(plot);
    canvas.ariaLabel = plotLabel(plot);
    edge.ariaValueNow = String(height());
    controls.show(plot, view, isApart, (column) => lines.find((_, i) => plot.series[i]!.column === column)!.colour);
    const style = getComputedStyle(document.documentElement);
    const font = `${Math.round(12 * scale)}px ${getComputedStyle(document.body).fontFamily}`;
    const colours = { stroke: style.getPropertyValue("--muted"), line: style.getPropertyValue("--line") };
    charts.draw({
      plot,
      lines,
      isApart,
      isLog: view.isLog,
      zone: zone(plot),
      range: rangeOf(plot),
      xLabel: xLabelOf(plot),
      look: { ...colours, font, scale, measure: (text) => measure(text, false) },
      width: width(),
      height: height(),
    });
    if (named !== JSON.stringify(lines)) legend.replaceChildren(...legendOf(lines));
    named = JSON.stringify(lines);
    showLegend(charts.point());
  }

  function rangeOf(plot: Plot): Range | undefined {
    if (view.from !== -Infinity || view.to !== Infinity) return { min: view.from, max: view.to };
    return plot.from === -Infinity || plot.high <= plot.from ? undefined : { min: plot.from, max: plot.high };
  }

  function xLabelOf(plot: Plot): string {
    if (plot.x === undefined) return "row";
    const name = labelOf(plot.x);
    if (plot.isTime) return `${name} (${zone(plot).label})`;
    return plot.xUnit && !name.includes(plot.xUnit) ? `${name} (${plot.xUnit})` : name;
  }

  const zone = (plot: Plot): Zone => zoneFor(view.zone, plot.zone, localName);

  function linesOf({ series }: Plot): Line[] {
    const isOnly = new Set(series.map(({ column }) => column)).size === 1;
    const keys = series.map(({ column, word }) => JSON.stringify([column, word]));
    const place = places(keys);
    const colours = dark.matches && !isPrinting() ? DARK_COLOURS : COLOURS;
    return series.map((one, i) => ({
      name: seriesName(one, isOnly),
      unit: one.unit,
      colour: colours[place[i]!]!,
    }));
  }

  function showLegend(index: number | undefined): void {
    if (!shown) return;
    const { x, values } = readoutAt(shown, index, zone(shown));
    [x, ...values].forEach((text, i) => {
      const box = legend.children[i]?.lastElementChild;
      if (box instanceof HTMLElement) setText(box, text);
    });
    legend.toggleAttribute("data-newest", index === undefined);
  }

  async function save(): Promise<void> {
    if (!shown) return;
    const style = getComputedStyle(document.body);
    const { values } = readoutAt(shown, undefined, zone(shown));
    const blob = await pictureOf({
      title: title(),
      lines: linesOf(shown).map((line, i) => ({ ...line, value: values[i]! })),
      canvases: charts.canvases,
      background: style.backgroundColor,
      text: style.color,
      font: style.fontFamily,
    });
    if (blob) onImage(blob);
  }

  const width = () => Math.max(200, canvas.clientWidth);

  /** Lower where the page is narrow; all that there is on a wall. */
  function height(): number {
    if (document.body.classList.contains("kiosk")) return Math.max(MIN_HEIGHT, canvas.clientHeight);
    if (view.height !== undefined) return view.height;
    const usual = canvas.clientWidth < NARROW ? NARROW_HEIGHT : HEIGHT;
    const count = shown && areApart(shown) ? shown.series.length : 1;
    return Math.min(Math.max(usual, count * EACH_HEIGHT), Math.max(usual, innerHeight / 2));
  }

  return {
    isOpen: () => !panel.hidden,
    toggle() {
      panel.hidden = !panel.hidden;
      if (panel.hidden) onRequest(undefined);
      else ask();
      onView();
    },
    draw,
    add(column) {
      const ys = [...new Set(shown && !panel.hidden ? shown.series.map((one) => one.column) : view.ys)];
      if (ys.length >= MAX_SERIES) return controls.say(`${MAX_SERIES} series are the most: take one out first.`);
      panel.hidden = false;
      choose({ ys: ys.includes(column) ? ys : [...ys, column] });
    },
    view: () => view,
    setView(next) {
      view = next;
      panel.hidden = false;
      ask();
      onView();
      redraw();
    },
  };
}

function legendOf(lines: readonly Line[]): HTMLElement[] {
  const x = element("li", { class: "muted" }, element("span", {}));
  return [
    x,
    ...lines.map(({ name, colour }) => {
      const swatch = element("span", { class: "swatch" });
      swatch.style.background = colour;
      return element("li", {}, swatch, `${name} `, element("b", {}));
    }),
  ];
}

const localName = () => `${Intl.DateTimeFormat().resolvedOptions().timeZone} (this machine)`;
