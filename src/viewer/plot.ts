// The plot panel: numeric columns over a time or a number, drawn by uPlot. What is drawn comes from the Worker, for as many points as
// there are pixels; zooming asks for those of the part.
import uPlot from "uplot";
import { axisSize, rangesDiffer, TIMES } from "./axes.ts";
import { number } from "./captions.ts";
import { shownText } from "./cells.ts";
import { byId, element } from "./dom.ts";
import type { Plot, PlotRequest } from "./messages.ts";

export type PlotPanel = {
  isOpen(): boolean;
  toggle(): void;
  draw(plot: Plot): void;
  /** Other columns: what was chosen may be there no more. */
  reset(): void;
};

const COLOURS = ["#2563eb", "#e0693a", "#159a78", "#a347c9", "#c28a00", "#d13f6b", "#4b7f1f", "#6a6f7a"];
const DARK_COLOURS = ["#7aa8ff", "#ff9a6c", "#4fd1a8", "#d18bff", "#f2c14e", "#ff84a8", "#9ed36a", "#b3bac6"];
const MAX_SERIES = 8;
const NARROW = 700;
const LASTS = [1_000, 10_000, 100_000];

export function openPlotPanel(onRequest: (request: PlotRequest | undefined) => void): PlotPanel {
  const panel = byId("plot-panel");
  const xSelect = element("select", {
    "aria-label": "Over",
    onchange: () => choose({ x: chosen(xSelect) ?? null, ...ALL }),
  });
  const addSelect = element("select", { "aria-label": "Add a series", onchange: add });
  const lastSelect = element("select", { "aria-label": "Rows", onchange: () => choose(ALL) });
  const chips = element("div", { class: "chips" });
  const apart = element(
    "button",
    { type: "button", title: "Each series in its own range", onclick: toggleScales },
    "Own scales",
  );
  const whole = element("button", { type: "button", onclick: () => choose(ALL) }, "Whole range");
  const canvas = element("div", { class: "canvas" });
  const hint = element("span", { class: "muted" });
  lastSelect.append(element("option", { value: "Infinity" }, "all rows"));
  for (const last of LASTS) lastSelect.append(element("option", { value: last }, `last ${number(last)}`));
  panel.append(
    element(
      "div",
      { class: "plot-controls" },
      chips,
      addSelect,
      element("label", {}, "over", xSelect),
      lastSelect,
      apart,
      whole,
      hint,
    ),
    canvas,
  );
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chart: uPlot | undefined;
  let shape = ""; // of the chart: when it is another, the chart is made anew
  let asked: PlotRequest = { x: undefined, ys: undefined, last: Infinity, points: 4_000, ...ALL };
  let shown: Plot | undefined;
  let isApart: boolean | undefined; // undefined: as the ranges are
  let ranges = { key: "", differ: false };
  let isSetting = false;
  dark.addEventListener("change", remake);
  new ResizeObserver(() => requestAnimationFrame(() => chart?.setSize(sizeOf(canvas)))).observe(canvas);

  function choose(change: Partial<PlotRequest>): void {
    const points = Math.max(500, Math.round(canvas.clientWidth * devicePixelRatio * 2));
    asked = { ...asked, last: Number(lastSelect.value), points, ...change };
    onRequest(asked);
  }

  function add(): void {
    const name = chosen(addSelect);
    if (name !== undefined && shown) choose({ ys: [...shown.ys, name].slice(-MAX_SERIES) });
  }

  function remove(name: string): void {
    if (shown) choose({ ys: shown.ys.filter((other) => other !== name) });
  }

  function toggleScales(): void {
    isApart = shown && !areApart(shown);
    remake();
  }

  /** As the ranges were when these series were chosen: it does not change while one looks. */
  function areApart(plot: Plot): boolean {
    const key = JSON.stringify(plot.ys);
    if (ranges.key !== key) ranges = { key, differ: rangesDiffer(plot) };
    return isApart ?? ranges.differ;
  }

  function remake(): void {
    shape = "";
    if (shown) draw(shown);
  }

  function draw(plot: Plot): void {
    if (panel.hidden) return;
    shown = plot;
    drawControls(plot);
    apart.setAttribute("aria-pressed", String(areApart(plot)));
    const next = JSON.stringify([plot.x, plot.isTime, plot.ys, areApart(plot)]);
    const data = plot.data as unknown as uPlot.AlignedData;
    if (next !== shape) {
      chart?.destroy();
      shape = next;
      chart = new uPlot(optionsFor(plot), data, canvas);
      return;
    }
    const isWhole = asked.from === -Infinity;
    isSetting = true;
    chart?.batch(() => {
      chart?.setData(data, isWhole);
      if (!isWhole) chart?.setScale("x", { min: asked.from, max: asked.to });
    });
    isSetting = false;
  }

  function drawControls(plot: Plot): void {
    const colours = coloursNow();
    const key = JSON.stringify([plot.ys, plot.xChoices, plot.yChoices, plot.x, dark.matches]);
    if (chips.dataset["key"] !== key) {
      chips.dataset["key"] = key;
      chips.replaceChildren(
        ...plot.ys.map((name, i) => {
          const swatch = element("span", { class: "swatch" });
          swatch.style.background = colours[i % colours.length]!;
          const title = `Take ${shownText(name)} out`;
          return element(
            "button",
            { type: "button", title, onclick: () => remove(name) },
            swatch,
            `${labelOf(name)} ✕`,
          );
        }),
      );
      const rest = plot.yChoices.filter((name) => !plot.ys.includes(name));
      addSelect.replaceChildren(element("option", { value: "" }, "Add…"), ...options(rest));
      addSelect.hidden = rest.length === 0;
      xSelect.replaceChildren(element("option", { value: "" }, "row number"), ...options(plot.xChoices));
      xSelect.value = plot.x === undefined ? "" : `=${plot.x}`;
    }
    whole.hidden = asked.from === -Infinity;
    hint.textContent =
      plot.yChoices.length === 0
        ? "No column is numeric: there is nothing to draw."
        : plot.ys.length === 0
          ? "Add a series."
          : `${number(plot.count)} points`;
  }

  const coloursNow = () => (dark.matches ? DARK_COLOURS : COLOURS);

  function optionsFor(plot: Plot): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const line = style.getPropertyValue("--line");
    const axis: uPlot.Axis = {
      stroke: style.getPropertyValue("--muted"),
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1 },
      font: `12px ${style.fontFamily}`,
    };
    const colours = coloursNow();
    const isOwn = areApart(plot);
    const scaleOf = (i: number) => (isOwn ? `y${i}` : "y");
    const series = plot.ys.map((label, i) => ({
      label: labelOf(label),
      scale: scaleOf(i),
      stroke: colours[i % colours.length]!,
      width: 1.25,
      spanGaps: false,
      value: (_: uPlot, value: number | null) => (value === null ? "–" : String(value)),
    }));
    const sides = (isOwn ? plot.ys.slice(0, 2) : ["y"]).map((_, i) => ({
      ...axis,
      scale: scaleOf(i),
      side: i === 0 ? 3 : 1,
      size: axisSize,
      ...(isOwn && { stroke: colours[i % colours.length]! }),
      ...(i > 0 && { grid: { show: false } }),
    }));
    return {
      ...sizeOf(canvas),
      ms: 1,
      tzDate: (time) => uPlot.tzDate(new Date(time), "Etc/UTC"),
      scales: { x: { time: plot.isTime } },
      series: [
        {
          label: plot.x === undefined ? "row" : labelOf(plot.x),
          ...(plot.isTime && { value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" }),
        },
        ...series,
      ],
      axes: [{ ...axis, ...(plot.isTime && { values: TIMES }) }, ...sides] as uPlot.Axis[],
      cursor: { drag: { x: true, y: false, setScale: false } },
      hooks: {
        setSelect: [
          (made) => {
            if (isSetting || made.select.width < 4) return;
            const from = made.posToVal(made.select.left, "x");
            const to = made.posToVal(made.select.left + made.select.width, "x");
            made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            choose({ from, to });
          },
        ],
      },
      plugins: [{ hooks: { ready: (made) => made.over.addEventListener("dblclick", () => choose(ALL)) } }],
    };
  }

  return {
    isOpen: () => !panel.hidden,
    toggle() {
      panel.hidden = !panel.hidden;
      if (panel.hidden) onRequest(undefined);
      else choose({});
    },
    draw,
    reset() {
      asked = { ...asked, x: undefined, ys: undefined, ...ALL };
      isApart = undefined;
      shape = "";
      chart?.destroy();
      chart = undefined;
      if (!panel.hidden) choose({});
    },
  };
}

const ALL = { from: -Infinity, to: Infinity };

/** A column may have no name: pandas writes its index so. */
const labelOf = (name: string) => shownText(name) || "(no name)";

/** The name in the value of an option; undefined for the one that is no column. */
const chosen = ({ value }: HTMLSelectElement) => (value === "" ? undefined : value.slice(1));

const options = (names: readonly string[]) =>
  names.slice(0, 2_000).map((name) => element("option", { value: `=${name}` }, labelOf(name)));

/** Lower where the page is narrow. The legend comes below it. */
const sizeOf = (canvas: HTMLElement) => ({
  width: Math.max(200, canvas.clientWidth),
  height: canvas.clientWidth < NARROW ? 150 : 212,
});
