// The view of a person on the page: in the address, where it begins, and what is said of rows that come. More of it is in `view.slow.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { atOnce } from "../at-once.ts";
import { TEST_TIMEOUT_MS } from "../support.ts";
import { browserPath } from "./browser.ts";
import { column, firstCell, numbered, openScene, PRICES } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(3);

describe.concurrent.skipIf(!browserPath)("the view", () => {
  test("is in the address, and the same after a reload and for whoever opens it", async () => {
    await using scene = await openScene(PRICES);
    const { page, http } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.filter("price < 50");
    await page.until(`!document.querySelector("#readings").hidden`); // the header is lower then
    await page.clickHeader("price");
    await page.untilRows("two rows, sorted", (rows) => column(rows, 0).join() === "a,b");
    await page.clickCell("9");
    await page.view.press("h");
    await page.view.press("p");
    const address = `${http}/#filter=price%20%3C%2050&sort=price&hide=price&plot`;
    await page.until(`location.href === ${JSON.stringify(address)}`);
    await page.view.reload();
    await page.untilRows(
      "the same rows",
      (rows) => JSON.stringify(rows) === `[["2","a","2026-01-01"],["1","b","2026-01-02"]]`,
    );
    expect(await page.value(`document.querySelector("#filter").value`)).toBe("price < 50");
    await page.until(`!document.querySelector("#plot-panel").hidden && document.querySelector("#plot-panel canvas")`);
    await page.value(`(location.hash = "desc=day")`);
    await page.untilRows("another view", (rows) => column(rows, 0).join() === "b,a,c" && rows[0]!.length === 4);
    expect(await page.value(`document.querySelector("#plot-panel").hidden`)).toBe(true);
    await page.value("history.back()");
    await page.untilRows("the one before", (rows) => column(rows, 0).join() === "a,b");
  });
});

describe.concurrent.skipIf(!browserPath)("rows that come out of sight", () => {
  test("are counted, and a click goes there", async () => {
    await using scene = await openScene(numbered(100));
    const { page, path } = scene;
    await page.untilRows("the first rows", (rows) => firstCell(rows) === "0");
    await page.badge("live");
    await page.until(`document.title.startsWith("100 rows")`);
    await appendFile(path, "100,new\n101,new\n");
    await page.until(`document.querySelector("#fresh").textContent === "▼ 2 new rows"`);
    await appendFile(path, "102,new\n");
    await page.until(`document.querySelector("#fresh").textContent === "▼ 3 new rows"`);
    expect(firstCell(await page.rows())).toBe("0");
    await page.view.click("#fresh");
    await page.untilRows("the end", (rows) => rows.at(-1)?.[1] === "102");
    await page.until(`document.querySelector("#fresh").hidden`);
    await appendFile(path, "103,new\n");
    await page.untilRows("what comes is seen", (rows) => rows.at(-1)?.[1] === "103");
    expect(await page.value(`document.querySelector("#fresh").hidden`)).toBe(true);
  });

  test("are counted where as many leave in front, and under a filter only those that pass it", async () => {
    await using scene = await openScene(numbered(100), { lastRows: 100 });
    const { page, path } = scene;
    await page.untilRows("the first rows", (rows) => firstCell(rows) === "0");
    await page.badge("live");
    await page.until(`document.title.startsWith("100 rows")`);
    await appendFile(path, "100,new\n101,new\n");
    await page.until(`document.querySelector("#fresh").textContent === "▼ 2 new rows"`);
    await page.filter("new OR row");
    await page.until(`document.querySelector("#readings").children.length === 2`);
    await appendFile(path, "102,new\n103,other\n");
    await page.until(`document.querySelector("#fresh").textContent === "▼ 3 new rows"`);
  });
});

describe.concurrent.skipIf(!browserPath)("under the filter stands how it was read:", () => {
  test("terms, those that were not understood, and what was looked for is marked in the cells", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.filter("prise > 5 OR 2026");
    await page.until(`document.querySelectorAll("#readings li").length === 2`);
    expect(
      await page.value(`[...document.querySelectorAll("#readings li")].map((li) => [li.textContent, li.className])`),
    ).toEqual([
      ["⚠ there is no column “prise”; any cell has “prise > 5”", "odd"],
      ["or any cell has “2026”", ""],
    ]);
    await page.untilRows("two rows", (rows) => column(rows, 0).join() === "b,a");
    await page.until(
      `[...(CSS.highlights.get("hit") ?? [])].map(({ startContainer, startOffset, endOffset }) => startContainer.isConnected && startContainer.data.slice(startOffset, endOffset)).join() === "2026,2026"`,
    );
    await page.filter("pr");
    await page.until(`document.querySelector("#offers").textContent === "price number"`);
    await page.view.press("ArrowDown");
    await page.view.press("Enter");
    await page.until(`document.querySelector("#filter").value === "price>"`);
    await page.view.type("9.5");
    await page.untilRows("above", (rows) => column(rows, 0).join() === "b,c");
    expect(await page.text("#readings")).toBe("price > 9.5");
  });
});
