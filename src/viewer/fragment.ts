// The view of a person, as it stands behind the `#` of the address: never sent to a server (RFC 3986, section 3.5), without the token, and
// the same for whoever opens it. Pure.
//   #filter=price>100&desc=time&hide=note&width=120:name&follow&plot=price&over=time&last=1h&kiosk
import { isOverride, type Override, type Overrides } from "./overrides.ts";
import { ALL_ROWS, NO_PLOT_VIEW, type PlotView, windowOf, windowText } from "./plot-view.ts";
import { type ZoneChoice, ZONES } from "./zones.ts";

export type View = {
  readonly filter: string;
  readonly sort: { readonly column: string; readonly descending: boolean } | undefined;
  readonly hidden: readonly string[];
  /** Columns that stay in view, in front of the others. */
  readonly pinned: readonly string[];
  readonly widths: readonly (readonly [name: string, px: number])[];
  /** What columns are taken for. */
  readonly overrides: Overrides;
  readonly isFollowing: boolean;
  /** Undefined: there is none. */
  readonly plot: PlotView | undefined;
  /** For a wall: without tools, and as large as it gets. */
  readonly isKiosk: boolean;
  /** On a wall the table is shown also where there is a plot. */
  readonly hasTable: boolean;
};

export const NO_VIEW: View = {
  filter: "",
  sort: undefined,
  hidden: [],
  pinned: [],
  widths: [],
  overrides: [],
  isFollowing: false,
  plot: undefined,
  isKiosk: false,
  hasTable: false,
};

/** Without the `#`; "" for a view that is as every page begins. */
export function formatView(view: View): string {
  const { filter, sort, hidden, pinned, widths, overrides, isFollowing, plot, isKiosk, hasTable } = view;
  const parts: (readonly [key: string, value?: string])[] = [
    ...(filter === "" ? [] : [["filter", filter] as const]),
    ...(sort ? [[sort.descending ? "desc" : "sort", sort.column] as const] : []),
    ...hidden.map((name) => ["hide", name] as const),
    ...pinned.map((name) => ["pin", name] as const),
    ...widths.map(([name, px]) => ["width", `${px}:${name}`] as const),
    ...overrides.map(([name, type]) => ["type", `${type}:${name}`] as const),
    ...(isFollowing ? [["follow"] as const] : []),
    ...(plot ? plotParts(plot) : []),
    ...(isKiosk ? [["kiosk"] as const] : []),
    ...(hasTable ? [["table"] as const] : []),
  ];
  return parts.map(([key, value]) => (value === undefined ? key : `${key}=${encoded(value)}`)).join("&");
}

function* plotParts(plot: PlotView): Iterable<readonly [key: string, value?: string]> {
  const { x, ys, split, from, to, isApart, isLog, zone, height } = plot;
  if (ys === undefined) yield ["plot"];
  else if (ys.length === 0) yield ["plot", ""];
  else for (const name of ys) yield ["plot", name];
  if (x === null) yield ["over"];
  else if (x !== undefined) yield ["over", x];
  if (split !== undefined) yield ["split", split];
  if (from !== -Infinity || to !== Infinity) yield ["range", `${from}~${to}`];
  if (windowText(plot) !== "all") yield ["last", windowText(plot)];
  if (isApart !== undefined) yield [isApart ? "apart" : "together"];
  if (isLog) yield ["log"];
  if (zone !== "file") yield ["zone", zone];
  if (height !== undefined) yield ["height", String(height)];
}

/** Only what a fragment cannot have, or would be read as something else: people read it, too (RFC 3986, section 3.5). */
const encoded = (value: string) =>
  encodeURIComponent(value.toWellFormed()).replace(/%(2C|3A|2F|3F|40|24|3B|3D)/g, (code) => decodeURIComponent(code));

/** Of `#…`. Whatever is not understood is left out. */
export function parseView(fragment: string): View {
  const parts = fragment
    .replace(/^#/, "")
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      return at === -1
        ? { key: part, value: undefined }
        : { key: part.slice(0, at), value: decoded(part.slice(at + 1)) };
    });
  const all = (key: string) =>
    parts.flatMap((part) => (part.key === key && part.value !== undefined ? [part.value] : []));
  const has = (key: string) => parts.some((part) => part.key === key);
  const sort = parts.find(({ key, value }) => /^(sort|desc)$/.test(key) && value !== undefined);
  return {
    filter: all("filter")[0] ?? "",
    sort: sort && { column: sort.value!, descending: sort.key === "desc" },
    hidden: all("hide"),
    pinned: all("pin"),
    widths: all("width").flatMap(widthOf),
    overrides: all("type").flatMap(overrideOf),
    isFollowing: has("follow"),
    plot: has("plot") ? plotOf(all, has) : undefined,
    isKiosk: has("kiosk"),
    hasTable: has("table"),
  };
}

function plotOf(all: (key: string) => string[], has: (key: string) => boolean): PlotView {
  const [from = Number.NaN, to = Number.NaN] = (all("range")[0] ?? "").split("~").map(Number);
  const height = Number(all("height")[0]);
  const zone = ZONES.find((choice): choice is ZoneChoice => choice === all("zone")[0]);
  const ys = all("plot");
  return {
    ...NO_PLOT_VIEW,
    x: all("over")[0] ?? (has("over") ? null : undefined),
    ys: ys.length === 0 ? undefined : ys.filter((name) => name !== "" || ys.length > 1),
    split: all("split")[0],
    ...(to > from && { from, to }),
    ...(windowOf(all("last")[0] ?? "") ?? ALL_ROWS),
    isApart: has("apart") ? true : has("together") ? false : undefined,
    isLog: has("log"),
    zone: zone ?? "file",
    height: height > 0 && height < 1e4 ? Math.round(height) : undefined,
  };
}

function widthOf(text: string): [name: string, px: number][] {
  const [, px, name] = /^(\d{1,5}):(.*)$/s.exec(text) ?? [];
  return px === undefined ? [] : [[name!, Number(px)]];
}

function overrideOf(text: string): [name: string, type: Override][] {
  const [, type = "", name] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  return name !== undefined && isOverride(type) ? [[name, type]] : [];
}

/** Somebody may have typed it: a percent sign that encodes nothing is one. */
const decoded = (text: string) => text.replace(/(?:%[\da-f]{2})+/gi, decodedRun);

function decodedRun(codes: string): string {
  try {
    return decodeURIComponent(codes);
  } catch {
    return codes;
  }
}
