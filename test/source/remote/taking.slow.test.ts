// Bodies on their way into a table, cut into pieces by chance: what comes of them is what a fresh reading says.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Held, openHeld } from "../../../src/source/held.ts";
import { OnceMore, openTakings, type Outcome, type Takings } from "../../../src/source/remote/taking.ts";
import { TEST_TIMEOUT_MS } from "../../support.ts";
import { type Chance, openChance } from "./chance.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const OPTIONS = { lastRows: Infinity, maxCellBytes: 1 << 20, maxMemoryBytes: Infinity, maxFileBytes: Infinity };

/** All steps at once; what comes of them. */
function through<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** As a source does it: once more if that is needed. */
function take(takings: Takings, bytes: Uint8Array, chance?: Chance): Outcome {
  for (;;) {
    const taking = takings.open();
    try {
      for (let at = 0; at < bytes.length;) {
        const length = chance ? 1 + chance.below(chance.of([3, 100, 70_000])) : bytes.length;
        through(taking.add(bytes.slice(at, (at += length))));
      }
      return through(taking.finish(() => {}));
    } catch (error) {
      if (!(error instanceof OnceMore)) throw error;
    }
  }
}

function rowsOf(held: Held): string {
  held.publish(true);
  const table = held.table()!;
  return table.render(0, table.rows(), "arrays").text ?? "";
}

function fresh(bytes: Uint8Array, options = OPTIONS): string {
  const held = openHeld(options);
  take(openTakings(held, options), bytes);
  return rowsOf(held);
}

const CELLS = ["1", "23", "", "x", '"a,b"', '"two\nlines"', "é", "€uro", 'say "hi"'];
const rowOf = (chance: Chance) => `${chance.below(1_000)},${chance.of(CELLS)},${chance.of(CELLS)}\n`;
const HEADER = "number,first,second\n";

const ENCODERS: readonly { readonly name: string; readonly encode: (text: string) => Uint8Array }[] = [
  { name: "UTF-8", encode: (text) => Buffer.from(text) },
  { name: "UTF-8 with a BOM", encode: (text) => Buffer.from(`\ufeff${text}`) },
  { name: "UTF-16", encode: (text) => Buffer.from(`\ufeff${text}`, "utf16le") },
  { name: "windows-1252", encode: (text) => Buffer.from(text.replaceAll("€", "e"), "latin1") },
];

function changed(rows: string[], chance: Chance): string[] {
  const at = chance.below(rows.length + 1);
  const next = rows.slice();
  const some = Array.from({ length: 1 + chance.below(30) }, () => rowOf(chance));
  switch (chance.below(6)) {
    case 0:
    case 1:
      return [...next, ...some];
    case 2:
      next.splice(at, chance.below(5), ...some);
      return next;
    case 3:
      return next.slice(at);
    case 4:
      return next.slice(0, at);
    default:
      return next;
  }
}

describe.each(ENCODERS)("in $name", ({ encode }) => {
  test.each([{ lastRows: Infinity }, { lastRows: 7 }])("the last rows: $lastRows", ({ lastRows }) => {
    for (let seed = 1; seed <= Number(process.env["CSVCAST_RUNS"] ?? 12); seed++) {
      const chance = openChance(seed);
      const options = { ...OPTIONS, lastRows };
      const held = openHeld(options);
      const takings = openTakings(held, options);
      let rows = Array.from({ length: chance.of([25, 5_000]) }, () => rowOf(chance));
      for (let step = 0; step < 8; step++) {
        const bytes = encode(HEADER + rows.join(""));
        take(takings, bytes, chance);
        const tail = (json: string) => JSON.stringify((JSON.parse(json) as unknown[]).slice(-lastRows));
        const shown = lastRows === Infinity ? (json: string) => json : tail;
        expect(`${seed}.${step} ${shown(rowsOf(held))}`).toBe(`${seed}.${step} ${shown(fresh(bytes))}`);
        expect(takings.size()).toBe(bytes.length);
        rows = changed(rows, chance);
      }
    }
  });
});

describe("what came is told:", () => {
  const long = `${HEADER}${"1,2,3\n".repeat(400_000)}`;
  const cases: { name: string; before: string; after: string; expected: Outcome }[] = [
    { name: "the same", before: long, after: long, expected: "same" },
    { name: "more", before: long, after: `${long}4,5,6\n`, expected: "appended" },
    { name: "much more", before: long, after: long + long.slice(HEADER.length).repeat(2), expected: "anew" },
    { name: "less", before: long, after: long.slice(0, -6), expected: "anew" },
    { name: "another byte", before: long, after: `${long.slice(0, -2)}7\n`, expected: "anew" },
    { name: "all of another", before: long, after: "a,b\n1,2\n", expected: "anew" },
    { name: "nothing", before: long, after: "", expected: "anew" },
    { name: "something at last", before: "", after: "a,b\n1,2\n", expected: "anew" },
  ];
  test.each(cases)("$name", ({ before, after, expected }) => {
    const held = openHeld(OPTIONS);
    const takings = openTakings(held, OPTIONS);
    take(takings, Buffer.from(before));
    held.publish(true);
    expect(take(takings, Buffer.from(after))).toBe(expected);
    expect(rowsOf(held)).toBe(fresh(Buffer.from(after)));
  });

  test("a body that is given up changes nothing, wherever that is", () => {
    const held = openHeld(OPTIONS);
    const takings = openTakings(held, OPTIONS);
    const text = Buffer.from(`${HEADER}${"1,2,3\n".repeat(1_000)}`);
    take(takings, text);
    for (const other of [Buffer.from("x,y\n1,2\n"), Buffer.concat([text, Buffer.from("4,5,6\n")]), text.subarray(0, 9)])
      through(takings.open().add(other));
    expect(rowsOf(held)).toBe(fresh(text));
    expect(take(takings, text)).toBe("same");
  });
});
