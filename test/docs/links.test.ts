// Whether the pages lead where they say, and whether the first one is short enough to be read.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import pkg from "../../package.json";
import { anchorsIn, linksIn, page, readPages, ROOT } from "./markdown.ts";

const pages = await readPages();
const anchors = new Map(pages.map((page) => [page.path, anchorsIn(page)]));

test.each(pages.map((page) => ({ ...page })))("every link of $path leads somewhere", (page) => {
  const broken = linksIn(page)
    .filter(({ target }) => target !== "")
    .filter(({ target, anchor }) => {
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== "" && !anchors.get(target)?.has(anchor);
    });
  expect(broken.map(({ url }) => url)).toEqual([]);
});

test("each page of docs is reached from the README", async () => {
  const linked = new Set(linksIn(await page("README.md")).map(({ target }) => target));
  expect(pages.map(({ path }) => path).filter((path) => path.startsWith("docs/") && !linked.has(path))).toEqual([]);
});

test("the README has 8 kB at most", async () => {
  expect(Buffer.byteLength((await page("README.md")).text)).toBeLessThanOrEqual(8_000);
});

test("what the packed README links to is packed", async () => {
  const packed = pkg.files.map((name) => name.replace(/\/$/, ""));
  const always = ["README.md", "LICENSE", "package.json"];
  const isPacked = (target: string) =>
    [...packed, ...always].some((name) => target === name || target.startsWith(`${name}/`));
  const targets = linksIn(await page("README.md")).map(({ target }) => target.replace(/\/$/, ""));
  expect(targets.filter((target) => target !== "" && !isPacked(target))).toEqual([]);
});
