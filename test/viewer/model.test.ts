// What the page shows of the table: up to date when nothing is under way, whatever came in between.
import { describe, expect, test } from "bun:test";
import type { Row, Splice } from "../../src/feed/protocol.ts";
import { BLOCKS } from "../../src/follow/blocks.ts";
import { openTable, rowsFrom, splicesBetween, type TableFields as Table } from "../../src/follow/table.ts";
import { readFilter } from "../../src/viewer/filter.ts";
import { type Model, openModel, type Rules, sampleOf } from "../../src/viewer/model.ts";
import { buildOrder, type Order } from "../../src/viewer/order.ts";
import { applySplices } from "../follow/splice.ts";
import { type Random, randomFrom, seedOfRun } from "../fuzz/random.ts";

const COLUMNS = ["id", "price", "city"];
const NO_RULES: Rules = { sort: undefined, filter: "" };
const BY_PRICE: Rules = { sort: { column: "price", descending: false }, filter: "" };
const rowOf = (id: number, price: number | string = id % 7, city = "Rome"): Row => [String(id), String(price), city];
const rowsOf = (count: number) => Array.from({ length: count }, (_, id) => rowOf(id));
const tableOf = (rows: Row[], columns: readonly string[] = COLUMNS): Table & { rows: Row[] } => ({
  columns,
  rows,
  cursor: "",
  types: columns.map((name) => (name === "id" || name === "price" ? "number" : "text")),
  units: columns.map(() => null),
});
const shown = (order: Order) => Array.from({ length: order.count() }, (_, position) => order.rowAt(position));

/** Lets everything go on that waits for nothing but its turn. */
const turns = async (count = 8) => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};

/** A breath that is held until somebody lets it go. */
function heldBreath() {
  let isHeld = false;
  let waiting: (() => void)[] = [];
  return {
    breathe: () => (isHeld ? new Promise<boolean>((resolve) => waiting.push(() => resolve(true))) : true),
    hold: () => void (isHeld = true),
    async letGo() {
      isHeld = false;
      for (const resolve of waiting.splice(0)) resolve();
      waiting = [];
      await turns(200);
    },
  };
}

function opened(breathe: () => Promise<boolean> | boolean = () => true) {
  let calls = 0;
  const clock = { ms: 1000 };
  const model = openModel({ breathe, now: () => clock.ms, onChanged: () => void calls++ });
  return { model, clock, calls: () => calls };
}

/** As the subscriber does it: the table is changed, and then told. */
function change(model: Model, table: Table & { rows: Row[] }, ...splices: Splice[]): void {
  applySplices(table.rows, splices);
  model.change(table, splices);
}

async function quiet(model: Model): Promise<void> {
  for (let i = 0; model.isBuilding; i++) {
    if (i > 10_000) throw new Error("the model is building for ever");
    await turns(20);
  }
}

async function freshOrder(model: Model, rules: Rules): Promise<Order> {
  const column = rules.sort ? model.columns.indexOf(rules.sort.column) : -1;
  const kind = model.kinds[column];
  const sorting = rules.sort && kind ? { column, descending: rules.sort.descending, kind } : undefined;
  const order = await buildOrder(model.rows, { sorting, filter: readFilter(rules.filter, model).filter }, () => true);
  return order!;
}

async function expectUpToDate(model: Model, table: Table, rules: Rules): Promise<void> {
  expect(model.columns).toEqual(table.columns);
  expect([...model.rows]).toEqual([...table.rows]);
  expect(shown(model.order)).toEqual(shown(await freshOrder(model, rules)));
}

describe("a model", () => {
  test("has nothing before there is a table, and takes rules for it", async () => {
    const { model } = opened();
    expect([model.columns, [...model.rows], model.order.count(), model.isBehind]).toEqual([[], [], 0, false]);
    model.setRules(BY_PRICE);
    const table = tableOf([rowOf(0, 5), rowOf(1, 3)]);
    await quiet(model);
    model.take(table, undefined);
    await quiet(model);
    expect(shown(model.order)).toEqual([1, 0]);
  });

  test("shows a table at once, in the order of the file, until its own order is there", async () => {
    const { model, calls } = opened();
    model.setRules(BY_PRICE);
    await quiet(model);
    const before = calls();
    model.take(tableOf([rowOf(0, 5), rowOf(1, 3)]), undefined);
    expect([shown(model.order), model.isBuilding, model.generation]).toEqual([[0, 1], true, 1]);
    expect(calls()).toBeGreaterThan(before);
    await quiet(model);
    expect([shown(model.order), model.isBuilding]).toEqual([[1, 0], false]);
  });

  test("keeps a copy: what the table becomes is not seen before it is told", async () => {
    const { model } = opened();
    const table = tableOf(rowsOf(2));
    model.take(table, undefined);
    await quiet(model);
    table.rows.push(rowOf(2));
    expect(model.rows.length).toBe(2);
    model.change(table, [[2, 0, [rowOf(2)]]]);
    expect([...model.rows]).toEqual(table.rows);
  });

  test("tells of every change, and grows its version with it", async () => {
    const { model, calls } = opened();
    const table = tableOf(rowsOf(3));
    model.take(table, undefined);
    await quiet(model);
    const before = { calls: calls(), version: model.version };
    change(model, table, [0, 1, []]);
    expect(calls()).toBeGreaterThan(before.calls);
    expect(model.version).toBeGreaterThan(before.version);
  });

  test("follows a table that comes whole but is known to be another state of this one", async () => {
    const { model } = opened();
    const table = tableOf(rowsOf(300));
    model.take(table, undefined);
    await quiet(model);
    const next = tableOf([rowOf(900), ...rowsOf(300)]);
    model.take(next, [[0, 0, [rowOf(900)]]]);
    expect([model.generation, model.rows.length, model.moved(5, model.version - 1)]).toEqual([1, 301, 6]);
  });

  test("keeps the rules for a table with other columns, as far as they say something there", async () => {
    const { model } = opened();
    model.setRules(BY_PRICE);
    model.take(tableOf(rowsOf(3)), undefined);
    await quiet(model);
    const others = tableOf([["9"], ["1"]], ["other"]);
    model.take(others, undefined);
    await quiet(model);
    expect([shown(model.order), model.generation]).toEqual([[0, 1], 2]);
    model.take(
      tableOf(
        [
          ["a", "9"],
          ["b", "1"],
        ],
        ["x", "price"],
      ),
      undefined,
    );
    await quiet(model);
    expect(shown(model.order)).toEqual([1, 0]);
  });

  test("has columns of text if the server tells nothing", async () => {
    const { model } = opened();
    model.take({ columns: COLUMNS, rows: rowsOf(300), cursor: "" }, undefined);
    await quiet(model);
    expect(model.kinds.map(({ type }) => type)).toEqual(["text", "text", "text"]);
  });

  test("is what the server tells, and again when that is known better", async () => {
    const { model } = opened();
    const table: { -readonly [K in keyof Table]: Table[K] } & { rows: Row[] } = tableOf(rowsOf(3));
    table.types = ["text", "number:,", "boolean"];
    table.units = [null, null, null];
    model.take(table, undefined);
    await quiet(model);
    expect(model.kinds.map(({ type }) => type)).toEqual(["text", "number", "text"]);
    expect(model.kinds[1]!.valueOf("1,5")).toBe(1.5);
    const { kinds } = model;
    change(model, table, [3, 0, [rowOf(3)]]);
    await quiet(model);
    expect(model.kinds).toBe(kinds);
    table.types = ["time:epoch-s", "number", "text"];
    change(model, table, [4, 0, [rowOf(4)]]);
    await quiet(model);
    expect(model.kinds.map(({ type }) => type)).toEqual(["time", "number", "text"]);
    expect(model.kinds[0]!.valueOf("1772366400")).toBe(1_772_366_400_000);
    expect(model.rows.length).toBe(5);
  });

  test("knows which rows have just changed, until they have not", async () => {
    const { model, clock } = opened();
    const table = tableOf(rowsOf(300));
    model.take(table, undefined);
    await quiet(model);
    change(model, table, [3, 1, [rowOf(3, 99)]]);
    expect(model.flashOf(model.rows.row(3)!)).toEqual({ at: 1000, cells: [1] });
    expect(model.flashOf(model.rows.row(4)!)).toBeUndefined();
    clock.ms += 60_000;
    expect(model.flashOf(model.rows.row(3)!)).toBeUndefined();
  });
});

describe("a model that is paused", () => {
  test("shows what it showed, says that there is more, and catches up", async () => {
    const { model } = opened();
    const table = tableOf(rowsOf(300));
    model.take(table, undefined);
    await quiet(model);
    model.pause(true);
    const { version } = model;
    change(model, table, [0, 2, []], [298, 0, [rowOf(900)]]);
    change(model, table, [10, 1, [rowOf(10, 7)]]);
    expect([model.isBehind, model.rows.length, model.version]).toEqual([true, 300, version]);
    model.pause(false);
    await quiet(model);
    expect(model.isBehind).toBe(false);
    await expectUpToDate(model, table, NO_RULES);
  });

  test("takes other rules for what it shows", async () => {
    const { model } = opened();
    const table = tableOf([rowOf(0, 5), rowOf(1, 3)]);
    model.take(table, undefined);
    await quiet(model);
    model.pause(true);
    change(model, table, [2, 0, [rowOf(2, 1)]]);
    model.setRules(BY_PRICE);
    await quiet(model);
    expect([shown(model.order), model.isBehind]).toEqual([[1, 0], true]);
    model.pause(false);
    await quiet(model);
    expect(shown(model.order)).toEqual([2, 1, 0]);
  });

  test("while an order is built misses nothing of before, meanwhile and after", async () => {
    const breath = heldBreath();
    const { model } = opened(breath.breathe);
    const table = tableOf(rowsOf(300));
    model.take(table, undefined);
    await quiet(model);
    breath.hold();
    model.setRules(BY_PRICE);
    change(model, table, [0, 0, [rowOf(901, 3)]]);
    model.pause(true);
    change(model, table, [5, 9, []]);
    model.pause(false);
    change(model, table, [0, 0, [rowOf(902, 2)]]);
    expect(model.isBehind).toBe(true);
    await breath.letGo();
    await quiet(model);
    await expectUpToDate(model, table, BY_PRICE);
    expect(model.isBehind).toBe(false);
  });
});

describe("an order that is being built", () => {
  /** More than an order follows. */
  const many = () => Array.from({ length: 30 }, (_, i): Splice => [i * 2, 1, [rowOf(1000 + i, 30 - i)]]);

  test("leaves what is shown as it was until it is there", async () => {
    const breath = heldBreath();
    const { model } = opened(breath.breathe);
    const table = tableOf(rowsOf(300));
    model.setRules(BY_PRICE);
    model.take(table, undefined);
    await quiet(model);
    const before = { rows: [...model.rows], shown: shown(model.order), version: model.version };
    breath.hold();
    change(model, table, ...many());
    await turns();
    change(model, table, [0, 1, []]);
    expect(model.isBuilding).toBe(true);
    expect({ rows: [...model.rows], shown: shown(model.order), version: model.version }).toEqual(before);
    await breath.letGo();
    await expectUpToDate(model, table, BY_PRICE);
  });

  test("is given up for new rules, and no change is lost", async () => {
    const breath = heldBreath();
    const { model } = opened(breath.breathe);
    const table = tableOf(rowsOf(300));
    model.setRules(BY_PRICE);
    model.take(table, undefined);
    await quiet(model);
    const from = model.version;
    breath.hold();
    change(model, table, ...many());
    change(model, table, [0, 0, [rowOf(901)]]);
    const rules = { sort: { column: "id", descending: true }, filter: "rome" };
    model.setRules(NO_RULES);
    model.setRules(rules);
    change(model, table, [100, 50, []]);
    await breath.letGo();
    await quiet(model);
    await expectUpToDate(model, table, rules);
    expect(model.since(from)?.flat()).toEqual([...many(), [0, 0, [rowOf(901)]], [100, 50, []]]);
  });

  test("is given up for another table", async () => {
    const breath = heldBreath();
    const { model } = opened(breath.breathe);
    const table = tableOf(rowsOf(300));
    model.setRules(BY_PRICE);
    model.take(table, undefined);
    await quiet(model);
    breath.hold();
    change(model, table, ...many());
    change(model, table, [0, 1, []]);
    const next = tableOf([rowOf(0, 9), rowOf(1, 8)]);
    model.take(next, undefined);
    change(model, next, [2, 0, [rowOf(2, 1)]]);
    await breath.letGo();
    await quiet(model);
    await expectUpToDate(model, next, BY_PRICE);
  });
});

describe("of a table that is still coming, a model", () => {
  const part = (at: number, rows: Row[], count: number, over: Partial<{ version: number; types: string[] }> = {}) => ({
    type: "snapshot" as const,
    epoch: "e",
    version: 1,
    columns: COLUMNS,
    at,
    rows,
    count,
    ...over,
  });
  /** As the subscriber does it. */
  function coming(model: Model) {
    const copy = openTable({ ...BLOCKS, cells: 12 });
    return (next: ReturnType<typeof part>) => {
      if (copy.applySnapshotPart(next) === "part") model.begin(copy.partial()!);
      else model.take(copy.table()!, undefined);
    };
  }

  test("shows what is there, says how much there will be, and has the rules when all is there", async () => {
    const { model } = opened();
    const receive = coming(model);
    model.setRules({ sort: { column: "price", descending: true }, filter: "!oslo" });
    receive(part(0, [rowOf(0, 5), rowOf(1, 3)], 4));
    await quiet(model);
    expect([model.rows.length, model.total, shown(model.order), model.generation]).toEqual([2, 4, [0, 1], 1]);
    const { version } = model;
    receive(part(2, [rowOf(2, 9, "Oslo")], 4));
    await quiet(model);
    expect([model.rows.length, model.total, shown(model.order), model.generation]).toEqual([3, 4, [0, 1, 2], 1]);
    expect([model.version > version, model.since(version), model.moved(1, version)]).toEqual([true, undefined, 1]);
    receive(part(3, [rowOf(3, 8)], 4));
    await quiet(model);
    expect([model.rows.length, model.total, shown(model.order), model.generation]).toEqual([
      4,
      undefined,
      [3, 0, 1],
      1,
    ]);
  });

  test("goes on while it is paused, and holds still what comes after that", async () => {
    const { model } = opened();
    const receive = coming(model);
    receive(part(0, rowsOf(2), 4));
    model.pause(true);
    receive(part(2, rowsOf(2), 4));
    await quiet(model);
    expect([model.rows.length, model.total, model.isBehind]).toEqual([4, undefined, false]);
    change(model, tableOf([...model.rows]), [0, 1, []]);
    expect([model.rows.length, model.isBehind]).toEqual([4, true]);
  });

  test("begins anew with one that begins anew", async () => {
    const { model } = opened();
    const receive = coming(model);
    receive(part(0, rowsOf(3), 9));
    receive(part(0, rowsOf(2), 9));
    expect([model.rows.length, model.generation]).toEqual([2, 2]);
    receive(part(0, rowsOf(5), 9, { version: 2 }));
    expect([model.rows.length, model.generation]).toEqual([5, 3]);
  });

  test("shows the whole one before it until it is whole", async () => {
    const { model } = opened();
    const receive = coming(model);
    model.take(tableOf(rowsOf(300)), undefined);
    await quiet(model);
    receive(part(0, rowsOf(3), 5));
    expect([model.rows.length, model.total, model.generation]).toEqual([300, undefined, 1]);
    receive(part(3, rowsOf(2), 5));
    expect([model.rows.length, model.total, model.generation]).toEqual([5, undefined, 2]);
  });

  test("keeps what the server has told of its columns", async () => {
    const { model } = opened();
    const receive = coming(model);
    receive(part(0, rowsOf(2), 3, { types: ["text", "number", "text"] }));
    const { kinds } = model;
    receive(part(2, rowsOf(1), 3));
    await quiet(model);
    expect(model.kinds).toBe(kinds);
    expect(model.total).toBeUndefined();
  });
});

describe("what has happened since a version", () => {
  test("are its changes, of which the rows can be found again", async () => {
    const { model } = opened();
    const table = tableOf(rowsOf(300));
    model.take(table, undefined);
    await quiet(model);
    const from = model.version;
    change(model, table, [0, 0, [rowOf(900)]]);
    const between = model.version;
    change(model, table, [5, 2, []]);
    expect(model.since(from)).toEqual([[[0, 0, [rowOf(900)]]], [[5, 2, []]]]);
    expect(model.since(between)).toEqual([[[5, 2, []]]]);
    expect(model.since(model.version)).toEqual([]);
    expect([model.moved(10, from), model.moved(10, between), model.moved(10, model.version)]).toEqual([9, 8, 10]);
  });

  test("is nothing, if only the order is another", async () => {
    const { model } = opened();
    const table = tableOf(rowsOf(300));
    model.take(table, undefined);
    await quiet(model);
    change(model, table, [0, 1, []]);
    const from = model.version;
    model.setRules(BY_PRICE);
    await quiet(model);
    expect(model.version).toBeGreaterThan(from);
    expect([model.since(from), model.moved(7, from)]).toEqual([[], 7]);
  });

  test("is not known of a version that has not been, or that is long ago", async () => {
    const { model } = opened();
    const table = tableOf(rowsOf(300));
    model.take(table, undefined);
    await quiet(model);
    const from = model.version;
    expect(model.since(from + 1)).toBeUndefined();
    for (let i = 0; i < 64; i++) change(model, table, [i, 1, [rowOf(i)]]);
    expect(model.since(from)).toHaveLength(64);
    change(model, table, [0, 1, [rowOf(0)]]);
    expect([model.since(from), model.since(from + 1)?.length]).toEqual([undefined, 64]);
  });

  test("is not known of the table before, at no time", async () => {
    const breath = heldBreath();
    const { model } = opened(breath.breathe);
    const table = tableOf(rowsOf(300));
    model.setRules(BY_PRICE);
    model.take(table, undefined);
    await quiet(model);
    change(model, table, [0, 1, []]);
    const from = model.version;
    breath.hold();
    const next = tableOf(rowsOf(5));
    model.take(next, undefined);
    const during = model.since(from);
    await breath.letGo();
    await quiet(model);
    const after = model.since(from);
    change(model, next, [0, 1, []]);
    await quiet(model);
    expect({ during, after, later: model.since(from) }).toEqual({
      during: undefined,
      after: undefined,
      later: undefined,
    });
  });
});

test("a sample has rows from everywhere, and all if they are few", () => {
  const rows = rowsOf(1000);
  expect(sampleOf(rowsFrom(rows.slice(0, 200)))).toEqual(rows.slice(0, 200));
  const ids = sampleOf(rowsFrom(rows)).map(([id]) => Number(id));
  expect([ids.length, ids[0], ids.at(-1), new Set(ids).size]).toEqual([200, 0, 995, 200]);
});

const CITIES = ["Rome", "Oslo", "", "Berlin"];
const RULES: readonly Rules[] = [
  NO_RULES,
  BY_PRICE,
  { sort: { column: "price", descending: true }, filter: "price>3" },
  { sort: { column: "city", descending: false }, filter: "" },
  { sort: { column: "gone", descending: false }, filter: "!oslo" },
  { sort: undefined, filter: "rome" },
  { sort: undefined, filter: "no such row" },
];

/** No two are equal: what is found again must be the row itself. */
let lastId = 0;
const randomRow = (random: Random) => rowOf(++lastId, random.pick(["", "x", random.below(9)]), random.pick(CITIES));
const randomRows = (random: Random, most: number) =>
  Array.from({ length: random.below(most + 1) }, () => randomRow(random));

function randomSplices(random: Random, length: number): Splice[] {
  return Array.from({ length: random.chance(0.15) ? 12 : random.below(4) }, (): Splice => {
    const start = random.chance(0.3) ? length : random.below(length + 1);
    const deleted = Math.min(length - start, random.below(4));
    const rows = randomRows(random, 4);
    length += rows.length - deleted;
    return [start, deleted, rows];
  });
}

/** Rows are told apart by themselves: `moved` must find each one that has stayed. */
function expectFoundAgain(model: Model, earlier: { rows: readonly Row[]; version: number; generation: number }): void {
  const changes = model.since(earlier.version);
  if (earlier.generation !== model.generation || changes === undefined) return;
  const stayed = new Set(model.rows).difference(new Set(changes.flat().flatMap(([, , rows]) => rows)));
  for (const [row, cells] of earlier.rows.entries())
    if (stayed.has(cells)) expect(model.rows.row(model.moved(row, earlier.version))).toBe(cells);
  const followed = [...earlier.rows];
  for (const splices of changes) applySplices(followed, splices);
  expect(followed).toEqual([...model.rows]);
}

async function checkRandomLife(random: Random): Promise<void> {
  const { model } = opened(() => (random.chance(0.5) ? turns(random.below(6)).then(() => true) : true));
  let table = tableOf(randomRows(random, 40));
  let rules = NO_RULES;
  let isPaused = false;
  model.take(table, undefined);
  let earlier = { rows: [...model.rows], version: model.version, generation: model.generation };
  for (let step = random.below(30); step >= 0; step--) {
    const chance = random.next();
    if (chance < 0.6) change(model, table, ...randomSplices(random, table.rows.length));
    else if (chance < 0.75) model.setRules((rules = random.pick(RULES)));
    else if (chance < 0.87) model.pause((isPaused = !isPaused));
    else {
      const next = tableOf(
        random.chance(0.5) ? [...table.rows.slice(random.below(5)), randomRow(random)] : randomRows(random, 40),
      );
      model.take(next, random.chance(0.5) ? splicesBetween(table.rows, next.rows) : undefined);
      table = next;
    }
    expect(shown(model.order).every((row) => row < model.rows.length)).toBe(true);
    await turns(random.below(12));
    if (random.chance(0.7)) continue;
    expectFoundAgain(model, earlier);
    earlier = { rows: [...model.rows], version: model.version, generation: model.generation };
  }
  model.pause(false);
  await quiet(model);
  expectFoundAgain(model, earlier);
  expect(model.isBehind).toBe(false);
  await expectUpToDate(model, table, rules);
}

test("whatever happens in whatever order, in the end the model shows the table by the rules", async () => {
  const first = seedOfRun();
  for (let seed = first; seed < first + 250; seed++)
    await checkRandomLife(randomFrom(seed)).catch((error: unknown) => {
      throw new Error(`failed with CSVCAST_SEED=${seed}: ${error}`, { cause: error });
    });
});

describe("a filter that goes by the newest time", () => {
  const timed = (minutes: number[]): Table & { rows: Row[] } => ({
    columns: ["time"],
    rows: minutes.map((minute) => [new Date(1_767_225_600_000 + minute * 60_000).toISOString()]),
    cursor: "",
    types: ["time:iso"],
    units: [null],
  });

  test("leaves out what has become too old, as rows come", async () => {
    const { model } = opened();
    const table = timed([0, 5, 10]);
    model.take(table, undefined);
    model.setRules({ sort: undefined, filter: "time > -6m" });
    await quiet(model);
    expect(shown(model.order)).toEqual([1, 2]);
    change(model, table, [3, 0, timed([12]).rows]);
    await quiet(model);
    expect(shown(model.order)).toEqual([2, 3]);
  });

  test("is read with the time that it goes by", async () => {
    const { model } = opened();
    model.setRules({ sort: undefined, filter: "time > -6m" });
    expect(model.filterRead.readings.map(({ says }) => says)).toEqual([
      "there is no column “time”; any cell has “time > -6m”",
    ]);
    model.take(timed([0, 5, 10]), undefined);
    await quiet(model);
    expect(model.filterRead.readings.map(({ says }) => says)).toEqual([
      "time > 2026-01-01 00:04:00 UTC (6m before the newest)",
    ]);
  });
});

test("what a person takes a column for is what it is, for its order and its filter", async () => {
  const { model } = opened();
  model.take(tableOf([rowOf(0, "9"), rowOf(1, "10")]), undefined);
  model.setRules(BY_PRICE);
  await quiet(model);
  expect(shown(model.order)).toEqual([0, 1]);
  model.setRules({ ...BY_PRICE, overrides: [["price", "text"]] });
  await quiet(model);
  expect([model.kinds[1]!.type, ...shown(model.order)]).toEqual(["text", 1, 0]);
  model.setRules(BY_PRICE);
  await quiet(model);
  expect([model.kinds[1]!.type, ...shown(model.order)]).toEqual(["number", 0, 1]);
});

test("numbers that have been read are used again, and follow the table", async () => {
  const { model } = opened();
  const table = tableOf(rowsOf(50));
  model.take(table, undefined);
  model.setRules({ sort: undefined, filter: "id >= 40" });
  await quiet(model);
  const held = model.numbers.values({ column: 0, as: "number" })!;
  expect([held.length, held[49]]).toEqual([50, 49]);
  change(model, table, [0, 1, []], [49, 0, [rowOf(99)]]);
  expect([...model.numbers.values({ column: 0, as: "number" })!].slice(-2)).toEqual([49, 99]);
  model.setRules({ sort: undefined, filter: "id >= 49" });
  await quiet(model);
  expect(shown(model.order)).toEqual([48, 49]);
  model.setRules(NO_RULES);
  await quiet(model);
  expect(model.numbers.values({ column: 0, as: "number" })).toBeUndefined();
});
