// What the page weighs on its way to a browser, with all that it loads.
import { expect, test } from "bun:test";
import { viewerFilesAtBest } from "../../src/viewer/files.ts";

/** 75 kB, of 1,024 bytes as everywhere here. */
const MAX_BYTES = 75 << 10;

test("the page and all that it loads are less than 75 kB", async () => {
  const files = await viewerFilesAtBest();
  const page = files.get("/")!;
  const html = new TextDecoder().decode(page.bytes);
  const parts = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => files.get(match[1]!)!);
  expect(parts.map(({ type }) => type.split(";")[0]).sort()).toEqual(["image/svg+xml", "text/css", "text/javascript"]);
  const sizes = [page, ...parts].map(({ brotli, bytes }) => (brotli ?? bytes).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_BYTES);
});
