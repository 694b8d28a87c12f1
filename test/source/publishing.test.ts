// From what a source holds to what is published: cursors, changes, warnings, snapshots.
import { describe, expect, test } from "bun:test";
import { CsvError } from "../../src/csv/error.ts";
import type { Publication } from "../../src/feed/publication.ts";
import { type HeldOptions, openHeld } from "../../src/source/held.ts";
import { openPublishing } from "../../src/source/publishing.ts";
import { atOnce } from "../../src/values/steps.ts";
import { taken } from "./writer.ts";

const CHANGED_AT = 1_700_000_000_000;

/** Something held, what is published of it, and a clock that goes on by 1.5 ms with each publication. */
function openTestPublishing(changes: Partial<HeldOptions> = {}) {
  const published: Publication[] = [];
  let time = 0;
  const held = openHeld({ lastRows: Infinity, maxCellBytes: 1 << 24, ...changes });
  const publishing = openPublishing(changes, {
    name: "f.csv",
    now: () => time + 1.5,
    onPublication: (publication) => void published.push(publication),
  });
  function publish(): Publication {
    atOnce(publishing.publish(held.publish(true)!, CHANGED_AT + time, time));
    time += 10;
    return published.at(-1)!;
  }
  return {
    published,
    snapshot: publishing.snapshot,
    close: publishing.close,
    /** The whole is this now. */
    set(text: string | Uint8Array): Publication {
      const bytes = new Uint8Array(Buffer.from(text as string));
      held.set(bytes, bytes.length);
      return publish();
    },
    append(text: string): Publication {
      if (!held.append(Buffer.from(text))) throw new Error("the whole is needed");
      return publish();
    },
    /** As it is, without its publication. */
    hold: (text: string) => void held.append(Buffer.from(text)),
    [Symbol.dispose]: publishing.close,
  };
}

describe("cursors", () => {
  test("count versions from 1 within an epoch, and begin with a new one of a header of its own", () => {
    using source = openTestPublishing();
    const cursors = [source.set("a\n1\n"), source.append("2\n"), source.set("a\n1\nX\n"), source.set("b\n1\n")].map(
      ({ cursor }) => cursor,
    );
    expect(cursors.map(({ version }) => version)).toEqual([1, 2, 3, 1]);
    expect(cursors.map(({ epoch }) => cursors.findIndex((other) => other.epoch === epoch))).toEqual([0, 0, 0, 3]);
    expect(source.append("2\n").cursor).toEqual({ epoch: cursors[3]!.epoch, version: 2 });
  });

  test("have an epoch that fits into a cursor's text, and that nobody else draws", () => {
    const epochs = Array.from({ length: 100 }, () => {
      using source = openTestPublishing();
      return source.set("a\n").cursor.epoch;
    });
    expect(epochs.filter((epoch) => !/^[\w-]{8}$/.test(epoch))).toEqual([]);
    expect(new Set(epochs).size).toBe(100);
  });
});

describe("a publication", () => {
  test("has all that there is to say about a table", () => {
    using source = openTestPublishing();
    const publication = source.set('a,"b ""x"""\n1,2\n3,4\n');
    expect(publication).toEqual({
      cursor: { epoch: expect.any(String), version: 1 },
      columns: {
        count: 2,
        json: '["a","b \\"x\\""]',
        verdicts: { types: '["number","number"]', units: "[null,null]" },
      },
      rows: 2,
      splices: undefined,
      about: {
        name: "f.csv",
        dialect: "comma, UTF-8",
        warnings: [],
        misfits: 0,
        changedAt: CHANGED_AT,
        readMs: 1.5,
        bytes: 20,
      },
    });
    expect(source.append("5,6\n")).toMatchObject({
      columns: publication.columns,
      rows: 3,
      about: { changedAt: CHANGED_AT + 10, readMs: 1.5, bytes: 24 },
    });
  });

  test("says the change as splices of rows as arrays", () => {
    using source = openTestPublishing();
    source.set("a,b\n1,2\n3,4\n");
    expect(source.append('5,"6 ""é"""\n').splices).toBe('[[2,0,[["5","6 \\"é\\""]]]]');
    expect(source.set('a,b\n1,X\n5,"6 ""é"""\n').splices).toBe('[[0,2,[["1","X"]]]]');
    expect(source.set('a,b\n5,"6 ""é"""\n').splices).toBe("[[0,1,[]]]");
  });

  test("counts splices from the first of the last rows", () => {
    using source = openTestPublishing({ lastRows: 2 });
    expect(source.set("a\n1\n2\n3\n")).toMatchObject({ rows: 2, splices: undefined });
    expect(source.append("4\n")).toMatchObject({ rows: 2, splices: '[[0,1,[]],[1,0,[["4"]]]]' });
  });

  test("has none where the table is to be taken anew, in the epoch or in a new one", () => {
    using source = openTestPublishing();
    const { cursor } = source.set("a\n1\n");
    const all = source.set(`a\n${"2\n".repeat(100_000)}`);
    expect([all.splices, all.cursor]).toEqual([undefined, { ...cursor, version: 2 }]);
    expect(source.set("x\n1\n").splices).toBeUndefined();
  });
});

test("a change that would be a much longer text than the table is none: the table is to be taken anew", () => {
  using source = openTestPublishing();
  source.set(`${Array.from({ length: 5_000 }, (_, column) => `c${column}`).join(",")}\n1\n`);
  expect(source.append("2\n").splices).toStartWith('[[1,0,[["2","",');
  const { splices, cursor, rows } = source.append("3\n".repeat(1_000));
  expect([splices, cursor.version, rows]).toEqual([undefined, 3, 1_002]);
});

describe("what the columns are", () => {
  const typesOf = ({ columns }: Publication) => columns.verdicts?.types;
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i},x\n`).join("");

  test("is known better with more rows, then kept while the epoch lasts, and what does not fit is counted", () => {
    using source = openTestPublishing();
    const first = source.set("a,b [V]\n");
    expect(first.columns.verdicts).toEqual({ types: '["text","text"]', units: '[null,"V"]' });
    const second = source.append("1,true\n");
    expect(typesOf(second)).toBe('["number","boolean"]');
    expect(source.append("2,false\n").columns).toBe(second.columns);
    expect(typesOf(source.set("a,b [V]\n1,x\n2,y\n"))).toBe('["number","text"]');
    expect(source.append(numbers(98)).about.misfits).toBe(0);
    const later = source.append("x,1\ny,2\n,3\n");
    expect([typesOf(later), later.about.misfits]).toEqual(['["number","text"]', 2]);
    const other = source.set("c\ntrue\n");
    expect([typesOf(other), other.about.misfits]).toEqual(['["boolean"]', 0]);
  });

  test("is told of a row of units too, which is no row, and misfits are counted in a first table", () => {
    using source = openTestPublishing();
    const first = source.set(`t,U\ns,mV\n${numbers(100).replaceAll("x", "1.5")}oops,2\n,NA\n3,later\n`);
    expect(first.columns.verdicts).toEqual({ types: '["number","number"]', units: '["s","mV"]' });
    expect([first.rows, first.about.misfits]).toEqual([103, 2]);
    expect(source.append("nor this,4\n").about.misfits).toBe(3);
  });

  test("is that of the rows that are shown", () => {
    using source = openTestPublishing({ lastRows: 2 });
    source.set("a,b\ntrue,1\n2,x\n");
    expect(typesOf(source.append("3,y\n"))).toBe('["number","text"]');
  });

  test.each([
    { types: undefined, json: '[{"a":"1.50","b":"NA"},{"a":"x","b":"2"}]' },
    { types: "auto" as const, json: '[{"a":"1.50","b":null},{"a":"x","b":2}]' },
    { types: { a: "number" as const }, json: '[{"a":1.50,"b":"NA"},{"a":"x","b":"2"}]' },
  ])("gives frames and documents literals if that is asked for: %p", async ({ types, json }) => {
    using source = openTestPublishing({ types });
    source.set("a,b\n1.50,NA\nx,2\n");
    const textOf = async (shape: "frame" | "json" | "ndjson" | "rows" | "csv") =>
      (await taken(source.snapshot(shape))).parts
        .map((part) => ("text" in part ? part.text : Buffer.from(part.data).toString()))
        .join("");
    expect(await textOf("frame")).toBe(json);
    expect(await textOf("json")).toBe(json);
    expect(await textOf("ndjson")).toBe(json.slice(1, -1).replace("},", "}\n") + "\n");
    expect(await textOf("rows")).toBe('[["1.50","NA"],["x","2"]]');
    expect(await textOf("csv")).toBe("a,b\r\n1.50,NA\r\nx,2\r\n");
  });
});

const OTHER_HEADER =
  "line 2 has 3 cells, the header (line 1) has 2: if the header is another line, see --skip-lines and --header-line";

describe("warnings", () => {
  const cases = [
    { name: "none", text: "a,b\n1,2\n", warnings: [] },
    {
      name: "a column that was renamed",
      text: "a,a\n1,2\n",
      warnings: ["1 column renamed: the name was there already"],
    },
    {
      name: "columns that were renamed",
      text: "a,a,a\n1,2,3\n",
      warnings: ["2 columns renamed: the name was there already"],
    },
    {
      name: "cells that were dropped",
      text: "a,b\n1,2,3\n1,2,3,4\n",
      warnings: ["3 cells dropped: beyond the last column of the header", OTHER_HEADER],
    },
    {
      name: "several",
      text: "a,a\n1,2,3\n",
      warnings: [
        "1 column renamed: the name was there already",
        "1 cell dropped: beyond the last column of the header",
        OTHER_HEADER,
      ],
    },
  ];
  test.each(cases)("of $name", ({ text, warnings }) => {
    using source = openTestPublishing();
    expect(source.set(text).about.warnings).toEqual(warnings);
  });

  test("of characters that were replaced", () => {
    using source = openTestPublishing({ encoding: "utf-8" });
    const { about } = source.set(Buffer.from("a\ncaf\xe9\n", "latin1"));
    expect(about.warnings).toEqual(["1 character replaced: not valid in UTF-8, the first in line 2"]);
  });

  test("of a type for a column that there is not", () => {
    using source = openTestPublishing({ types: { a: "number", prize: "number" } });
    expect(source.set("a,price\n1,2\n").about.warnings).toEqual(['--types: there is no column "prize"']);
  });

  test("go with what they were about", () => {
    using source = openTestPublishing();
    source.set("a,b\n1,2,3\n4,5\n");
    expect(source.set("a,b\n1,2\n4,5\n").about.warnings).toEqual([]);
  });
});

describe("a snapshot", () => {
  test("of before the first publication is of that", async () => {
    using source = openTestPublishing();
    const coming = source.snapshot("rows");
    const { cursor, columns } = source.set("a\n1\n");
    expect(await taken(coming)).toEqual({
      cursor,
      columns,
      rows: 1,
      parts: [{ at: 0, next: 1, text: '[["1"]]', bytes: 7 }],
    });
  });

  test("is of what was published, not of what is held meanwhile", async () => {
    using source = openTestPublishing();
    const { cursor } = source.set("a\n1\n");
    source.hold("2\n3");
    expect(await taken(source.snapshot("frame"))).toMatchObject({ cursor, rows: 1, parts: [{ text: '[{"a":"1"}]' }] });
    const next = source.append("\n");
    const { cursor: at, parts } = await taken(source.snapshot("frame"));
    expect([at, parts[0]?.text]).toEqual([next.cursor, '[{"a":"1"},{"a":"2"},{"a":"3"}]']);
  });

  test("has the last rows only", async () => {
    using source = openTestPublishing({ lastRows: 1 });
    source.set("a\n1\n2\n");
    expect((await taken(source.snapshot("rows"))).parts).toEqual([{ at: 0, next: 1, text: '[["2"]]', bytes: 7 }]);
    expect(Buffer.concat((await taken(source.snapshot("csv"))).parts.map(({ data }) => data)).toString()).toBe(
      "a\r\n2\r\n",
    );
  });

  test("as a frame has at most so many bytes", async () => {
    using source = openTestPublishing();
    source.set("a\né\n");
    const [part] = (await taken(source.snapshot("frame", 12))).parts;
    expect(part).toEqual({ at: 0, next: 1, text: '[{"a":"é"}]', bytes: 12 });
    const failure = await taken(source.snapshot("frame", 11)).catch((error: unknown) => error);
    expect(failure).toEqual(new CsvError("too-large", "the table is larger than a message may be"));
  });

  test("that is waited for is rejected when the source is closed", async () => {
    const source = openTestPublishing();
    const coming = source.snapshot("json");
    source.close();
    expect(await coming.catch((error: unknown) => error)).toEqual(new CsvError("closed", "closed"));
  });
});

test("how many rows of the source are in front is told with each publication, and with a snapshot", async () => {
  using source = openTestPublishing({ lastRows: 2 });
  const firsts = [source.set("a\n1\n"), source.append("2\n3\n"), source.append("4\n"), source.set("a\n1\n")].map(
    ({ first }) => first,
  );
  expect(firsts).toEqual([undefined, 1, 2, undefined]);
  source.append("2\n3\n4\n");
  const snapshot = await source.snapshot("rows");
  source.append("5\n");
  expect(snapshot.first).toBe(2);
  snapshot.close();
});

describe("what the columns are", () => {
  const CELLS = ["1", "2.5", "1,5", "", "x", "2026-01-02", "true", "NaN", "12:30", "-"];

  test("is the same for rows that come one by one, or some at a time, as for all at once", () => {
    for (let seed = 1; seed <= 10; seed++) {
      let state = seed;
      const random = (below: number) => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % below;
      // Columns of one kind, with another now and then.
      const kinds = [0, 1, 2].map(() => random(CELLS.length));
      const row = () => kinds.map((kind) => `"${CELLS[random(8) === 0 ? random(CELLS.length) : kind]!}"`).join(",");
      const rows = Array.from({ length: 130 }, row);
      using whole = openTestPublishing();
      using grown = openTestPublishing();
      const head = "a [m],b,c\n";
      let text =
        head +
        rows
          .slice(0, 3)
          .map((line) => `${line}\n`)
          .join("");
      grown.set(text);
      for (let at = 3; at < rows.length;) {
        const more = rows
          .slice(at, (at += 1 + random(20)))
          .map((line) => `${line}\n`)
          .join("");
        text += more;
        const { columns, about } = grown.append(more);
        const expected = openTestPublishing();
        const { verdicts } = expected.set(text).columns;
        expect({ seed, at, verdicts: columns.verdicts }).toEqual({ seed, at, verdicts });
        expected.close();
        if (at >= rows.length) expect(about.misfits).toBe(whole.set(text).about.misfits);
      }
    }
  });
});
