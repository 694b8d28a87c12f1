// What the pages say of names, exit codes and limits, compared with the code: sentences that no command shows.
import { describe, expect, test } from "bun:test";
import { namesOf } from "../../src/channel/names.ts";
import { EXIT_CODES } from "../../src/cli/errors.ts";
import { ENDPOINTS, LIBRARY_PATH } from "../../src/feed/endpoints.ts";
import { viewerFiles } from "../../src/viewer/files.ts";
import { page } from "./markdown.ts";

describe("docs/tables.md", () => {
  test.each([
    { files: ["run.2026.csv"], names: ["run-2026"] },
    { files: ["csv.csv"], names: ["csv_"] },
    { files: ["a/x.csv", "b/x.csv"], names: ["a-x", "b-x"] },
  ])("says that $files are called $names", async ({ files, names }) => {
    const { text } = await page("docs/tables.md");
    for (const file of files) expect(text).toContain(`\`${file}\``);
    for (const name of names) expect(text).toContain(`\`/${name}\``);
    expect([...namesOf(files.map((location) => ({ location }))).values()]).toEqual([...names]);
  });

  test("names the addresses that the server has itself", async () => {
    const { text } = await page("docs/tables.md");
    const taken = /`csv`[^.]* are taken/
      .exec(text)![0]
      .match(/`(\w+)`/g)!
      .map((name) => name.replaceAll("`", ""));
    for (const name of taken) {
      const [called] = namesOf([{ location: `${name}.csv` }]).values();
      expect(called).toBe(`${name}_`);
    }
  });
});

test("docs/client.md has every exit code", async () => {
  const { text } = await page("docs/client.md");
  const told = [...text.matchAll(/^\| (\d) +\|/gm)].map(([, code]) => Number(code));
  expect(told).toEqual([0, ...Object.values(EXIT_CODES)]);
});

test("docs/documents.md has every endpoint", async () => {
  const { text } = await page("docs/documents.md");
  expect(ENDPOINTS.map(({ path }) => path).filter((path) => !text.includes(`${path}\``))).toEqual([]);
});

test("docs/page.md says how large the page is at most", async () => {
  const [, most] = /part of the server \(less than (\d+) kB, compressed\)/.exec((await page("docs/page.md")).text)!;
  const files = [...(await viewerFiles())].filter(([path]) => path !== LIBRARY_PATH).map(([, file]) => file);
  const bytes = files.reduce((sum, { gzip, bytes }) => sum + (gzip ?? bytes).byteLength, 0);
  expect(bytes).toBeLessThan(Number(most) * 1_000);
});
