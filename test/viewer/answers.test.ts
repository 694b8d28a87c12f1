// What the Worker answers beside the table: a row, figures of what is selected, what is in a column, cells for the clipboard.
import { expect, test } from "bun:test";
import type { Row, Splice } from "../../src/feed/protocol.ts";
import type { TableFields as Table } from "../../src/follow/table.ts";
import { openAnswers } from "../../src/viewer/answers.ts";
import type { FromWorker } from "../../src/viewer/messages.ts";
import { openModel } from "../../src/viewer/model.ts";
import { applySplices } from "../follow/splice.ts";
import { until } from "../support.ts";

const rowOf = (i: number): Row => [String(i), `0000${i}`];

async function opened(count: number) {
  const said: FromWorker[] = [];
  const model = openModel({ breathe: () => true, now: () => 0, onChanged: () => answers.changed() });
  const answers = openAnswers(
    model,
    () => true,
    (message) => said.push(message),
  );
  const rows = Array.from({ length: count }, (_, i) => rowOf(i));
  const table: Table & { rows: Row[] } = {
    columns: ["n", "code"],
    rows,
    cursor: "",
    types: ["number", "text"],
    units: [null, null],
  };
  model.take(table, undefined);
  while (model.isBuilding) await Promise.resolve();
  const change = (...splices: Splice[]) => {
    applySplices(table.rows, splices);
    model.change(table, splices);
  };
  return { model, answers, said, change };
}

test("a row is told once, then where it is, and again when it says something else", async () => {
  const { answers, said, change } = await opened(5);
  answers.row(2, 1);
  change([0, 0, [rowOf(9)]]);
  change([3, 1, [["2", "new"]]]);
  answers.row(undefined, 0);
  change([0, 0, [rowOf(9)]]);
  expect(said).toEqual([
    {
      type: "row",
      row: { row: 2, position: 2, count: 5, cells: ["2", "00002"], lengths: [1, 5], column: 1, whole: "00002" },
    },
    { type: "rowMoved", place: { row: 3, position: 3, count: 6 } },
    {
      type: "row",
      row: { row: 3, position: 3, count: 6, cells: ["2", "new"], lengths: [1, 3], column: 1, whole: "new" },
    },
  ]);
});

test("other cells of a row are cut, the one that is looked at is whole", async () => {
  const { answers, said, change } = await opened(1);
  const long = "x".repeat(5_000);
  change([0, 1, [[long, long]]]);
  answers.row(0, 1);
  const [told] = said;
  expect(
    told?.type === "row" && [told.row.cells.map(({ length }) => length), told.row.lengths, told.row.whole.length],
  ).toEqual([[2_000, 2_000], [5_000, 5_000], 5_000]);
});

test.each([5, 5_000])("figures of %d selected rows are those of their numbers", async (count) => {
  const { answers, said } = await opened(count);
  answers.figures({ from: 1, to: count, columns: [0, 1] });
  await until("figures", () => said.length > 0);
  const sum = ((count - 1) * count) / 2;
  expect(said).toEqual([{ type: "figures", figures: { count: count - 1, sum, least: 1, greatest: count - 1 } }]);
});

test("only those of what is selected last are told", async () => {
  const { answers, said } = await opened(5);
  answers.figures({ from: 0, to: 5, columns: [0] });
  answers.figures({ from: 4, to: 5, columns: [0] });
  await until("figures", () => said.length > 0);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  expect(said).toEqual([{ type: "figures", figures: { count: 1, sum: 4, least: 4, greatest: 4 } }]);
});

test("what is copied has text as text for spreadsheets; too much is not copied", async () => {
  const { answers, said } = await opened(2);
  answers.copy({ from: 0, to: 2, columns: [1, 0] }, false, true);
  answers.copy({ from: 0, to: 2_000_000, columns: [0, 1] }, false, false);
  expect(said[0]).toMatchObject({ type: "copied", text: "code\tn\n00000\t0\n00001\t1", rows: 2 });
  expect(said[0]?.type === "copied" && said[0].html).toContain(
    `<td style="mso-number-format:'\\@'">00001</td><td>1</td>`,
  );
  expect(said[1]).toMatchObject({ type: "copied", text: undefined });
});

test("of a column there is what is in it", async () => {
  const { answers, said } = await opened(3);
  answers.summary(0);
  await until("a summary", () => said.length > 0);
  expect(said[0]).toMatchObject({ type: "summary", column: 0, summary: { rows: 3, blanks: 0, distinct: 3 } });
});
