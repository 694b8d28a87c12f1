// Large files, converted. How the rest is converted and refused is in `convert.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { file, row, big, givesTheWorkersText } from "./converting.ts";

setDefaultTimeout(30_000);

test.each(
  [
    { name: "a large one without a newline at the end", content: `${big("id,name,note\r\n", row)}1,2,3` },
    { name: "a large one with a BOM", content: `\ufeff${big("id,name,note\r\n", row)}` },
    { name: "a large one with CR alone", content: big("id,a,b\r", (i) => `${i},a cell of ${i},another of ${i}\r`) },
    { name: "a large one in UTF-16", content: Buffer.from(`\ufeff${big("id,name,note\r\n", row)}`, "utf16le") },
    { name: "a first row longer than the reader's buffer", content: `a,b\n"${"long\n".repeat(500_000)}",2\n3,4\n` },
    { name: "surplus cells", content: big("a,b\n", (i) => `${i},2,lost ${i},so is this text\n`) },
  ].map((entry) => [entry.name, entry.content] as const),
)("convertCsvToJson gives the Worker's text: %s", givesTheWorkersText);

describe("typed JSON", () => {
  const types = "auto";

  test("of a large file that becomes wide in the middle", async () => {
    const line = (i: number) => `${i}.50,${i > 30_000 ? "€ÿ" : "ü"},12 °C\n`;
    const json = await convertCsvToJson(file("typed-wide.csv", big("ä,text,temp\n", line)), { types });
    expect(json).toBe(
      `[${Array.from({ length: 60_000 }, (_, i) => `{"ä":${i}.50,"text":"${i > 30_000 ? "€ÿ" : "ü"}","temp":"12 °C"}`).join(",")}]`,
    );
  });
});
