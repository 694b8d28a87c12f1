// The page: wires the Worker, the table, the badge, the plot and the tools together.
import type { ConnectionState } from "../follow/subscriber.ts";
import { openAddress } from "./address.ts";
import { openBadge } from "./badge.ts";
import { emptyText, hiddenText, shapeText } from "./captions.ts";
import { shownText } from "./cells.ts";
import { openDetails } from "./details.ts";
import { openColumns, openConnect, openDownload, openHelp } from "./dialogs.ts";
import { byId, element, setText } from "./dom.ts";
import { downloadName } from "./export.ts";
import { openFilterBox } from "./filter-box.ts";
import { parseView, type View } from "./fragment.ts";
import { openFooter } from "./footer.ts";
import { openFresh } from "./fresh.ts";
import { openGrid } from "./grid.ts";
import { askHealth } from "./health.ts";
import { listenToKeys } from "./keys.ts";
import type { ColumnFacts, Facts, FromWorker, ToWorker } from "./messages.ts";
import type { Rules } from "./model.ts";
import { openPlotPanel, type PlotPanel } from "./plot.ts";
import { listenToPointer } from "./pointer.ts";
import { openPrinting } from "./print.ts";
import { ROW_HEIGHT } from "./rows.ts";
import { askForToken, askNoMore, takeToken } from "./token.ts";
import { type Listed, tablePath } from "./listed.ts";
import { keepView, openTables } from "./tables.ts";
import type { Situation } from "./verdict.ts";

const BADGE_MS = 500;
const MOST_SILENT = 20;
/** A regular expression may be in it. */
const PATTERN = /\/.+\//;
/** After the last word of the server on the state of its file. */
const LOOK_MS = 200;

/** A file that was written to this long ago is being written. */
const WRITTEN_MS = 600_000;

/** `script` is where this script came from: it is the Worker's, too. */
export function startPage(script: URL): void {
  const worker = new Worker(script, { type: "module" });
  const say = (message: ToWorker) => worker.postMessage(message);
  const press = (id: string, isPressed: boolean) => byId(id).setAttribute("aria-pressed", String(isPressed));
  const badge = openBadge();
  const guard = { isOn: false };
  const here = tablePath(location.pathname);
  let tables: readonly Listed[] = [];
  let token = takeToken();
  const asked = parseView(location.hash); // after the token is out of it
  const scale = openWall(asked);
  let rules: Rules = { sort: undefined, filter: "" };
  let facts: Facts | undefined;
  let isTouched = location.hash.length > 1; // else it begins where the file is written
  let looking: ReturnType<typeof setTimeout> | undefined;
  let silent = 0; // times that the badge was drawn since the Worker said something
  let serverChangedAt: number | undefined; // what the server said when we came
  let situation: Situation = {
    status: undefined,
    connection: "connecting",
    why: "",
    changedAt: undefined,
    heardAt: undefined,
    aliveAt: performance.now(),
    isPaused: false,
    isBehind: false,
    loaded: undefined,
    rows: 0,
    file: "",
  };

  const grid = openGrid(byId("grid"), Math.round(ROW_HEIGHT * scale), {
    onLook: (look) => say({ type: "look", look }),
    onFollowing(isFollowing) {
      press("follow", isFollowing);
      address.changed();
    },
    onDrawn: showFresh,
    onSelected: () => footer.selected(),
  });
  const footer = openFooter(grid, guard, say);
  const details = openDetails(grid, say, {
    onSort: (column, descending) => setRules({ sort: descending === undefined ? undefined : { column, descending } }),
    onTerm: (term) => filterBox.set(`${filterBox.input.value.trim()} ${term}`.trim()),
    onPlot: (column) => void plotPanel().then((panel) => panel.add(column)),
    override: (column) => new Map(rules.overrides).get(column),
    onType(column, type) {
      const others = (rules.overrides ?? []).filter(([name]) => name !== column);
      setRules({ overrides: type ? [...others, [column, type]] : others });
    },
    onColumns: columnsChanged,
  });
  const printing = openPrinting(grid, (look) => say({ type: "print", look }));
  const fresh = openFresh(() => grid.follow(true));
  const filterBox = openFilterBox({
    onFilter: (filter) => setRules({ filter }),
    onLeave: () => grid.scroller.focus(),
    columns: () => grid.layout.columns,
  });
  const address = openAddress(view, showView);
  let plot: PlotPanel | undefined;
  const tools = {
    follow() {
      isTouched = true;
      grid.follow(!grid.isFollowing());
    },
    pause() {
      update({ isPaused: !situation.isPaused });
      say({ type: "pause", isPaused: situation.isPaused });
    },
    async plot() {
      (await plotPanel()).toggle();
      address.changed();
    },
    columns: () => openColumns(grid.layout, columnsChanged),
    download: () => openDownload(guard, (choice) => say({ type: "export", ...choice })),
    connect: () => openConnect(location.origin, here, address.link(), token !== undefined),
    tables: () => openTables(tables, here),
    help: openHelp,
  };

  function receive(message: FromWorker): void {
    silent = 0;
    switch (message.type) {
      case "columns":
        return takeColumns(message.generation, message.columns);
      case "facts":
        return takeFacts(message.facts);
      case "frame":
        return grid.takeFrame(message.frame);
      case "print":
        return printing.take(message.frame);
      case "status":
        clearTimeout(looking); // another file may be published
        looking = setTimeout(() => void lookAround(), LOOK_MS);
        return update({ status: message, heardAt: performance.now() });
      case "connection":
        return connectionIs(message.connection);
      case "ended":
        return update({ connection: "ended", why: message.why });
      case "plot":
        return plot?.draw(message.plot);
      case "filter":
        return filterBox.show(message.readings);
      case "copied":
        return void footer.copied(message);
      case "figures":
        return footer.figures(message.figures);
      case "row":
        return details.showRow(message.row);
      case "rowMoved":
        return details.moveRow(message.place);
      case "summary":
        return details.showSummary(message.column, message.summary);
      case "exported":
        return save(message.blob, "csv");
    }
  }

  function takeColumns(generation: number, columns: readonly ColumnFacts[]): void {
    grid.takeColumns(generation, columns);
  }

  function takeFacts(next: Facts): void {
    const now = performance.now();
    const at = (ms: number | undefined) => (ms === undefined ? undefined : now - ms);
    facts = next;
    // The first table is no change: of what was before this page came only the server knows.
    const changedAt =
      serverChangedAt === undefined ? undefined : Math.max(serverChangedAt, at(next.changedMs) ?? serverChangedAt);
    const { isBehind, rows, total } = next;
    const loaded = total === undefined ? undefined : rows / total;
    update({ isBehind, rows, loaded, changedAt, heardAt: at(next.heardMs) ?? situation.heardAt, aliveAt: now });
    beginAtEnd();
    showCounts();
  }

  /** Who opens a log that is being written comes for its end. */
  function beginAtEnd(): void {
    const isWritten = serverChangedAt !== undefined && performance.now() - serverChangedAt < WRITTEN_MS;
    if (isTouched || !facts?.isLog || facts.total !== undefined || !isWritten) return;
    isTouched = true;
    grid.follow(true);
  }

  function showFresh(): void {
    const { column } = rules.sort ?? {};
    const isByTime = column === undefined || grid.layout.columns.some((c) => c.name === column && c.type === "time");
    fresh.show(isByTime ? grid.unseen() : 0, grid.isNewestFirst());
  }

  async function plotPanel(): Promise<PlotPanel> {
    const { default: Chart } = await import("uplot"); // it begins its work when it is needed
    return (plot ??= openPlotPanel(Chart, scale, {
      onRequest: (request) => say({ type: "plot", request }),
      onView() {
        press("plot", plot?.isOpen() ?? false);
        address.changed();
      },
      onImage: (blob) => save(blob, "png"),
      title: () => shownText(situation.file) || "csvcast",
    }));
  }

  function view(): View {
    const { filter, sort, overrides = [] } = rules;
    const isFollowing = grid.isFollowing();
    const shown = plot?.isOpen() ? plot.view() : undefined;
    const { isKiosk, hasTable } = asked;
    return { ...grid.layout.chosen(), overrides, filter, sort, isFollowing, plot: shown, isKiosk, hasTable };
  }

  /** As the address has it, at the beginning or when that is another. */
  function showView(next: View): void {
    if (next.isKiosk !== asked.isKiosk || next.hasTable !== asked.hasTable) return location.reload();
    filterBox.input.value = next.filter;
    grid.layout.choose(next);
    setRules({ filter: next.filter, sort: next.sort, overrides: next.overrides });
    grid.follow(next.isFollowing);
    if (next.plot) void plotPanel().then((panel) => panel.setView(next.plot!));
    else if (plot?.isOpen()) plot.toggle();
    columnsChanged();
  }

  function connectionIs(connection: ConnectionState): void {
    if (connection.state === "waiting") {
      const wasThere = situation.heardAt !== undefined;
      update({ connection: wasThere ? "reconnecting" : "connecting", why: connection.why });
    } else update({ connection: connection.state });
    if (connection.state === "current") askNoMore();
    if (connection.state !== "current") void lookAround();
  }

  async function lookAround(): Promise<void> {
    const health = await askHealth(token, here);
    if (health.type === "refused")
      askForToken(health.why, (given) => {
        token = given;
        open();
      });
    if (health.type !== "known") return;
    tables = health.tables;
    byId("tables").hidden = tables.length < 2;
    if (health.changedMs !== undefined) serverChangedAt = performance.now() - health.changedMs;
    const name = shownText(health.file) || "csvcast";
    setText(byId("name"), name);
    byId("name").title = name;
    beginAtEnd();
    update({ file: health.file });
  }

  function open(): void {
    update({ connection: "connecting" });
    say({ type: "open", url: location.origin + here, token });
  }

  function update(change: Partial<Situation>): void {
    situation = { ...situation, ...change };
    badge.show(situation, performance.now());
    press("pause", situation.isPaused);
    grid.scroller.setAttribute("aria-busy", String(situation.loaded !== undefined));
    const text = emptyText(situation, facts);
    byId("empty").hidden = text === "";
    setText(byId("empty"), text);
  }

  function showCounts(): void {
    if (!facts) return;
    const { columns, shown } = grid.layout;
    setText(byId("shape"), shapeText(facts, columns.length));
    const isWaiting = facts.isBuilding || facts.total !== undefined; // there is an order when all is there
    const isBuilding = isWaiting && (rules.filter !== "" || rules.sort !== undefined);
    const hidden = columns.length - shown().length;
    setText(byId("count"), hiddenText({ ...facts, isBuilding }, rules.filter !== "", hidden));
  }

  function columnsChanged(): void {
    grid.refresh();
    showCounts();
    address.changed();
  }

  function setRules(change: Partial<Rules>): void {
    rules = { ...rules, ...change };
    grid.setSort(rules.sort);
    say({ type: "rules", rules });
    showCounts();
    address.changed();
  }

  /** Up, down, and back to the order of the file. */
  function sortBy(column: number): void {
    const name = grid.layout.columns[column]?.name;
    if (name === undefined) return;
    const isSame = rules.sort?.column === name;
    setRules({ sort: isSame && rules.sort?.descending ? undefined : { column: name, descending: isSame } });
  }

  /** The Worker says something each second, unless a regular expression never comes to an end in a cell: then only its own end helps. */
  function watch(): void {
    badge.show(situation, performance.now());
    if (++silent < MOST_SILENT || !PATTERN.test(rules.filter)) return;
    const stopped = rules.filter;
    setRules({ filter: "" });
    history.replaceState({ stopped }, "", address.link());
    location.reload();
  }

  function save(blob: Blob, extension: string): void {
    const href = URL.createObjectURL(blob);
    element("a", { href, download: downloadName(situation.file, extension) }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }

  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
  worker.onerror = () => update({ connection: "ended", why: "This page has failed" });
  for (const [id, action] of Object.entries(tools)) byId(id).addEventListener("click", action);
  for (const type of ["wheel", "pointerdown", "keydown"])
    byId("grid").addEventListener(type, () => (isTouched = true), { passive: true });
  listenToPointer(grid, {
    onSort: sortBy,
    onOpen: details.openRow,
    onMenu: details.openMenu,
    onWidth: address.changed,
  });
  listenToKeys(grid, {
    onFilter: () => filterBox.input.select(),
    onSort: sortBy,
    onHide(column) {
      grid.layout.setHidden(column, true);
      columnsChanged();
    },
    onOpen: details.openRow,
    onMenu: details.openMenu,
    onCopy: footer.copy,
    onPrint: printing.print,
    buttons: { f: tools.follow, " ": tools.pause, p: tools.plot, c: tools.columns, t: tools.tables, "?": tools.help },
  });
  // A page that may come back is kept by the browser as it is; it must not go on as a client.
  addEventListener("pagehide", () => {
    keepView(here, new URL(address.link()).hash);
    worker.terminate();
  });
  addEventListener("focus", () => void lookAround()); // tables come and go
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  setInterval(watch, BADGE_MS);
  showView(asked);
  const { stopped } = (history.state ?? {}) as { readonly stopped?: string };
  if (stopped !== undefined) filterBox.stopped(stopped);
  open();
}

/** For a wall there are no tools, and all is as much larger as the wall is. Gives how much. */
function openWall({ isKiosk, plot, hasTable }: View): number {
  if (!isKiosk) return 1;
  document.body.classList.add("kiosk");
  document.body.classList.toggle("plot-only", plot !== undefined && !hasTable);
  const scale = wallScale();
  document.documentElement.style.setProperty("--scale", String(scale));
  document.documentElement.style.setProperty("--row", `${Math.round(ROW_HEIGHT * scale)}px`);
  let turning: ReturnType<typeof setTimeout> | undefined;
  addEventListener("resize", () => {
    clearTimeout(turning); // as it goes over all of the screen
    turning = setTimeout(() => wallScale() !== scale && location.reload(), RESIZED_MS);
  });
  return scale;
}

const wallScale = () => Math.max(1, Math.min(innerWidth / WALL_WIDTH, innerHeight / WALL_HEIGHT, MAX_SCALE));

const RESIZED_MS = 300;
/** A page of this size is read as it is. */
const WALL_WIDTH = 1_100;
const WALL_HEIGHT = 700;
const MAX_SCALE = 4;
