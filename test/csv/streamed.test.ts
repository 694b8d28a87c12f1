// A file that streams through a small buffer and one that is read whole are the same table, whatever stands at the borders.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDocument, renderDocument, takeCensus } from "../../src/csv/document.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { forSeeds, type Random, shareOf } from "../fuzz/random.ts";

setDefaultTimeout(60_000);

const HEADER = "time,id,text";

function line(random: Random, r: number): string {
  if (random.chance(0.0005)) return HEADER;
  if (random.chance(0.0005)) return "\0".repeat(1 + random.below(5_000));
  if (random.chance(0.0005)) return `12:00:01,${r},"stray`;
  if (random.chance(0.001)) return `12:00:01,${r}, "blank, before"`;
  if (random.chance(0.001)) return `12:00:02,${r},"two\nlines, ${"x".repeat(random.below(3_000))}"`;
  return `12:00:00,${r},a text of some length`;
}

test(`${shareOf(12)} files of 1.5 to 3 MB`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-streamed-"));
  const path = join(folder, "f.csv");
  const runs: { text: string }[] = [];
  forSeeds(shareOf(12), (random) => {
    const end = random.pick(["\n", "\r\n", "\r\r\n"] as const);
    const lines = Array.from({ length: 50_000 + random.below(50_000) }, (_, r) => line(random, r));
    const preamble = random.chance(0.5) ? `Report${end}of the day${end}` : "";
    runs.push({ text: `${preamble}${HEADER}${end}${lines.join(end)}${random.chance(0.5) ? end : ""}` });
  });
  for (const { text } of runs) {
    const bytes = Buffer.from(text);
    writeFileSync(path, bytes);
    const streamed = await convertCsvToJson(path).catch((error: Error) => error.message.replace(/^.*?: line/, "line"));
    const document = openDocument(bytes, bytes.length);
    const { end, openQuoteLine } = takeCensus(document);
    const whole = renderDocument(document, end).text;
    if (openQuoteLine !== undefined) expect(streamed).toStartWith(`line ${openQuoteLine}`);
    else expect(streamed === whole).toBe(true);
  }
  rmSync(folder, { recursive: true });
});
