// The view of a person on the page: a link to it, and where it begins and stays.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { atOnce } from "../at-once.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { browserPath } from "./browser.ts";
import { column, LOG_HEADER, openScene, PRICES, timed } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(3);

describe.concurrent.skipIf(!browserPath)("the view", () => {
  test("has a link to it among the ways to connect, without the token", async () => {
    await using scene = await openScene(
      PRICES,
      { token: "open-sesame-1234" },
      { view: "?token=open-sesame-1234#filter=b" },
    );
    const { page, http } = scene;
    await page.untilRows("one row", (rows) => column(rows, 0).join() === "b");
    await page.view.click("#connect");
    await page.value(
      `[...document.querySelectorAll("dialog button")].find(({ textContent }) => textContent === "Copy link").click()`,
    );
    await page.until(`copied.length === 1`);
    expect(await page.value("copied[0]")).toBe(`${http}/#filter=b`);
  });
});

describe.concurrent.skipIf(!browserPath)("rows that come out of sight", () => {
  test("are at the top under a descending order, and so is what is followed", async () => {
    await using scene = await openScene(LOG_HEADER + timed(100), {}, { view: "#desc=time" });
    const { page, path } = scene;
    await page.untilRows("the newest first", (rows) => rows[0]?.[2] === "99");
    await page.scrollTo(26 * 30);
    await appendFile(path, timed(1, { from: 100 }));
    await page.until(`document.querySelector("#fresh").textContent === "▲ 1 new row"`);
    await page.view.click("#fresh");
    await page.untilRows("the top", (rows) => rows[0]?.[2] === "100");
    await appendFile(path, timed(1, { from: 101 }));
    await page.untilRows("what comes there", (rows) => rows[0]?.[2] === "101");
  });

  test("are what a page begins with, of a log that is being written", async () => {
    await using scene = await openScene(LOG_HEADER + timed(200));
    const { page, path } = scene;
    await page.untilRows("the end", (rows) => rows.at(-1)?.[2] === "199");
    await page.until(`document.querySelector("#follow").ariaPressed === "true"`);
    await appendFile(path, timed(1, { from: 200 }));
    await page.untilRows("the new end", (rows) => rows.at(-1)?.[2] === "200");
  });
});

test.skipIf(!browserPath)(
  "a regular expression that never comes to an end is stopped, said, and the table goes on",
  async () => {
    await using scene = await openScene(`n,name\n1,${"a".repeat(64)}!\n2,b\n`);
    const { page, path } = scene;
    await page.untilRows("rows", ({ length }) => length === 2);
    await page.filter("/^(a+)+$/");
    const isStopped = `document.querySelector("#readings")?.textContent.startsWith("⚠ stopped")`;
    await until("it is stopped", () => page.value<boolean>(isStopped).catch(() => false)); // the page is left while it is asked
    expect(await page.value(`document.querySelector("#filter").value`)).toBe("/^(a+)+$/");
    await appendFile(path, "3,c\n");
    await page.untilRows("the next row", ({ length }) => length === 3);
    expect(await page.value("location.hash")).not.toContain("filter");
    await page.filter("/^b$/");
    await page.untilRows("another one", (rows) => column(rows, 1).join() === "b");
    expect(await page.text("#readings")).toBe("any cell matches /^b$/");
  },
);
