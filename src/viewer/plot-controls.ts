// The controls above a plot: what is drawn, over what, how much of it, and how.
import { many, number } from "./captions.ts";
import { element, setText } from "./dom.ts";
import type { Plot } from "./messages.ts";
import { MAX_SERIES } from "./plotting.ts";
import { ALL_ROWS, type PlotView, WHOLE, windowOf, windowText } from "./plot-view.ts";
import { labelOf } from "./readout.ts";
import type { ZoneChoice } from "./zones.ts";

export type PlotControls = {
  readonly box: HTMLElement;
  show(plot: Plot, view: PlotView, isApart: boolean, colourOf: (column: string) => string): void;
  /** In place of how many points there are. */
  say(text: string): void;
};

export type ControlEvents = {
  onChange(change: Partial<PlotView>): void;
  onImage(): void;
};

const WINDOWS = ["all", "1000rows", "10000rows", "100000rows"];
const TIME_WINDOWS = ["5min", "1h", "1d"];
const OWN = "own";
const MAX_LISTED = 2_000;
/** Until the hint says again how much is drawn. */
const SAID_MS = 4_000;

export function openPlotControls({ onChange, onImage }: ControlEvents): PlotControls {
  let plot: Plot | undefined;
  let asked: readonly string[] | undefined;
  let isApart = false;
  let saidUntil = 0;
  const button = (text: string, title: string, onclick: () => void) =>
    element("button", { type: "button", title, onclick }, text);
  const select = (label: string, onchange: () => void) => element("select", { "aria-label": label, onchange });
  const chips = element("div", { class: "chips" });
  const xSelect = select("Over", () => onChange({ x: chosen(xSelect) ?? null, ...WHOLE }));
  const addSelect = select("Add a series", add);
  const splitSelect = select("Split by", () => onChange({ split: chosen(splitSelect) }));
  const windowSelect = select("Rows", pickWindow);
  const own = element("input", { type: "text", size: 9, "aria-label": "Rows or time", onchange: takeOwn });
  own.placeholder = "90 min, 500";
  const zoneSelect = select("Zone", () => onChange({ zone: zoneSelect.value as ZoneChoice }));
  const apart = button("Separate", "A chart with its own axis for each series", () => onChange({ isApart: !isApart }));
  const log = button("Log", "Logarithmic axis", () => onChange({ isLog: log.ariaPressed !== "true" }));
  const whole = button("Whole range", "Show all again (double-click, or 0)", () => onChange(WHOLE));
  const image = button("PNG", "Save as a picture", onImage);
  const hint = element("span", { class: "muted", role: "status" });
  const labelled = (text: string, control: HTMLElement) => element("label", {}, text, control);
  const splitBox = labelled("split by", splitSelect);
  const over = labelled("over", xSelect);
  const box = element("div", { class: "plot-controls" });
  box.append(chips, addSelect, over, splitBox, windowSelect, own, zoneSelect, apart, log, image, whole, hint);
  box.hidden = own.hidden = true; // until there is something to choose from
  for (const [value, text] of Object.entries(ZONE_WORDS)) zoneSelect.append(element("option", { value }, text));

  function add(): void {
    const name = chosen(addSelect);
    addSelect.value = "";
    const columns = wanted();
    if (name === undefined) return;
    if (columns.length >= MAX_SERIES) return say(`${MAX_SERIES} series are the most: take one out first.`);
    onChange({ ys: [...columns, name] });
  }

  /** Those that were asked for last: what is drawn may be behind that. */
  function wanted(): readonly string[] {
    const there = asked?.filter((name) => plot?.yChoices.includes(name));
    return there && (there.length > 0 || asked!.length === 0) ? there : columnsOf(plot);
  }

  function pickWindow(): void {
    own.hidden = windowSelect.value !== OWN;
    if (!own.hidden) own.focus();
    else onChange({ ...(windowOf(windowSelect.value) ?? ALL_ROWS), ...WHOLE });
  }

  function takeOwn(): void {
    const window = windowOf(own.value);
    own.setAttribute("aria-invalid", String(!window));
    if (window) onChange({ ...window, ...WHOLE });
    else say("Rows, such as 500, or a time, such as 90 min.");
  }

  function say(text: string): void {
    saidUntil = performance.now() + SAID_MS;
    setText(hint, text);
  }

  function show(next: Plot, view: PlotView, areApart: boolean, colourOf: (column: string) => string): void {
    plot = next;
    box.hidden = false;
    asked = view.ys;
    isApart = areApart;
    const columns = columnsOf(plot);
    showChips(columns, colourOf);
    fillOnce(
      addSelect,
      plot.yChoices.filter((name) => !columns.includes(name)),
      "Add…",
    );
    addSelect.hidden = addSelect.options.length < 2;
    fillOnce(xSelect, plot.xChoices, "row number");
    put(xSelect, plot.x === undefined ? "" : `=${plot.x}`);
    fillOnce(splitSelect, plot.splitChoices, "nothing");
    put(splitSelect, plot.split === undefined ? "" : `=${plot.split}`);
    splitBox.hidden = plot.splitChoices.length === 0;
    showWindow(view, plot.isTime);
    zoneSelect.hidden = !plot.isTime || plot.zone === "of day";
    put(zoneSelect, view.zone);
    apart.hidden = plot.series.length < 2;
    apart.ariaPressed = String(areApart);
    log.ariaPressed = String(view.isLog);
    whole.hidden = view.from === -Infinity && view.to === Infinity;
    if (performance.now() > saidUntil) setText(hint, hintOf(plot, view));
  }

  function showChips(columns: readonly string[], colourOf: (column: string) => string): void {
    const key = JSON.stringify([columns, columns.map(colourOf)]);
    if (chips.dataset["key"] === key) return;
    chips.dataset["key"] = key;
    chips.replaceChildren(
      ...columns.map((name) => {
        const swatch = element("span", { class: "swatch" });
        swatch.style.background = colourOf(name);
        const remove = () => onChange({ ys: wanted().filter((other) => other !== name) });
        const title = `Take ${labelOf(name)} out`;
        return element("button", { type: "button", title, onclick: remove }, swatch, `${labelOf(name)} ✕`);
      }),
    );
  }

  function showWindow(view: PlotView, isTime: boolean): void {
    const values = [...WINDOWS, ...(isTime ? TIME_WINDOWS : [])];
    const key = values.join();
    if (windowSelect.dataset["key"] !== key) {
      windowSelect.dataset["key"] = key;
      const options = [...values, OWN].map((value) => element("option", { value }, windowWords(value)));
      windowSelect.replaceChildren(...options);
    }
    const text = windowText(view);
    const isListed = values.includes(text);
    if (isListed && !own.hidden && document.activeElement === own) return; // it is being typed
    if (document.activeElement !== windowSelect || isListed) put(windowSelect, isListed ? text : OWN);
    own.hidden = windowSelect.value !== OWN;
    if (!isListed && document.activeElement !== own) own.value = text.replace(/(?<=\d)(?=[a-z])/, " ");
  }

  return { box, show, say };
}

const ZONE_WORDS: Readonly<Record<ZoneChoice, string>> = { file: "file time", utc: "UTC", local: "local time" };

function windowWords(value: string): string {
  if (value === "all") return "all rows";
  if (value === OWN) return "own…";
  const [, count = "", unit = ""] = /^(\d+)(\D+)$/.exec(value) ?? [];
  return unit === "rows" ? `last ${number(Number(count))}` : `last ${count === "1" ? "" : `${count} `}${WORDS[unit]}`;
}

const WORDS: Readonly<Record<string, string>> = { min: "minutes", h: "hour", d: "day" };

/** Those that are drawn; of one that is split by words, the column. */
const columnsOf = (plot: Plot | undefined) => [...new Set(plot?.series.map(({ column }) => column))];

function hintOf(plot: Plot, { isLog, ys = [] }: PlotView): string {
  if (plot.yChoices.length === 0) return "No column is numeric: there is nothing to draw.";
  if (plot.series.length === 0 && plot.linesLeft === 0) return plot.count === 0 ? "No rows to draw." : "Add a series.";
  const wanted = new Set(ys.filter((name) => plot.yChoices.includes(name))).size;
  const below = isLog
    ? plot.data
        .slice(1)
        .flat()
        .filter((value) => value != null && value <= 0).length
    : 0;
  return [
    plot.count === 0 ? "No rows to draw." : many(plot.count, "point"),
    ...(wanted > MAX_SERIES ? [`${MAX_SERIES} series are the most, and ${number(wanted)} were asked for`] : []),
    ...(plot.linesLeft > 0 ? [`${number(plot.linesLeft)} more of ${labelOf(plot.split ?? "")} are not drawn`] : []),
    ...(below > 0 ? ["values of 0 and below have no place on a logarithmic axis"] : []),
  ].join(" · ");
}

/** The name in the value of an option; undefined for the one that is no column. */
const chosen = ({ value }: HTMLSelectElement) => (value === "" ? undefined : value.slice(1));

function put(select: HTMLSelectElement, value: string): void {
  if (select.value !== value) select.value = value;
}

/** An open list is not filled anew under the pointer for the same names. */
function fillOnce(select: HTMLSelectElement, names: readonly string[], none: string): void {
  const key = JSON.stringify(names);
  if (select.dataset["key"] === key) return;
  select.dataset["key"] = key;
  const options = names.slice(0, MAX_LISTED).map((name) => element("option", { value: `=${name}` }, labelOf(name)));
  select.replaceChildren(element("option", { value: "" }, none), ...options);
}
