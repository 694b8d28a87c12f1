// What is drawn if nobody says what, and that no peak is lost on the way.
import { describe, expect, test } from "bun:test";
import type { Row, Splice } from "../../src/feed/protocol.ts";
import { BLOCKS } from "../../src/follow/blocks.ts";
import { rowsFrom } from "../../src/follow/table.ts";
import type { Kind } from "../../src/viewer/cells.ts";
import { kindOf, kindsOf } from "./kinds.ts";
import {
  isLog,
  pickAxes,
  pointsOf,
  readColumns,
  ROW_NUMBER,
  spliceColumn,
  splitValues,
} from "../../src/viewer/series.ts";
import { applySplices } from "../follow/splice.ts";
import { forSeeds, type Random, randomFrom, seedOfRun } from "../fuzz/random.ts";

function tableOf(csv: string): { columns: string[]; rows: Row[]; kinds: Kind[] } {
  const [columns = [], ...rows] = csv
    .trim()
    .split("\n")
    .map((line) => line.trim().split(";"));
  return { columns, rows, kinds: kindsOf(columns, rows) };
}

describe("of a table are drawn", () => {
  const cases: { name: string; input: string; x: string; ys: string[]; isTime?: boolean }[] = [
    {
      name: "measurements over their time",
      input: `time;sensor;temperature;humidity
        2026-01-31 12:00:00;a;20.5;40
        2026-01-31 12:00:10;b;20.7;41`,
      x: "time",
      ys: ["temperature", "humidity"],
      isTime: true,
    },
    {
      name: "values over the time that tells them apart, not over that of the query",
      input: `_start;_stop;_time;_value
        2026-01-31 11:00:00;2026-01-31 12:00:00;2026-01-31 11:00:10;1.5
        2026-01-31 11:00:00;2026-01-31 12:00:00;2026-01-31 11:00:20;2.5`,
      x: "_time",
      ys: ["_value"],
      isTime: true,
    },
    {
      name: "losses over the step, not over the epoch that some have in common",
      input: `epoch;lr;step;train_loss
        0;0.001;0;0.9
        0;0.001;1;0.8
        1;0.001;2;0.7`,
      x: "step",
      ys: ["lr", "train_loss"],
    },
    {
      name: "readings of a logger, and not how many there are",
      input: `TIMESTAMP;RECORD;BattV
        2026-01-31 11:00:00;0;12.1
        2026-01-31 11:00:10;1;12.2`,
      x: "TIMESTAMP",
      ys: ["BattV"],
      isTime: true,
    },
    {
      name: "samples over the seconds since the instrument was started",
      input: `Time (s);Channel 1 (V)
        0.000;0.1
        0.001;0.2`,
      x: "Time (s)",
      ys: ["Channel 1 (V)"],
    },
    {
      name: "how long things took, which is in no order, as a measurement",
      input: `job;time [s]
        a;5.5
        b;3.2`,
      x: "",
      ys: ["time [s]"],
    },
    {
      name: "prices over seconds since 1970",
      input: `timestamp;open;high;low;close;volume
        1767225600;1;2;0.5;1.5;1000
        1767225660;1.5;2.5;1;2;900`,
      x: "timestamp",
      ys: ["close"],
      isTime: true,
    },
    {
      name: "trades over µs since 1970, and not the other time that they have",
      input: `symbol;timestamp;local_timestamp;id;side;price;amount
        BTC;1767225600000001;1767225600000900;77;buy;90000.5;0.1
        BTC;1767225600100001;1767225600100950;78;sell;90001;0.2`,
      x: "timestamp",
      ys: ["price", "amount"],
      isTime: true,
    },
    {
      name: "a training over its steps, which are called like a time",
      input: `epoch;loss;accuracy
        0;2.5;0.1
        1;1.5;0.3
        2;1.1;0.5`,
      x: "epoch",
      ys: ["loss", "accuracy"],
    },
    {
      name: "samples over their index",
      input: `index;x1;y1
        0;5;6
        1;7;8`,
      x: "index",
      ys: ["x1", "y1"],
    },
    {
      name: "numbers over the row number, if nothing else ascends",
      input: `id;score
        9;1
        3;2`,
      x: "",
      ys: ["score"],
    },
    {
      name: "numbers over the row number, if steps are missing",
      input: `step;score
        1;1
        ;2
        3;4`,
      x: "",
      ys: ["score"],
    },
    {
      name: "a log that is written the newest first over its time",
      input: `when;bytes
        2026-02-01;5
        2026-01-31;6`,
      x: "when",
      ys: ["bytes"],
      isTime: true,
    },
    {
      name: "of two times the one that ascends",
      input: `birth_date;created;amount
        1990-05-01;2026-01-01;10
        1980-05-01;2026-01-02;20`,
      x: "created",
      ys: ["amount"],
      isTime: true,
    },
    {
      name: "amounts over the row number where large numbers are no times",
      input: `account;balance
        1700000000;10
        1600000000;20`,
      x: "",
      ys: ["account", "balance"],
    },
    { name: "steps alone over the row number", input: "id\n5\n4", x: "", ys: ["id"] },
    { name: "nothing of words", input: "city;country\nRome;Italy\nOslo;Norway", x: "", ys: [] },
    { name: "nothing of nothing", input: "a;b", x: "", ys: [] },
    {
      name: "three columns of many",
      input: `t;a;b;c;d
        0;1;2;3;4
        1;1;2;3;4`,
      x: "t",
      ys: ["a", "b", "c"],
    },
    {
      name: "a column that has gaps",
      input: `time;level
        12:00:00;1
        12:00:01;
        12:00:02;3`,
      x: "time",
      ys: ["level"],
      isTime: true,
    },
  ];
  test.each(cases)("$name", ({ input, x, ys, isTime = false }) => {
    const { columns, rows, kinds } = tableOf(input);
    const picked = pickAxes(columns, kinds, rows);
    expect({
      x: picked.x.column === ROW_NUMBER ? "" : columns[picked.x.column],
      ys: picked.ys.map((column) => columns[column]),
      isTime: picked.x.isTime,
    }).toEqual({ x, ys: ys as (string | undefined)[], isTime });
  });
});

test("a date is drawn at the time of day that another column has", async () => {
  const { rows, kinds } = tableOf("Date;Time;U\n2026-01-31;12:00;1\n2026-01-31;12:01;2\n2026-01-31;;3");
  const read = await readColumns(rowsFrom(rows), [{ column: 0, kind: kinds[0]! }], 1, () => true);
  expect([...read![0]!.values.subarray(0, 3)]).toEqual(
    ["2026-01-31T12:00Z", "2026-01-31T12:01Z", "2026-01-31T00:00Z"].map(Date.parse),
  );
});

const ALL = [-Infinity, Infinity] as const;
const points = (xs: number[], ys: number[][], [from, to]: readonly [number, number] = ALL, most = 1000) =>
  pointsOf(
    Float64Array.from(xs),
    ys.map((values) => Float64Array.from(values)),
    { from, to, most },
  );

describe("few points", () => {
  const cases: {
    name: string;
    xs: number[];
    ys: number[][];
    range?: [number, number];
    expected: Partial<ReturnType<typeof points>>;
  }[] = [
    {
      name: "are all there",
      xs: [1, 2],
      ys: [
        [5, 6],
        [7, 8],
      ],
      expected: {
        data: [
          [1, 2],
          [5, 6],
          [7, 8],
        ],
        count: 2,
        low: 1,
        high: 2,
      },
    },
    { name: "may be none", xs: [], ys: [[]], expected: { data: [[], []], count: 0, low: 0, high: 0 } },
    { name: "may be one", xs: [3], ys: [[4]], expected: { data: [[3], [4]], count: 1, low: 3, high: 3 } },
    { name: "may be without a series", xs: [1, 2], ys: [], expected: { data: [[1, 2]], count: 2, low: 1, high: 2 } },
    {
      name: "have gaps",
      xs: [1, 2, 3],
      ys: [[5, NaN, 6]],
      expected: {
        data: [
          [1, 2, 3],
          [5, null, 6],
        ],
        count: 3,
        low: 1,
        high: 3,
      },
    },
    {
      name: "are put in order",
      xs: [3, 1, 2],
      ys: [[30, 10, 20]],
      expected: {
        data: [
          [1, 2, 3],
          [10, 20, 30],
        ],
        count: 3,
        low: 1,
        high: 3,
      },
    },
    {
      name: "of one x stay in their order",
      xs: [2, 1, 2, 1],
      ys: [[1, 2, 3, 4]],
      expected: {
        data: [
          [1, 1, 2, 2],
          [2, 4, 1, 3],
        ],
        count: 4,
        low: 1,
        high: 2,
      },
    },
    {
      name: "without an x are left out",
      xs: [NaN, 2, NaN, 1],
      ys: [[1, 2, 3, 4]],
      expected: {
        data: [
          [1, 2],
          [4, 2],
        ],
        count: 2,
        low: 1,
        high: 2,
      },
    },
    {
      name: "of which the only one has no x are none",
      xs: [NaN],
      ys: [[1]],
      expected: { data: [[], []], count: 0, low: 0, high: 0 },
    },
    {
      name: "of which none has an x are none",
      xs: [NaN, NaN],
      ys: [[1, 2]],
      expected: { data: [[], []], count: 0, low: 0, high: 0 },
    },
    {
      name: "of a range have one more on either side, for the line to leave it",
      xs: [0, 1, 2, 3, 4, 5],
      ys: [[0, 1, 2, 3, 4, 5]],
      range: [1.5, 3.5],
      expected: {
        data: [
          [1, 2, 3, 4],
          [1, 2, 3, 4],
        ],
        count: 4,
        low: 0,
        high: 5,
      },
    },
    {
      name: "of a range between two points are those two",
      xs: [0, 10],
      ys: [[1, 2]],
      range: [4, 5],
      expected: {
        data: [
          [0, 10],
          [1, 2],
        ],
        count: 2,
        low: 0,
        high: 10,
      },
    },
    {
      name: "of a range that ends where there are several have them all",
      xs: [1, 2, 2],
      ys: [[0, 5, 9]],
      range: [1, 2],
      expected: {
        data: [
          [1, 2, 2],
          [0, 5, 9],
        ],
        count: 3,
        low: 1,
        high: 2,
      },
    },
    {
      name: "of a range behind the end are the last",
      xs: [0, 10],
      ys: [[1, 2]],
      range: [40, 50],
      expected: { data: [[10], [2]], count: 1, low: 0, high: 10 },
    },
    {
      name: "of a range before the beginning are the first",
      xs: [0, 10],
      ys: [[1, 2]],
      range: [-9, -8],
      expected: { data: [[0], [1]], count: 1, low: 0, high: 10 },
    },
  ];
  test.each(cases)("$name", ({ xs, ys, range, expected }) => {
    expect(points(xs, ys, range)).toMatchObject(expected);
  });
});

/** Ascending or not, with gaps, and now and then a peak. */
function randomSeries(random: Random, count: number) {
  const isSorted = random.chance(0.6);
  let x = random.below(100);
  const xs = Array.from({ length: count }, () => {
    x += random.below(4);
    if (isSorted) return x;
    return random.chance(0.05) ? Number.NaN : random.below(1000);
  });
  const value = () =>
    random.chance(0.1) ? Number.NaN : random.chance(0.01) ? random.below(1e9) : random.below(100) - 50;
  return { xs, ys: Array.from({ length: random.below(4) }, () => Array.from({ length: count }, value)) };
}

test("of many points no peak is lost, none is invented, and the x ascend", () => {
  forSeeds(200, (random) => {
    const { xs, ys } = randomSeries(random, random.below(600));
    const most = 4 + random.below(100);
    const range: [number, number] = random.chance(0.5)
      ? [-Infinity, Infinity]
      : [random.below(500), 500 + random.below(500)];
    const { data, count } = points(xs, ys, range, most);
    const [drawnXs = [], ...drawn] = data;
    expect(drawnXs.length).toBeLessThanOrEqual(Math.max(most + 1, 2));
    expect(drawnXs.every((x, i) => typeof x === "number" && (i === 0 || x >= drawnXs[i - 1]!))).toBe(true);
    const order = xs.flatMap((x, i) => (Number.isNaN(x) ? [] : [i])).sort((a, b) => xs[a]! - xs[b]! || a - b);
    const inRange = order.filter((i) => xs[i]! >= range[0] && xs[i]! < range[1]);
    expect(count).toBeLessThanOrEqual(order.length);
    for (const [s, values] of ys.entries()) {
      expect(drawn[s]!.length).toBe(drawnXs.length);
      const known = new Set<number | null | undefined>(values);
      expect(drawn[s]!.every((value) => value === null || known.has(value))).toBe(true);
      for (const i of inRange)
        if (!Number.isNaN(values[i]!)) expect(isCovered(xs[i]!, values[i]!, drawnXs, drawn[s]!)).toBe(true);
    }
  });
});

type Drawn = readonly (number | null | undefined)[];

/** Some stretch of two points, or some point, reaches around the one that was there. */
function isCovered(x: number, y: number, xs: Drawn, ys: Drawn): boolean {
  for (let i = 0; i < xs.length; i++) {
    if (xs[i] === x && ys[i] === y) return true;
    const [from, to, one, other] = [xs[i], xs[i + 1], ys[i], ys[i + 1]];
    if (from == null || to == null || one == null || other == null) continue;
    if (from <= x && x <= to && Math.min(one, other) <= y && y <= Math.max(one, other)) return true;
  }
  return false;
}

test("the peaks of a million points are among a thousand", () => {
  const xs = new Float64Array(1_000_000).map((_, i) => i);
  const ys = xs.map((x) => Math.sin(x / 1000));
  ys[123_456] = 99;
  ys[654_321] = -99;
  ys.fill(Number.NaN, 900_000, 910_000);
  const { data, count } = pointsOf(xs, [ys], { from: -Infinity, to: Infinity, most: 1000 });
  expect([
    count,
    data[0]!.length <= 1001,
    data[1]!.includes(99),
    data[1]!.includes(-99),
    data[1]!.includes(null),
  ]).toEqual([1_000_000, true, true, true, true]);
});

test("the extremes of a stretch come in the order in which they came", () => {
  const { data } = points([0, 1, 2, 3, 4, 5, 6, 7], [[0, 9, 1, 1, 9, 0, 5, 5]], ALL, 4);
  expect(data).toEqual([
    [0, 3, 4, 7],
    [0, 9, 9, 0],
  ]);
});

test("a column that follows its changes is the one that is read anew", async () => {
  const kind = kindOf(["1"]);
  const first = seedOfRun();
  for (let seed = first; seed < first + 200; seed++) {
    const random = randomFrom(seed);
    const read = async () =>
      (await readColumns(rowsFrom(rows, { ...BLOCKS, cells: 16 }), [{ column: 1, kind }], 1, () => true))![0]!;
    const rowsOf = (most: number) =>
      Array.from({ length: random.below(most + 1) }, (): Row =>
        random.chance(0.1) ? ["a"] : ["a", random.pick(["", "x", "1", "2.5", "1,000"])],
      );
    const rows = rowsOf(100);
    const held = await read();
    for (let round = 0; round < 10; round++) {
      let length = rows.length;
      const splices = Array.from({ length: random.below(4) }, (): Splice => {
        const start = random.below(length + 1);
        const deleted = random.below(Math.min(6, length - start) + 1);
        const inserted = rowsOf(random.chance(0.1) ? 200 : 6);
        length += inserted.length - deleted;
        return [start, deleted, inserted];
      });
      applySplices(rows, splices);
      spliceColumn(held, splices, 1, kind);
    }
    const anew = await read();
    expect({ seed, count: held.count }).toEqual({ seed, count: anew.count });
    expect([...held.values.subarray(0, held.count)]).toEqual([...anew.values.subarray(0, anew.count)]);
  }
});

describe("a gap in time is a gap in the line:", () => {
  const SECOND = 1_000;
  const timed = (seconds: number[], most = 1000) =>
    pointsOf(
      Float64Array.from(seconds, (s) => s * SECOND),
      [Float64Array.from(seconds, (_, i) => i)],
      { from: -Infinity, to: Infinity, most, hasGaps: true },
    );
  const gapsOf = ({ mates }: ReturnType<typeof timed>) => mates.filter((mate) => mate === -1).length;
  const steady = (count: number, from = 0, step = 1) => Array.from({ length: count }, (_, i) => from + i * step);

  test("a stretch of nothing, well over the usual step", () => {
    const { data, mates } = timed([...steady(20), ...steady(20, 100)]);
    expect(data[0]!.slice(19, 22)).toEqual([19_000, 59_500, 100_000]);
    expect(data[1]!.slice(19, 22)).toEqual([19, null, 20]);
    expect(mates.slice(19, 22)).toEqual([19, -1, 21]);
  });

  const cases: { name: string; seconds: number[]; gaps: number }[] = [
    { name: "none in a steady log", seconds: steady(100), gaps: 0 },
    { name: "none where a row or two are missing", seconds: [...steady(50), ...steady(50, 52)], gaps: 0 },
    { name: "none among few rows", seconds: [0, 1, 2, 500], gaps: 0 },
    { name: "none where all rows are of one moment", seconds: Array(50).fill(7), gaps: 0 },
    {
      name: "one, where several rows share each moment",
      seconds: [...steady(30), ...steady(30, 200)].flatMap((s) => [s, s, s, s]),
      gaps: 1,
    },
    { name: "each of several", seconds: [0, 100, 200].flatMap((from) => steady(30, from)), gaps: 2 },
  ];
  test.each(cases)("$name", ({ seconds, gaps }) => {
    expect(gapsOf(timed(seconds))).toBe(gaps);
  });

  test("none, of what comes at random", () => {
    let gaps = 0;
    forSeeds(50, (random) => {
      let at = 0;
      gaps += gapsOf(timed(Array.from({ length: 500 }, () => (at -= Math.log(1 - random.next())))));
    });
    expect(gaps).toBeLessThan(25); // of 25,000 steps
  });

  test("also where many rows share a pixel", () => {
    const points = timed([...steady(5_000), ...steady(5_000, 20_000)], 100);
    expect(gapsOf(points)).toBe(1);
    expect(points.data[0]!.length).toBeLessThan(110);
  });

  test("none of numbers, which may be as far from each other as they like", () => {
    const { mates } = points([...steady(20), ...steady(20, 100)], [steady(40)]);
    expect(mates).toEqual(steady(40));
  });
});

test("of each point it is known what is drawn: a row, or the ends of a stretch of rows", () => {
  expect(points([1, 2, 3], [[4, 5, 6]]).mates).toEqual([0, 1, 2]);
  expect(points([0, 1, 2, 3, 4, 5, 6, 7], [[0, 9, 1, 1, 9, 0, 5, 5]], ALL, 4).mates).toEqual([1, 0, 3, 2]);
});

test("the last values are known, each of its own row", () => {
  const ys = [
    [4, 5, NaN],
    [NaN, NaN, NaN],
  ];
  expect(points([1, 2, 3], ys).last).toEqual([3, 5, undefined]);
  expect(points([1, 2, 3], ys, [0, 1.5]).last).toEqual([1, 4, undefined]);
  expect(points([], [[]]).last).toEqual([undefined, undefined]);
});

describe("a column that is split by another", () => {
  const split = (codes: number[], values: number[], most = 1000) => {
    const [x, y, c] = [codes.map((_, i) => i), values, codes].map((numbers) => Float64Array.from(numbers));
    const lines = [0, 1].map((code) => splitValues(x!, y!, c!, code));
    return pointsOf(x!, lines, { from: -Infinity, to: Infinity, most, isSplit: true }).data.slice(1);
  };

  test("is a line for each word, which goes on where the rows are of another", () => {
    expect(split([0, 1, 0, 1], [1, 2, 3, 4])).toEqual([
      [1, undefined, 3, undefined],
      [undefined, 2, undefined, 4],
    ]);
  });

  test("is broken where its own row has no value", () => {
    expect(split([0, 1, 0, 1, 0], [1, 2, NaN, 4, 5])[0]).toEqual([1, undefined, null, undefined, 5]);
  });

  test.each([1000, 30])("is broken where its own rows stop for long, though others go on (%d points)", (most) => {
    const codes = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 && (i < 20 || i >= 40) ? 0 : 1));
    const [own, other] = split(
      codes,
      codes.map((_, i) => i),
      most,
    );
    const broken = own!.flatMap((value, i) => (value === null ? [i] : []));
    expect(broken.length).toBeGreaterThan(0);
    expect(broken.at(-1)! - broken[0]!).toBe(broken.length - 1); // in one place
    expect(other!.filter((value) => value === null)).toHaveLength(0);
  });
});

describe("a log is", () => {
  const cases: { name: string; csv: string; expected: boolean }[] = [
    { name: "what is in the order of its time", csv: "time;v\n2026-01-01 00:00;1\n2026-01-02 00:00;2", expected: true },
    { name: "not what is in another", csv: "time;v\n2026-01-02 00:00;1\n2026-01-01 00:00;2", expected: false },
    { name: "not what has no time", csv: "n;v\n1;1\n2;2", expected: false },
    { name: "not what is all of one moment", csv: "time;v\n2026-01-02 00:00;1\n2026-01-02 00:00;2", expected: false },
  ];
  test.each(cases)("$name", ({ csv, expected }) => {
    const { rows, kinds } = tableOf(csv);
    expect(isLog(kinds, rows)).toBe(expected);
  });
});
