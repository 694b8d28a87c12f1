// The page in a browser, against the real server: what a person sees of a file that somebody writes.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, rename, rm, writeFile } from "node:fs/promises";
import { atOnce } from "../at-once.ts";
import { run, startServer, temporaryFolder, TEST_TIMEOUT_MS } from "../support.ts";
import { browserPath } from "./browser.ts";
import { firstCell, numbered, openScene, PRICES } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(3);

describe.concurrent.skipIf(!browserPath)("the page shows", () => {
  test("the file, its size and that it is live, and each row that is appended", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    const rows = await page.untilRows("three rows", ({ length }) => length === 3);
    expect(rows).toEqual([
      ["1", "b", "10", "2026-01-02"],
      ["2", "a", "9", "2026-01-01"],
      ["3", "c", "100", "2025-12-31"],
    ]);
    await page.badge("live");
    await page.until(`document.title === "3 rows · prices.csv"`);
    expect(await page.text("#name")).toBe("prices.csv");
    expect(await page.text("#shape")).toBe("3 rows × 3 columns");
    await appendFile(scene.path, "d,7,2026-02-01\n");
    await page.untilRows("the new row", (seen) => seen.length === 4 && seen[3]![1] === "d");
    await page.until(`document.title === "4 rows · prices.csv"`);
    await page.until(`document.querySelectorAll(".row:not([hidden]) .cell.fresh").length === 3`);
  });

  test("that it is a replay, and its speed", async () => {
    await using scene = await openScene("a\n1\n2\n", { replay: { rowsPerSecond: 0.001 } });
    const { page } = scene;
    await page.untilRows("the first row", ({ length }) => length === 1);
    await page.until(`document.getElementById("badge-age").textContent.endsWith("· replay 0.001/s")`);
    await page.badge("live");
  });

  test("a table that screen readers understand", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.clickHeader("price");
    await page.untilRows("sorted", (rows) => firstCell(rows) === "a");
    await page.clickCell("100");
    await page.until(`document.getElementById("focus")`);
    const aria = await page.value(`(() => { const grid = document.querySelector("[role=grid]");
      const focus = document.getElementById(grid.getAttribute("aria-activedescendant"));
      return [grid.ariaRowCount, grid.ariaColCount, focus.textContent, focus.getAttribute("role"), focus.ariaColIndex,
        focus.closest("[role=row]").ariaRowIndex,
        [...document.querySelectorAll("[role=columnheader][aria-sort]")].map((head) => head.ariaSort).join()]; })()`);
    expect(aria).toEqual(["4", "3", "100", "gridcell", "2", "4", "none,ascending,none"]);
  });
});

describe.concurrent.skipIf(!browserPath)("the end of the table", () => {
  test("is followed as a terminal does: up lets go, the end holds on", async () => {
    await using scene = await openScene(numbered(100));
    const { page, path } = scene;
    await page.untilRows("the first rows", (rows) => firstCell(rows) === "0");
    await page.view.click("#follow");
    await page.untilRows("the last row", (rows) => rows.at(-1)?.[1] === "99");
    await appendFile(path, "100,new\n");
    await page.untilRows("the new last row", (rows) => rows.at(-1)?.[1] === "100");
    await page.view.scroll(0, -300);
    await page.until(`document.querySelector("#follow").ariaPressed === "false"`);
    const before = await page.rows();
    await appendFile(path, "101,newer\n");
    await page.until(`document.title.startsWith("102 rows")`);
    expect((await page.rows())[0]).toEqual(before[0]!);
    await page.view.scroll(0, 2_000);
    await page.until(`document.querySelector("#follow").ariaPressed === "true"`);
    await page.untilRows("the last row of now", (rows) => rows.at(-1)?.[1] === "101");
  });
});

describe.concurrent.skipIf(!browserPath)("the badge says", () => {
  test("missing, invalid and stale with the reason, and live again", async () => {
    await using scene = await openScene(PRICES, { maxCellBytes: 1024 });
    const { page, path } = scene;
    await page.badge("live");
    await rm(path);
    await page.badge("missing");
    await page.until(`document.querySelector("#notice").textContent.includes("prices.csv")`);
    expect((await page.rows()).length).toBe(3);
    await page.until(
      `document.title.startsWith("(missing) 3 rows") && document.querySelector("#icon").href.includes("trouble")`,
    );
    await scene.write(`${PRICES}"open,1,2\n`);
    await page.badge("invalid");
    await scene.write(`${PRICES}${"x".repeat(2_000)},1,2\n`);
    await page.badge("stale");
    await page.until(`document.querySelector("#notice").textContent.includes("--max-cell")`);
    await scene.write(PRICES);
    await page.badge("live");
    await page.until(`document.querySelector("#notice").hidden`);
    await writeFile(`${path}.png`, new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]));
    await rename(`${path}.png`, path);
    await page.badge("invalid");
  });
});

test.concurrent("--help and the doors name the page", async () => {
  await using folder = await temporaryFolder();
  const { stdout } = await run("server", ["--help"], { folder });
  expect(stdout).toContain("open the address in a browser");
  await using server = await startServer([await folder.write("prices.csv", PRICES)], { folder });
  expect(await (await fetch(`${server.http}/nothing`)).text()).toMatch(
    /^WebSocket +\/csv +a browser gets the table as a page/m,
  );
});
