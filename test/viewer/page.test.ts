// The page in a browser, against the real server: what a person sees of a file that somebody writes.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, rename, rm, writeFile } from "node:fs/promises";
import { atOnce } from "../at-once.ts";
import { claimPort } from "../port.ts";
import { run, startServer, temporaryFolder, TEST_TIMEOUT_MS } from "../support.ts";
import { browserPath, openPage } from "./browser.ts";
import { column, firstCell, numbered, openScene, PRICES } from "./scene.ts";

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

describe.concurrent.skipIf(!browserPath)("sorting, filtering and selecting", () => {
  test("numbers as numbers, dates as dates, and the third click is the order of the file", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    for (const [header, order] of [
      ["price", "a,b,c"],
      ["price", "c,b,a"],
      ["price", "b,a,c"],
      ["day", "c,a,b"],
    ] as const) {
      await page.clickHeader(header);
      await page.untilRows(`${header}: ${order}`, (rows) => column(rows, 0).join() === order);
    }
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

  test("reconnecting while the server is away, and goes on where it was when it is back", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("prices.csv", PRICES);
    using port = await claimPort();
    const args = [path, `--port=${port.number}`];
    await using first = await startServer(args, { folder });
    await using page = await openPage(first.http);
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.filter("price<50");
    await page.untilRows("two rows", ({ length }) => length === 2);
    first.kill("SIGKILL");
    await first.exited;
    await page.badge("reconnecting");
    await page.until(`document.querySelector("#badge-age").textContent.startsWith("last heard")`);
    await appendFile(path, "d,7,2026-02-01\n");
    await using _second = await startServer(args, { folder });
    await page.badge("live");
    await page.untilRows("three rows", (rows) => column(rows, 0).join() === "b,a,d");
  });

  test("paused: the page stands still, says that there is more, and catches up", async () => {
    await using scene = await openScene(PRICES);
    const { page, path } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.view.press(" ");
    await page.badge("paused");
    await appendFile(path, "d,1,2026-01-05\n");
    await page.until(`document.querySelector("#badge-age").textContent === "there is more"`);
    expect((await page.rows()).length).toBe(3);
    await page.view.click("#pause");
    await page.untilRows("four rows", ({ length }) => length === 4);
    await page.badge("live");
    await page.view.click("#pause");
    await scene.write("another,header\n1,2\n");
    await page.until(`document.querySelector("#badge-age").textContent === "there is more"`);
    expect((await page.rows()).length).toBe(4);
    await page.view.click("#pause");
    await page.untilRows("the other table", (rows) => rows.length === 1 && rows[0]![2] === "2");
  });
});

describe.concurrent.skipIf(!browserPath)("a stranger", () => {
  test("gets the page without a token, is asked for it, and it never stays in the address", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("prices.csv", PRICES);
    await using server = await startServer([path], { folder, env: { CSVCAST_TOKEN: "open-sesame-1234" } });
    {
      await using page = await openPage(server.http);
      await page.until(`document.querySelector("#notice form")`);
      expect(await page.rows()).toEqual([]);
      await page.view.click("#notice input");
      await page.view.type("open-sesame-1234");
      await page.view.press("Enter");
      await page.untilRows("three rows", ({ length }) => length === 3);
    }
    await using page = await openPage(`${server.http}/?token=open-sesame-1234`);
    await page.untilRows("three rows", ({ length }) => length === 3);
    expect(await page.value("location.href")).toBe(`${server.http}/`);
    await page.view.click("#connect");
    expect(await page.value<string>("document.documentElement.outerHTML")).not.toContain("open-sesame");
    await page.view.reload();
    await page.untilRows("three rows after a reload", ({ length }) => length === 3);
  });
});

describe.concurrent.skipIf(!browserPath)("nothing in the file is code", () => {
  test("not markup, not a formula, not what turns text around; a megabyte in a cell is cut, and whole in its own view", async () => {
    const hostile = [
      '__proto__,constructor,"<img src=x onerror=alert(1)>",\u202eevil',
      `"<script>alert(1)</script>","javascript:alert(1)","\u001b[31mred","${"x".repeat(1_000_000)}"`,
      '"line\nbreak",\u202eabc,=cmd,short',
    ].join("\n");
    await using scene = await openScene(`${hostile}\n`, { maxCellBytes: 4 << 20 });
    const { page } = scene;
    const rows = await page.untilRows("two rows", ({ length }) => length === 2);
    expect(rows[0]!.slice(1, 4)).toEqual(["<script>alert(1)</script>", "javascript:alert(1)", "␛[31mred"]);
    expect(rows[1]!.slice(1)).toEqual(["line⏎break", "‹202E›abc", "=cmd", "short"]);
    expect(rows[0]![4]!.length).toBeLessThan(500);
    expect(await page.value(`document.querySelectorAll("#grid img, #grid script, #grid a").length`)).toBe(0);
    await page.clickCell("short");
    await page.view.press("ArrowUp");
    await page.view.press("Enter");
    await page.until(`document.querySelector("dialog .whole")?.textContent.length === 1_000_000`);
    await page.view.press("Escape");
    await page.view.press("p");
    await page.until(`document.querySelector("#plot-panel .muted").textContent.startsWith("No column is numeric")`);
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
