// Plots as they are asked for: of the columns, the range and the rows that are wanted, and up to date.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Row, Splice } from "../../src/feed/protocol.ts";
import type { TableFields as Table } from "../../src/follow/table.ts";
import type { Plot, PlotRequest } from "../../src/viewer/messages.ts";
import { type Model, openModel, type Rules } from "../../src/viewer/model.ts";
import { openPlotting } from "../../src/viewer/plotting.ts";
import { applySplices } from "../follow/splice.ts";
import { type Random, randomFrom, seedOfRun } from "../fuzz/random.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const COLUMNS = ["time", "id", "price", "city"];
const TYPES: Record<string, string> = { time: "time:epoch-s", city: "text" };
const ASKED: PlotRequest = { x: undefined, ys: undefined, from: -Infinity, to: Infinity, last: Infinity, points: 1000 };
const series = (...names: string[]) => names.map((column) => ({ column, word: undefined, unit: undefined }));
const rowOf = (i: number, price: string): Row => [String(1_767_225_600 + i), String(i), price, i % 2 ? "Rome" : "Oslo"];
const rowsOf = (count: number) => Array.from({ length: count }, (_, i) => rowOf(i, String(i * i)));

async function modelOf(rows: Row[], columns: readonly string[] = COLUMNS): Promise<Model> {
  const model = openModel({ breathe: () => true, now: () => 0, onChanged: () => {} });
  const types = columns.map((name) => TYPES[name] ?? "number");
  model.take({ columns, rows, cursor: "", types, units: columns.map(() => null) }, undefined);
  await quiet(model);
  return model;
}

async function quiet(model: Model): Promise<void> {
  while (model.isBuilding) await Promise.resolve();
}

function plotted(model: Model, asked: Partial<PlotRequest> = {}): Promise<Plot> {
  const { promise, resolve } = Promise.withResolvers<Plot>();
  openPlotting(model, () => true, resolve).request({ ...ASKED, ...asked });
  return promise;
}

test("what is not asked for is picked, and what can be chosen is told", async () => {
  const { data, mates, ...plot } = await plotted(await modelOf(rowsOf(3)));
  expect(plot).toEqual({
    count: 3,
    low: 1_767_225_600_000,
    high: 1_767_225_602_000,
    x: "time",
    isTime: true,
    last: [1_767_225_602_000, 4],
    from: -Infinity,
    xUnit: undefined,
    zone: { name: "UTC", offsetMs: 0 },
    series: series("price"),
    split: undefined,
    linesLeft: 0,
    xChoices: ["time", "id", "price"],
    yChoices: ["id", "price"],
    splitChoices: ["city"],
  });
  expect(data).toEqual([
    [1_767_225_600_000, 1_767_225_601_000, 1_767_225_602_000],
    [0, 1, 4],
  ]);
});

describe("what is drawn is what is asked for:", () => {
  const cases: { name: string; asked: Partial<PlotRequest>; rules?: Rules; expected: Partial<Plot> }[] = [
    {
      name: "over the row number",
      asked: { x: null },
      expected: {
        x: undefined,
        data: [
          [1, 2, 3, 4],
          [0, 1, 4, 9],
        ],
      },
    },
    {
      name: "over another column",
      asked: { x: "price", ys: ["id"] },
      expected: {
        x: "price",
        data: [
          [0, 1, 4, 9],
          [0, 1, 2, 3],
        ],
      },
    },
    {
      name: "over a column that is gone, as if nothing was asked",
      asked: { x: "gone" },
      expected: { x: "time", series: series("price") },
    },
    {
      name: "without columns that are gone",
      asked: { x: "id", ys: ["gone", "price"] },
      expected: { series: series("price") },
    },
    { name: "no column", asked: { x: "id", ys: [] }, expected: { series: [], data: [[0, 1, 2, 3]] } },
    {
      name: "the last rows",
      asked: { x: null, last: 2 },
      expected: {
        data: [
          [3, 4],
          [4, 9],
        ],
      },
    },
    {
      name: "a range",
      asked: { x: "id", from: 2.5, to: 2.6 },
      expected: {
        count: 2,
        data: [
          [2, 3],
          [4, 9],
        ],
      },
    },
    {
      name: "the rows that pass",
      asked: { x: null },
      rules: { sort: undefined, filter: "rome" },
      expected: {
        data: [
          [2, 4],
          [1, 9],
        ],
      },
    },
    {
      name: "the last of those that pass, in the order of the file",
      asked: { x: null, last: 1 },
      rules: { sort: { column: "price", descending: true }, filter: "oslo" },
      expected: { data: [[3], [4]] },
    },
    {
      name: "all in the order of the file",
      asked: { x: null },
      rules: { sort: { column: "price", descending: true }, filter: "" },
      expected: {
        data: [
          [1, 2, 3, 4],
          [0, 1, 4, 9],
        ],
      },
    },
  ];
  test.each(cases)("$name", async ({ asked, rules, expected }) => {
    const model = await modelOf(rowsOf(4));
    if (rules) model.setRules(rules);
    await quiet(model);
    expect(await plotted(model, asked)).toMatchObject(expected);
  });
});

describe("a plot that is split by a column of words", () => {
  test("has a line for each word, by name", async () => {
    const { series, data, linesLeft } = await plotted(await modelOf(rowsOf(4)), { ys: ["price"], split: "city" });
    expect(series.map(({ word }) => word)).toEqual(["Oslo", "Rome"]);
    expect(data.slice(1)).toEqual([
      [0, undefined, 4, undefined],
      [undefined, 1, undefined, 9],
    ]);
    expect(linesLeft).toBe(0);
  });

  test("has those of the most frequent words, and says how many are left", async () => {
    const rows = Array.from({ length: 40 }, (_, i): Row => [...rowOf(i, "1").slice(0, 3), `w${i < 20 ? 0 : i}`]);
    const { series, linesLeft } = await plotted(await modelOf(rows), { ys: ["price"], split: "city" });
    expect([series.length, series[0]!.word, linesLeft]).toEqual([8, "w0", 13]);
  });
});

test("what is no older than the newest by more is drawn, and where it begins is told", async () => {
  const { data, from } = await plotted(await modelOf(rowsOf(100)), { ys: ["id"], lastMs: 5_000 });
  expect(from).toBe((1_767_225_600 + 94) * 1000);
  expect(data[1]).toEqual([93, 94, 95, 96, 97, 98, 99]); // and one before, for the line to come from there
});

test("columns that are all gone are picked anew, some that are gone are left out", async () => {
  const model = await modelOf(rowsOf(2));
  expect((await plotted(model, { ys: ["gone"] })).series).toEqual(series("price"));
  expect((await plotted(model, { ys: ["gone", "id"] })).series).toEqual(series("id"));
});

test.each(["before", "after"])(
  "a filter of a person who asked for the plot %s is drawn at once when it is there",
  async (when) => {
    const waiting: (() => void)[] = [];
    let isHeld = false;
    const breathe = () => (isHeld ? new Promise<boolean>((resolve) => waiting.push(() => resolve(true))) : true);
    const model = openModel({ breathe, now: () => 0, onChanged: () => plotting.changed() });
    const counts: number[] = [];
    const plotting = openPlotting(
      model,
      () => true,
      ({ count }) => counts.push(count),
    );
    const types = COLUMNS.map((name) => TYPES[name] ?? "number");
    model.take({ columns: COLUMNS, rows: rowsOf(6), cursor: "", types, units: COLUMNS.map(() => null) }, undefined);
    await quiet(model);
    const ask = async () => {
      plotting.request(ASKED);
      await until("the first plot", () => counts.length === 1);
    };
    if (when === "before") await ask();
    isHeld = true;
    plotting.hurry();
    model.setRules({ sort: undefined, filter: "rome" });
    if (when === "after") await ask(); // as an address has both
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(counts).toEqual([6]); // nothing of before is drawn in a hurry
    isHeld = false;
    while (model.isBuilding) {
      waiting.shift()?.();
      await Promise.resolve();
    }
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(counts).toEqual([6, 3]); // without a timer in between
    plotting.request(undefined);
  },
);

test("nothing is drawn before there is a table, or after nothing is asked for any more", () => {
  const model = openModel({ breathe: () => true, now: () => 0, onChanged: () => {} });
  const plots: Plot[] = [];
  const plotting = openPlotting(
    model,
    () => true,
    (plot) => plots.push(plot),
  );
  plotting.changed();
  plotting.request(ASKED);
  plotting.request(undefined);
  plotting.changed();
  expect(plots).toEqual([]);
});

test("a table that is still coming is drawn when all of it is there", async () => {
  const model = openModel({ breathe: () => true, now: () => 0, onChanged: () => plotting.changed() });
  const plots: Plot[] = [];
  const plotting = openPlotting(
    model,
    () => true,
    (plot) => plots.push(plot),
  );
  model.begin({ columns: COLUMNS, rows: rowsOf(2), cursor: "e:1", count: 3 });
  plotting.request(ASKED);
  await Promise.resolve();
  expect(plots).toEqual([]);
  model.take({ columns: COLUMNS, rows: rowsOf(3), cursor: "e:1" }, undefined);
  await until("a plot", () => plots.length > 0);
  plotting.request(undefined);
  expect(plots.at(-1)!.count).toBe(3);
});

test("what is asked for while columns are read is what is drawn then", async () => {
  const model = await modelOf(rowsOf(3));
  const waiting: (() => void)[] = [];
  const plots: Plot[] = [];
  const breathe = () => new Promise<boolean>((resolve) => waiting.push(() => resolve(true)));
  const plotting = openPlotting(model, breathe, (plot) => plots.push(plot));
  plotting.request({ ...ASKED, ys: ["id"] });
  plotting.request({ ...ASKED, ys: ["price"] });
  while (plots.length === 0) {
    await Promise.resolve();
    waiting.shift()?.();
  }
  expect(plots.map((plot) => plot.series)).toEqual([series("price")]);
});

test("a change is drawn, once for many", async () => {
  const model = await modelOf(rowsOf(3));
  const { promise, resolve } = Promise.withResolvers<Plot>();
  const counts: number[] = [];
  const plotting = openPlotting(
    model,
    () => true,
    (plot) => {
      counts.push(plot.count);
      if (plot.count > 3) resolve(plot);
    },
  );
  plotting.request(ASKED);
  await until("the first plot", () => counts.length === 1);
  const table: Table & { rows: Row[] } = { columns: COLUMNS, rows: rowsOf(3), cursor: "" };
  for (let i = 3; i < 6; i++) {
    const splices: Splice[] = [[i, 0, [rowOf(i, "7")]]];
    applySplices(table.rows, splices);
    model.change(table, splices);
    plotting.changed();
  }
  await promise;
  plotting.request(undefined);
  expect(counts).toEqual([3, 6]);
});

async function checkRandomLife(random: Random): Promise<void> {
  const price = () => random.pick(["", "x", "1", "-2.5", "300"]);
  const someRows = (most: number) =>
    Array.from({ length: random.below(most) }, () => rowOf(random.below(1000), price()));
  let table: Table & { rows: Row[] } = { columns: COLUMNS, rows: rowsOf(250), cursor: "" };
  const model = await modelOf(table.rows);
  const plots: Plot[] = [];
  const plotting = openPlotting(
    model,
    () => true,
    (plot) => plots.push(plot),
  );
  for (let step = 0; step < 15; step++) {
    if (random.chance(0.1)) model.take((table = { ...table, rows: [...rowsOf(250), ...someRows(50)] }), undefined);
    else if (random.chance(0.2)) model.setRules({ sort: undefined, filter: random.pick(["", "rome", "price>0"]) });
    else {
      const start = random.below(table.rows.length + 1);
      const splices: Splice[] = [[start, Math.min(random.below(5), table.rows.length - start), someRows(6)]];
      applySplices(table.rows, splices);
      model.change(table, splices);
    }
    if (random.chance(0.5)) await quiet(model);
    if (random.chance(0.4)) continue;
    await quiet(model); // both plots are to be of the same rows
    const asked = {
      ...ASKED,
      x: random.pick([undefined, "", "id"]),
      ys: random.pick([undefined, ["price"], ["id", "price"]]),
    };
    const before = plots.length;
    plotting.request(asked);
    await until("a plot", () => plots.length > before);
    expect(plots.at(-1)).toEqual(await plotted(model, asked));
  }
  plotting.request(undefined);
}

test("a plot that follows the table is the one that is drawn anew", async () => {
  const first = seedOfRun();
  for (let seed = first; seed < first + 60; seed++)
    await checkRandomLife(randomFrom(seed)).catch((error: unknown) => {
      throw new Error(`failed with CSVCAST_SEED=${seed}: ${error}`, { cause: error });
    });
});
