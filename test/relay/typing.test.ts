// What a replica writes literals by.
import { describe, expect, test } from "bun:test";
import { wantedVerdicts } from "../../src/relay/follow/typing.ts";
import type { TypesOption } from "../../src/csv/columns.ts";

describe("of what its publisher told a replica takes", () => {
  const verdicts = { types: '["number:,","text","time:day-first"]', units: '["V",null,null]' };
  const columns = { count: 3, json: '["u","name","when"]', verdicts };
  const text = { type: "text", unit: undefined };
  const number = { type: "number", decimal: ",", thousands: "", unit: "V" };
  const time = { type: "time", format: "day-first", clock: undefined, unit: undefined };
  const cases: { name: string; types: TypesOption | undefined; expected: unknown }[] = [
    { name: "nothing without types of its own", types: undefined, expected: undefined },
    { name: "all", types: "auto", expected: [number, text, time] },
    { name: "how a named column is read", types: { u: "number", gone: "time" }, expected: [number, text, text] },
    {
      name: "nothing where it asks for another type",
      types: { u: "boolean", name: "number", when: "time" },
      expected: [
        { type: "boolean", unit: "V" },
        { type: "number", decimal: ".", thousands: "", unit: undefined },
        time,
      ],
    },
  ];
  test.each(cases)("$name", ({ types, expected }) => {
    expect(wantedVerdicts(types, columns)).toEqual(expected as never);
  });

  test("text where nothing is told", () => {
    expect(wantedVerdicts("auto", { ...columns, verdicts: undefined })).toEqual([text, text, text] as never);
    expect(wantedVerdicts({ name: "time" }, { ...columns, verdicts: undefined })?.map(({ type }) => type)).toEqual([
      "text",
      "time",
      "text",
    ]);
  });
});
