import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { convertCsvToJson, type CsvErrorKind } from "../../src/source/convert.ts";
import { folder, file, row, big, givesTheWorkersText } from "./converting.ts";

setDefaultTimeout(30_000);

const SAME = [
  { name: "the sample", content: "11,22,33\n66,77,88\n" },
  { name: "empty", content: "" },
  { name: "a large one, quoted, non-ASCII", content: big("id,name,note\r\n", row) },
  { name: "a large one that ends in half a CRLF", content: `${big("id,name,note\r\n", row)}1,2,3\r` },
  {
    name: "a large one that turns out to be windows-1252",
    content: Buffer.from(`${big("id,a,b\n", (i) => `${i},a cell of ${i},another\n`)}1,caf\xe9,2\n`, "latin1"),
  },
  {
    name: "a cell longer than the reader's buffer",
    content: `${big("id,name,note\r\n", row)}1,"${"long\n".repeat(500_000)}",2\r\n${row(7)}`,
  },
] as const;

describe("convertCsvToJson", () => {
  test("gives the sample's rows to the letter", async () => {
    expect(await convertCsvToJson(new URL("../../sample.csv", import.meta.url).pathname)).toBe(
      '[{"11":"66","22":"77","33":"88","44":"99","55":"1010"},{"11":"1111","22":"1212","33":"1313","44":"1414","55":"1515"}]',
    );
  });

  test.each(SAME.map((entry) => [entry.name, entry.content] as const))(
    "gives the Worker's text: %s",
    givesTheWorkersText,
  );

  // location_coordinates has another phone number in its JSON than in its CSV, and is no array there.
  const csvs = new URL("../../node_modules/csv-spectrum/csvs/", import.meta.url).pathname;
  test.each(
    readdirSync(csvs)
      .filter((name) => name !== "location_coordinates.csv")
      .map((name) => [name] as const),
  )("csv-spectrum: %s", async (name) => {
    const expected = readFileSync(join(csvs, "../json", name.replace(/csv$/, "json")), "utf8");
    expect(JSON.parse(await convertCsvToJson(join(csvs, name)))).toEqual(JSON.parse(expected));
  });
});

describe("typed JSON", () => {
  const types = "auto";

  test("numbers and booleans as literals, null where there is no value, by the cells or by name", async () => {
    const path = file("typed.csv", "id,price,ok,at,note\n1,1.50,true,2026-03-01,x\n2,NA,FALSE,,\n3,oops\n");
    const row = (cells: string) => `{${cells}}`;
    expect(await convertCsvToJson(path, { types: { id: "number", ok: "boolean", gone: "number" } })).toBe(
      `[${[
        row('"id":1,"price":"1.50","ok":true,"at":"2026-03-01","note":"x"'),
        row('"id":2,"price":"NA","ok":false,"at":"","note":""'),
        row('"id":3,"price":"oops","ok":null,"at":"","note":""'),
      ].join(",")}]`,
    );
    expect(
      await convertCsvToJson(file("auto.csv", "id,price,ok,at\n1,1.50,true,2026-03-01\n2,NA,FALSE,\n"), { types }),
    ).toBe('[{"id":1,"price":1.50,"ok":true,"at":"2026-03-01"},{"id":2,"price":null,"ok":false,"at":null}]');
    expect(await convertCsvToJson(file("none.csv", "a,b\n"), { types })).toBe("[]");
    expect(await convertCsvToJson(file("empty-typed.csv", ""), { types })).toBe("[]");
  });

  test("of a large file by its head, whether it streams or is read whole", async () => {
    const line = (i: number) => `${i},${(i % 900) / 10},${i === 50_000 ? "oops" : i % 7},"a, ""${i}""",n${i % 5}\n`;
    const text = big("id,x,y,note,tag\n", line);
    const json = await convertCsvToJson(file("typed-large.csv", text), { types });
    const rows = JSON.parse(json) as Record<string, unknown>[];
    expect(rows).toHaveLength(60_000);
    expect([rows[12_345], rows[50_000]?.["y"]]).toEqual([
      { id: 12_345, x: 64.5, y: 4, note: 'a, "12345"', tag: "n0" },
      "oops",
    ]);
    // One byte that is no UTF-8: no longer the plain case.
    const latin = file("typed-whole.csv", Buffer.from(text.replace("n4", "né"), "latin1"));
    expect(await convertCsvToJson(latin, { types })).toBe(json.replace("n4", "né"));
  });
});

symlinkSync("/proc/self/environ", join(folder, "secrets"));
symlinkSync("/proc/self", join(folder, "self"));
/** Those of them that are there: on Linux. */
const KERNEL_FILES = [
  "/proc/self/environ",
  "/proc/self/status",
  "/sys/devices/system/cpu/online",
  join(folder, "secrets"),
  join(folder, "self", "environ"),
];

describe("a file that is no CSV is refused with one line that names it", () => {
  mkdirSync(join(folder, "sub"));
  symlinkSync("loop", join(folder, "loop"));
  Bun.spawnSync(["mkfifo", join(folder, "fifo")]);
  const cases: { name: string; path: string; kind: CsvErrorKind; why: string }[] = [
    { name: "missing", path: join(folder, "missing.csv"), kind: "not-found", why: "no such file" },
    { name: "a directory", path: join(folder, "sub"), kind: "not-a-file", why: "is a directory" },
    { name: "a FIFO", path: join(folder, "fifo"), kind: "not-a-file", why: "is a FIFO" },
    { name: "a device", path: "/dev/zero", kind: "not-a-file", why: "is a device" },
    ...KERNEL_FILES.filter((path) => existsSync(path)).map((path) => ({
      name: path.replace(folder, "a link to it, "),
      path,
      kind: "not-a-file" as const,
      why: "is a file of the kernel",
    })),
    { name: "a loop of links", path: join(folder, "loop"), kind: "not-found", why: "loop" },
    {
      name: "a PNG",
      path: file("picture.csv", Buffer.from("\x89PNG\r\n\x1a\n", "latin1")),
      kind: "not-csv",
      why: "a PNG",
    },
    { name: "an XLSX", path: file("sheet.csv", "PK\x03\x04"), kind: "not-csv", why: "save the sheet as CSV" },
    {
      name: "an open quote",
      path: file("open.csv", 'a,b\n1,2\n3,"4\n'),
      kind: "unclosed-quote",
      why: "line 3: a quote",
    },
    {
      name: "an open quote in a large file",
      path: file("open2.csv", `${big("a,b,c\n", row)}1,"`),
      kind: "unclosed-quote",
      why: "line 120002",
    },
  ];
  test.each(cases.map((entry) => [entry.name, entry] as const))("%s", async (_name, { path, kind, why }) => {
    const error = await convertCsvToJson(path).then(
      () => undefined,
      (reason: unknown) => reason as { name: string; kind: CsvErrorKind; message: string },
    );
    expect(error).toMatchObject({ name: "CsvError", kind });
    expect(error?.message).toStartWith(path);
    expect(error?.message).toContain(why);
    expect(error?.message).not.toContain("\n");
  });

  test("no permission", async () => {
    const path = file("secret.csv", "a,b\n");
    chmodSync(folder, 0o755);
    chmodSync(path, 0);
    const isRoot = process.geteuid?.() === 0; // who may read everything
    if (isRoot) process.seteuid?.(65_534);
    const error = await convertCsvToJson(path).catch((reason: unknown) => reason);
    if (isRoot) process.seteuid?.(0);
    expect(error).toMatchObject({ kind: "not-permitted", message: `${path}: no permission to read it` });
  });

  test("a name with control characters is shown escaped", async () => {
    await expect(convertCsvToJson("a\nb\x1b.csv")).rejects.toThrow('"a\\nb\\u001b.csv": no such file');
  });
});
