// The page of a server with several tables: each at its own address, and a list that leads from one to the other.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { isAt, tablePath } from "../../src/viewer/listed.ts";
import { startServer, temporaryFolder, TEST_TIMEOUT_MS } from "../support.ts";
import { browserPath, openPage } from "./browser.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);

test("the first table is at three addresses, another at one", () => {
  const first = { name: "a b", file: "a b.csv", path: "/csv", state: "live", rows: 1 };
  const other = { ...first, name: "größe", path: "/gr%C3%B6%C3%9Fe" };
  expect(["/", "/csv", "/a%20b", "/gr%C3%B6%C3%9Fe"].map((path) => isAt(first, tablePath(path)))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(["/", "/csv", "/gr%C3%B6%C3%9Fe"].map((path) => isAt(other, tablePath(path)))).toEqual([false, false, true]);
});

test.skipIf(!browserPath)("t lists the tables, and each is found again as it was left", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "item,price\nx,1\ny,2\n");
  await folder.write("größe.csv", "cm\n180\n170\n175\n");
  await using server = await startServer([join(folder.path, "a.csv"), join(folder.path, "größe.csv")], { folder });
  await using page = await openPage(`${server.http}/`);
  await page.untilRows("two rows", ({ length }) => length === 2);
  await page.until(`!document.getElementById("tables").hidden`);
  await page.filter("item:y");
  await page.untilRows("the filtered row", ({ length }) => length === 1);
  await page.value(`document.activeElement.blur()`);
  await page.view.press("t");
  const listed = `[...document.querySelectorAll(".tables tr")].map((row) => [...row.cells].slice(0, 4).map((cell) => cell.textContent).join(" "))`;
  expect(await page.value(listed)).toEqual(["a a.csv 2 rows live", "größe größe.csv 3 rows live"]);
  expect(await page.value(`document.activeElement.textContent`)).toBe("a");
  await page.view.press("ArrowDown");
  await page.view.press("Enter");
  await page.untilRows("the other table", (rows) => rows.length === 3 && rows[0]!.includes("180"));
  expect(await page.text("#name")).toBe("größe.csv");
  await page.view.press("t");
  await page.until(`document.activeElement.textContent === "größe"`);
  await page.view.press("ArrowUp");
  await page.view.press("Enter");
  await page.untilRows("the first table, as it was left", (rows) => rows.length === 1 && rows[0]!.includes("y"));
});
