// One cell at a time: what is a number, in which reading, with which unit; what is no value; how verdicts are told.
import { describe, expect, test } from "bun:test";
import { fits, valueOf } from "../../src/values/cell.ts";
import { isMissing } from "../../src/values/missing.ts";
import { numberOf, READINGS } from "../../src/values/numbers.ts";
import { isUnit, unitInName } from "../../src/values/units.ts";
import { encodeVerdicts, parseVerdicts, type Verdict } from "../../src/values/verdict.ts";
import { WRITTEN_FORMATS } from "../../src/values/times.ts";

const point = { decimal: ".", thousands: "" } as const;
const pointComma = { decimal: ".", thousands: "," } as const;
const comma = { decimal: ",", thousands: "" } as const;
const commaPoint = { decimal: ",", thousands: "." } as const;
const commaBlank = { decimal: ",", thousands: " " } as const;
const NONE = Number.NaN;

describe("a number", () => {
  const cases: { reading: Parameters<typeof numberOf>[1]; input: string; expected: number }[] = [
    { reading: point, input: "-12.5", expected: -12.5 },
    { reading: point, input: "1e3", expected: 1000 },
    { reading: point, input: ".5", expected: 0.5 },
    { reading: point, input: "5.", expected: 5 },
    { reading: point, input: " +7 ", expected: 7 },
    { reading: point, input: "0042", expected: 42 },
    { reading: point, input: "1,234", expected: NONE },
    { reading: point, input: "", expected: NONE },
    { reading: point, input: "-", expected: NONE },
    { reading: point, input: "1 2", expected: NONE },
    { reading: point, input: "0x1F", expected: NONE },
    { reading: point, input: "Infinity", expected: NONE },
    { reading: point, input: "NaN", expected: NONE },
    { reading: point, input: "12 kg", expected: NONE },
    { reading: { ...point, unit: "kg" }, input: "12 kg", expected: 12 },
    { reading: { ...point, unit: "kg" }, input: "12kg", expected: 12 },
    { reading: { ...point, unit: "kg" }, input: "12", expected: 12 },
    { reading: { ...point, unit: "kg" }, input: "12 t", expected: NONE },
    { reading: { ...point, unit: "°C" }, input: "-7.4 °C", expected: -7.4 },
    { reading: { ...point, unit: "kB/s" }, input: "0.5 kB/s", expected: 0.5 },
    { reading: { ...point, unit: "Hz" }, input: "1e3 Hz", expected: 1000 },
    { reading: { ...point, unit: "%" }, input: "12.5 %", expected: 12.5 },
    { reading: { ...point, unit: "$" }, input: "-$5", expected: -5 },
    { reading: { ...pointComma, unit: "$" }, input: "$1,234.50", expected: 1234.5 },
    { reading: pointComma, input: "1,234,567.5", expected: 1_234_567.5 },
    { reading: pointComma, input: "-1,234", expected: -1234 },
    { reading: pointComma, input: "12,34", expected: NONE },
    { reading: comma, input: "-1,5", expected: -1.5 },
    { reading: comma, input: "1,5e3", expected: 1500 },
    { reading: comma, input: "1.5", expected: NONE },
    { reading: comma, input: "12", expected: 12 },
    { reading: commaPoint, input: "1.234,50", expected: 1234.5 },
    { reading: commaPoint, input: "1.234", expected: 1234 },
    { reading: { ...commaBlank, unit: "€" }, input: "1 234 567,5 €", expected: 1_234_567.5 },
    { reading: commaBlank, input: "1\u202f234,5", expected: 1234.5 },
    { reading: { decimal: ".", thousands: "'" }, input: "1'234.5", expected: 1234.5 },
  ];
  test.each(cases)("$input", ({ reading, input, expected }) => {
    expect(numberOf(input, reading)).toBe(expected);
  });

  const long = [
    " ".repeat(25_000),
    "1".repeat(15_000),
    `1${",000".repeat(5_000)}`,
    "%".repeat(9_000),
    `1${".1".repeat(9_000)}`,
  ];
  test.each(long)(
    "a long cell costs no more than its length",
    (start) => {
      for (const reading of READINGS) expect(numberOf(`${start}x`, reading)).toBeNaN();
    },
    150,
  );
});

test("words for nothing, in any case", () => {
  const words = [
    "",
    "  ",
    "-",
    "--",
    "---",
    ".",
    "NA",
    "n/a",
    "N/A",
    "#N/A",
    "[N/A]",
    "NaN",
    "nan",
    "null",
    "None",
    "nil",
    "\\N",
  ];
  const more = ["unavailable", "unknown", "<NA>", "(null)", "?", "NAN", "[Not Supported]", "\u00a0"];
  expect([...words, ...more].filter((word) => !isMissing(word))).toEqual([]);
  expect(["0", "false", "no", "Nancy", "-1", "n", "+", "nothing"].filter(isMissing)).toEqual([]);
});

test("units, and words that are none", () => {
  const units = [
    "s",
    "ms",
    "µs",
    "V",
    "mV",
    "kV",
    "°C",
    "degC",
    "Deg C",
    "%",
    "m/s",
    "m/s²",
    "km/h",
    "kWh",
    "l/min",
    "W/m2",
    "kg/m^3",
  ];
  const more = [
    "MB",
    "MiB",
    "GB",
    "kB/s",
    "MHz",
    "Hz",
    "bar",
    "hPa",
    "rpm",
    "ppm",
    "dBm",
    "sec",
    "seconds",
    "Volts",
    "Watt",
    "EUR",
    "€",
  ];
  const rare =
    "pcs U/min NTU FTU PSU dB(A) mmH2O ksi kip knots nsec arb. a.u. Sekunden Prozent kWh/a mm/a %RH Nm³/h µε m2 cm3 s-1 cm-1 m/s2 mol/m3 m^2".split(
      " ",
    );
  expect([...units, ...more, ...rare].filter((unit) => !isUnit(unit))).toEqual([]);
  expect(
    [
      "apples",
      "th",
      "st",
      "af",
      "GHQ",
      "yyyy-mm-dd",
      "CPU",
      "Hourly",
      "",
      "1",
      "/",
      "e",
      "a",
      "EC",
      "A1",
      "V2",
      "€1",
      "A-1",
      "B12",
      "TS/a/b/c/d",
      "x".repeat(50),
    ].filter(isUnit),
  ).toEqual([]);
});

describe("the unit in a name", () => {
  const cases: [name: string, unit: string | undefined][] = [
    ["temp [°C]", "°C"],
    ["power (W)", "W"],
    ["Time[s]", "s"],
    ["Processor Power_0(Watt)", "Watt"],
    ["Drybulb Temperature [C](Hourly)", "C"],
    ["Total CPU Usage [%]", "%"],
    ["Wind in m/s", "m/s"],
    ["Level [dB(A)]", "dB(A)"],
    ["date [yyyy-mm-dd]", undefined],
    ["run (1)", undefined],
    ["[CPU]User%", undefined],
    ["temp", undefined],
    ["(".repeat(5_000), undefined],
  ];
  test.each(cases)("%s", (name, unit) => expect(unitInName(name)).toBe(unit));
});

describe("verdicts are told and understood:", () => {
  const verdicts: Verdict[] = [
    { type: "text", unit: undefined },
    { type: "boolean", unit: undefined },
    ...READINGS.map((reading) => ({ type: "number" as const, ...reading, unit: "MB" })),
    ...WRITTEN_FORMATS.map((format) => ({ type: "time" as const, format, clock: undefined, unit: undefined })),
    { type: "time", format: "epoch-ns", clock: undefined, unit: undefined },
    { type: "time", format: "day-first", clock: 3, unit: undefined },
  ];
  test("there and back", () => {
    const { types, units } = JSON.parse(JSON.stringify(encodeVerdicts(verdicts))) as Record<string, unknown>;
    expect(parseVerdicts(types, units, verdicts.length)).toEqual(verdicts);
  });

  test("in few letters", () => {
    const { types, units } = encodeVerdicts(verdicts.slice(0, 6));
    expect(types).toEqual(["text", "boolean", "number", "number:,", "number:.,", "number:,."]);
    expect(units).toEqual([null, null, "MB", "MB", "MB", "MB"]);
  });

  test("what is not known is text", () => {
    const text = { type: "text", unit: undefined };
    const strange = ["colour", "number:x", "time:soon", 5, null, "time:iso+99", "__proto__"];
    expect(parseVerdicts(strange, undefined, 8)).toEqual([
      ...[text, text, text, text, text],
      { type: "time", format: "iso", clock: undefined, unit: undefined },
      ...[text, text],
    ] as Verdict[]);
    expect(parseVerdicts(undefined, [7, "s"], 2)).toEqual([text, { type: "text", unit: "s" }] as Verdict[]);
  });
});

test("values for the page, and what does not fit", () => {
  const number: Verdict = { type: "number", ...point, unit: "MB" };
  const time: Verdict = { type: "time", format: "iso", clock: undefined, unit: undefined };
  const boolean: Verdict = { type: "boolean", unit: undefined };
  expect([valueOf("5 MB", number), valueOf("2026-03-01", time), valueOf("TRUE", boolean)]).toEqual([
    5, 1_772_323_200_000, 1,
  ]);
  expect([valueOf("false", boolean), valueOf("x", boolean), valueOf("1", { type: "text", unit: undefined })]).toEqual([
    0,
    NONE,
    NONE,
  ]);
  expect(["5 MB", "5", "", "NA", "x", "00123", "5 GB", "1e400"].map((cell) => fits(cell, number))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(["2026-03-01", "---", "soon"].map((cell) => fits(cell, time))).toEqual([true, true, false]);
});
