// Whatever is in a file, it is converted or refused with a reason, and a server that publishes it goes on.
import { expect, setDefaultTimeout, test } from "bun:test";
import { CsvError } from "../../src/csv/error.ts";
import type { ReadOptions } from "../../src/csv/options.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { randomFrom, RUNS, seedOfRun, shown } from "./random.ts";
import { temporaryFolder, until } from "../support.ts";
import { hostileFiles } from "./hostile.ts";
import { serve } from "../csv/served.ts";

setDefaultTimeout(120_000);

/** The JSON, or undefined if the file is refused as it may be; everything else fails. */
async function converted(path: string, options: ReadOptions): Promise<string | undefined> {
  try {
    return await convertCsvToJson(path, options);
  } catch (error) {
    if (error instanceof CsvError && error.reason !== "") return undefined;
    throw error;
  }
}

const OPTIONS: readonly ReadOptions[] = [{}, { types: "auto" }, { delimiter: "whitespace", trim: true }];

test(`${shown(hostileFiles.length)} hostile files give JSON, or a reason`, async () => {
  await using folder = await temporaryFolder();
  for (const { name, bytes } of hostileFiles) {
    const path = await folder.write("f.csv", bytes);
    for (const options of OPTIONS) {
      const json = await converted(path, options).catch((error) => {
        throw new Error(`${name}: ${error}`, { cause: error });
      });
      expect([name, json === undefined || Array.isArray(JSON.parse(json))]).toEqual([name, true]);
    }
  }
});

test("a server that publishes one after the other goes on, and shows each as it is converted", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("f.csv", "a,b\n1,2\n");
  await using served = serve({ file: path, types: "auto" });
  await served.server.ready;
  const random = randomFrom(seedOfRun());
  for (const { name, bytes } of hostileFiles.filter(() => RUNS >= 8 || random.chance(0.2))) {
    await folder.write("f.csv", bytes);
    const whole = await converted(path, { types: "auto" });
    const { server } = served;
    if (whole === undefined) await Bun.sleep(50);
    else
      await until(
        `the table of ${name}`,
        async () => (await served.json()) === whole,
        () => JSON.stringify(server.overview().status),
      );
  }
  await folder.write("f.csv", "a,b\n3,4\n");
  await until("the last table", async () => (await served.json()) === '[{"a":3,"b":4}]');
});
