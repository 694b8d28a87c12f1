// The Worker behind the page: follows the live feed, keeps the model of what is shown, and answers the page. All that takes long is done
// here, so that the page never stops.
import type { Row } from "../feed/protocol.ts";
import { type Block, becomeText, type Rows } from "../follow/blocks.ts";
import { subscribe, type Subscription } from "../follow/subscriber.ts";
import type { PartialTable } from "../follow/table.ts";
import { openAnswers } from "./answers.ts";
import { shownText } from "./cells.ts";
import { csvOf } from "./export.ts";
import { frameOf } from "./frame.ts";
import type { ColumnFacts, FromWorker, Look, Mark, ToWorker } from "./messages.ts";
import { type Model, openModel, sampleOf } from "./model.ts";
import { openPlotting } from "./plotting.ts";
import { isLog } from "./series.ts";
import type { Breath } from "./sort.ts";

/** Work that takes long is done in slices of this length. */
const SLICE_MS = 12;
/** The page is told what has changed at most this often. */
const FACTS_MS = 200;
/** And at least this often, so that it knows that somebody is here. */
const ALIVE_MS = 1_000;
const LONGEST_SHOWN = 60;
/** A table that is still coming is shown as it grows, so often. */
const GROW_MS = 80;
/** Rows that have not changed for this long, longer than anybody points at them, need not stay parsed. */
const REST_MS = 3_000;
const ROWS_PER_PIECE = 1_000;

/** What of a dedicated Worker is used here; its types and those of a page exclude each other. */
type WorkerScope = {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

/** What was said of the columns last. */
type Told = {
  readonly generation: number;
  readonly kinds: unknown;
  readonly total: unknown;
  readonly isLog: boolean;
};

export function startWorker(): void {
  const scope = globalThis as unknown as WorkerScope;
  const say = (message: FromWorker) => scope.postMessage(message);
  const now = () => performance.now();
  let subscription: Subscription | undefined;
  let look: Look | undefined; // waits for something to happen
  let told: Told | undefined;
  let columns: readonly ColumnFacts[] = []; // as told
  let changedAt: number | undefined;
  let heardAt: number | undefined;
  let loaded: number | undefined;
  let grownAt = -Infinity;
  let toldFilter = "[]";
  let waitingExports: (() => void)[] = [];
  let factsTimer: ReturnType<typeof setTimeout> | undefined;
  let factsAt = -Infinity;
  const model = openModel({ breathe: breathing(), now, onChanged: changed });
  const plotting = openPlotting(model, breathing(), (plot) => say({ type: "plot", plot }));
  const answers = openAnswers(model, breathing(), say);
  const rest = resting(breathing());

  scope.onmessage = ({ data }) => receive(data);
  setInterval(tellFacts, ALIVE_MS);
  setInterval(() => void rest(model.rows), REST_MS);

  function receive(message: ToWorker): void {
    switch (message.type) {
      case "open":
        return open(message.url, message.token);
      case "rules":
        plotting.hurry();
        return model.setRules(message.rules);
      case "pause":
        return model.pause(message.isPaused);
      case "look":
        return takeLook(message.look);
      case "print":
        return say({ type: "print", frame: frameOf(model, message.look, now()) });
      case "plot":
        return plotting.request(message.request);
      case "copy":
        return answers.copy(message.area, message.isGuarded, message.hasHeader);
      case "row":
        return answers.row(message.position, message.column);
      case "summary":
        return answers.summary(message.column);
      case "figures":
        return answers.figures(message.area);
      case "export":
        return whenWhole(() => void exportCsv(message.isGuarded, message.isShownOnly));
    }
  }

  function open(url: string, token: string | undefined): void {
    subscription?.close();
    subscription = subscribe(url, {
      token,
      keepText: true,
      onMessage() {
        heardAt = now();
      },
      onPart: grow,
      onSnapshot(table, splices) {
        loaded = undefined;
        const isOther = splices ? splices.length > 0 : model.generation > 0; // the first table is no change
        if (isOther) changedAt = now();
        model.take(table, splices);
        for (const go of waitingExports.splice(0)) go();
      },
      onChange(table, splices) {
        if (splices.length > 0) changedAt = now();
        model.change(table, splices);
      },
      onStatus: (status) => say(status),
      onConnection: (connection) => say({ type: "connection", connection }),
      onEnd: (why) => say({ type: "ended", why }),
    });
  }

  function grow(table: PartialTable): void {
    loaded = table.length / table.count;
    tellSoon();
    if (now() - grownAt < GROW_MS && model.total !== undefined) return;
    grownAt = now();
    model.begin(table);
  }

  /** What is to be all of a table waits for it. */
  function whenWhole(go: () => void): void {
    if (model.total === undefined) go();
    else waitingExports.push(go);
  }

  function changed(): void {
    const isWhole = told?.total !== undefined && model.total === undefined; // more of it has been seen
    if (model.generation !== told?.generation || model.kinds !== told?.kinds || isWhole) tellColumns();
    tellFilter();
    if (look?.generation !== model.generation) look = undefined; // the page asks again for these columns
    if (look && look.version !== model.version) answer(look);
    plotting.changed();
    answers.changed();
    tellSoon();
  }

  function tellSoon(): void {
    factsTimer ??= setTimeout(tellFacts, Math.max(0, factsAt + FACTS_MS - now()));
  }

  function tellColumns(): void {
    const { generation, kinds, total } = model;
    columns = columnFacts(model, generation === told?.generation ? columns : []);
    told = { generation, kinds, total, isLog: isLog(kinds, sampleOf(model.rows)) };
    say({ type: "columns", generation, columns });
    tellFacts();
  }

  function tellFilter(): void {
    const { readings } = model.filterRead;
    const next = JSON.stringify(readings);
    if (next === toldFilter) return;
    toldFilter = next;
    say({ type: "filter", readings });
  }

  function tellFacts(): void {
    clearTimeout(factsTimer);
    factsTimer = undefined;
    factsAt = now();
    const since = (then: number | undefined) => (then === undefined ? undefined : factsAt - then);
    const { generation, isBehind, isBuilding, total } = model;
    const facts = { generation, isBehind, isBuilding, total, rows: model.rows.length, shown: model.order.count() };
    const table = { hasTable: model.generation > 0, isLog: told?.isLog ?? false };
    say({ type: "facts", facts: { ...facts, ...table, loaded, changedMs: since(changedAt), heardMs: since(heardAt) } });
  }

  function takeLook(next: Look): void {
    if (next.generation !== model.generation) return; // it is on its way to hear of the other columns
    if (next.isMissing || next.version !== model.version) answer(next);
    else look = { ...next, marks: next.marks.map(markOf) };
  }

  /** By its row: a place is of another row when rows come and go. */
  function markOf(mark: Mark): Mark {
    const count = model.order.count();
    if ("row" in mark || count === 0) return mark;
    return { row: model.order.rowAt(Math.min(mark.position, count - 1)), version: model.version };
  }

  function answer(asked: Look): void {
    look = undefined;
    say({ type: "frame", frame: frameOf(model, asked, now()) });
  }

  /** Of the rows as they are now, whatever happens meanwhile. */
  async function exportCsv(isGuarded: boolean, isShownOnly: boolean): Promise<void> {
    const { rows, order, columns } = model;
    const breathe = breathing();
    const shown = Uint32Array.from({ length: isShownOnly ? order.count() : 0 }, (_, i) => order.rowAt(i));
    const pieces: BlobPart[] = [csvOf([columns], { isGuarded })];
    for (const piece of isShownOnly ? piecesOf(rows, shown) : readings(rows)) {
      pieces.push(csvOf(piece, { isGuarded }));
      await breathe();
    }
    const blob = new Blob(pieces, { type: "text/csv;charset=utf-8" });
    say({ type: "exported", blob, rows: isShownOnly ? shown.length : rows.length });
  }
}

function* readings(rows: Rows): Iterable<readonly Row[]> {
  for (const block of rows.blocks) yield rows.read(block);
}

function* piecesOf(rows: Rows, numbers: Uint32Array): Iterable<readonly Row[]> {
  for (let at = 0; at < numbers.length; at += ROWS_PER_PIECE)
    yield Array.from(numbers.subarray(at, at + ROWS_PER_PIECE), (row) => rows.row(row)!);
}

/** Each time it is called: what was there the time before as rows, and is still there, becomes text again. */
function resting(breathe: Breath): (rows: Rows) => Promise<void> {
  let seen = new Set<Block>();
  let isBusy = false;
  return async ({ blocks }) => {
    if (isBusy) return;
    isBusy = true;
    const before = seen;
    seen = new Set(blocks.filter((block) => block.rows));
    for (const block of seen.intersection(before)) {
      becomeText(block);
      seen.delete(block);
      await breathe();
    }
    isBusy = false;
  };
}

/** `before`: what was told of the same columns; what was long then still is. */
function columnFacts({ columns, kinds, rows }: Model, before: readonly ColumnFacts[]): ColumnFacts[] {
  const sample = sampleOf(rows);
  return columns.map((name, column) => {
    let longest = "";
    for (const row of sample) if ((row[column] ?? "").length > longest.length) longest = row[column]!;
    const shown = shownText(longest).slice(0, LONGEST_SHOWN);
    const seen = before[column]?.longest ?? "";
    const { type, unit } = kinds[column]!;
    return { name, type, unit, longest: seen.length > shown.length ? seen : shown };
  });
}

/** Lets messages in between when a slice is over. */
function breathing(): Breath {
  const { port1, port2 } = new MessageChannel();
  const waiting: ((goOn: boolean) => void)[] = [];
  let since = performance.now();
  port1.onmessage = () => {
    since = performance.now();
    waiting.shift()?.(true);
  };
  return () => {
    if (performance.now() - since < SLICE_MS) return true;
    port2.postMessage(0);
    return new Promise((resolve) => waiting.push(resolve));
  };
}
