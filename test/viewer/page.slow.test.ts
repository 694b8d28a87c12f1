// The page in a browser, against the real server: by mouse and keyboard, at its limits, and as a guest. What everybody sees first is in
// `page.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, rm, utimes } from "node:fs/promises";
import { atOnce } from "../at-once.ts";
import { claimPort } from "../port.ts";
import { startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { browserPath, openPage } from "./browser.ts";
import { column, firstCell, numbered, openScene, PRICES } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(3);

test.concurrent.skipIf(!browserPath)(
  "how old the table is stands there in full, also where there is little room",
  async () => {
    await using scene = await openScene(PRICES, {}, { width: 1090 });
    const age = `document.querySelector("#badge-age")`;
    await scene.page.until(`${age}.textContent.startsWith("changed")`);
    expect(await scene.page.value(`${age}.scrollWidth <= ${age}.clientWidth`)).toBe(true);
  },
);

describe.concurrent.skipIf(!browserPath)("sorting, filtering and selecting", () => {
  test("survive what happens to the file, and so do the place, the selection and the widths", async () => {
    await using scene = await openScene(numbered(300));
    const { page, path } = scene;
    await page.untilRows("rows", ({ length }) => length > 10);
    await page.clickHeader("n");
    await page.clickHeader("n");
    await page.untilRows("the greatest first", (rows) => firstCell(rows) === "299");
    await page.filter("row !name:1");
    await page.until(`document.querySelector("#count").textContent.startsWith("162 of 300")`);
    await page.scrollTo(26 * 20);
    const before = await page.untilRows("scrolled", (rows) => Number(rows[0]?.[0]) < 290);
    await page.clickCell(before[3]![2]!);
    await page.value(
      `(() => { const edge = document.querySelectorAll(".edge")[1].getBoundingClientRect(); window.at = [edge.left + 4, edge.top + 8]; })()`,
    );
    const [x, y] = await page.value<[number, number]>("window.at");
    for (const [type, dx] of [
      ["mousePressed", 0],
      ["mouseMoved", 60],
      ["mouseReleased", 60],
    ] as const)
      await page.view.cdp("Input.dispatchMouseEvent", {
        type,
        x: x + dx,
        y,
        button: "left",
        buttons: 1,
        clickCount: 1,
      });
    const width = `document.querySelectorAll(".head .cell")[1].style.width`;
    await page.until(`parseInt(${width}) > 120`);
    const dragged = await page.value<string>(width);
    await appendFile(path, "995,row 995\n996,other\n");
    await page.until(`document.querySelector("#count").textContent.startsWith("163 of 302")`);
    const after = await page.untilRows("the same rows", (rows) => rows[0]?.[0] === before[0]![0]);
    expect(after.slice(0, 8)).toEqual(before.slice(0, 8));
    expect(await page.value(`document.getElementById("focus").textContent`)).toBe(before[3]![2]!);
    expect(await page.value<string>(width)).toBe(dragged);
    await rm(path);
    await page.badge("missing");
    await scene.write(numbered(300).replace("n,name\n", "n,name\n-1,row -1\n"));
    await page.badge("live");
    await page.until(`document.querySelector("#count").textContent.startsWith("162 of 301")`);
    await page.untilRows("the same place", (rows) => firstCell(rows) === before[0]![1]);
  });

  test("copy cells as TSV, with the header if all are selected, and guarded against formulas if asked to", async () => {
    await using scene = await openScene('a,b\n=1+1,"x\ty"\n-5,z\n');
    const { page } = scene;
    await page.untilRows("two rows", ({ length }) => length === 2);
    await page.clickCell("=1+1");
    await page.view.press("c", { modifiers: ["Control"] });
    await page.until("copied.length === 1");
    await page.view.press("a", { modifiers: ["Control"] });
    await page.view.press("c", { modifiers: ["Control"] });
    await page.until("copied.length === 2");
    await page.view.click("#download");
    await page.value(`document.querySelectorAll("dialog input")[1].click()`);
    await page.value(
      `[...document.querySelectorAll("dialog button")].find(({ textContent }) => textContent === "Save CSV").click()`,
    );
    await page.until("saved.length === 2");
    expect(await page.value("copied")).toEqual(["=1+1", 'a\tb\n=1+1\t"x\ty"\n-5\tz']);
    expect(await page.value("saved[0].text()")).toBe("a,b\r\n'=1+1,x\ty\r\n-5,z\r\n");
    expect(await page.value("saved[1]")).toBe("prices.csv");
  });

  test("hide columns, and find them again", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.clickCell("9");
    await page.view.press("h");
    await page.untilRows("no price", (rows) => rows[0]?.join() === "1,b,2026-01-02");
    await page.until(`document.querySelector("#count").textContent === "1 column hidden"`);
    await page.view.press("c");
    await page.value(`document.querySelectorAll("dialog input[type=checkbox]")[1].click()`);
    await page.untilRows("the price again", (rows) => rows[0]?.[2] === "10");
  });

  test("work with the keyboard alone", async () => {
    await using scene = await openScene(numbered(200));
    const { page } = scene;
    const { view } = page;
    await page.untilRows("rows", ({ length }) => length > 10);
    await view.press("/");
    await page.until(`document.activeElement.id === "filter"`);
    await view.type('"row 1"');
    await page.until(`document.querySelector("#count").textContent.startsWith("111 of")`);
    await view.press("Escape");
    await page.until(`document.activeElement.className === "scroller"`);
    await page.untilRows("all rows again", (rows) => firstCell(rows) === "0");
    const focus = (text: string) =>
      page.until(`document.getElementById("focus")?.textContent === ${JSON.stringify(text)}`);
    await view.press("ArrowDown");
    await focus("0");
    await view.press("End");
    await focus("199");
    await view.press("Home");
    await view.press("ArrowRight");
    await view.press("PageDown");
    await page.until(`Number(document.getElementById("focus")?.textContent.slice(4)) > 10`);
    await view.press("Home");
    await focus("row 0");
    await view.press("ArrowUp");
    await focus("name");
    await view.press("Enter");
    await page.until(`document.getElementById("focus")?.ariaSort === "ascending"`);
    await view.press("ArrowDown");
    await view.press("s");
    await page.untilRows("by name, descending", (rows) => rows[0]?.[2] === "row 99");
    await view.press("Enter");
    await page.until(`document.querySelector("dialog .whole")?.textContent.startsWith("row ")`);
    await view.press("Escape");
    await view.press("?");
    await page.until(`document.querySelector("dialog .keys")`);
  });
});

describe.concurrent.skipIf(!browserPath)("the mouse", () => {
  test("sorts by a click on a header only, and selects beyond the last cell", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    const at = (selector: string) =>
      page.value<{ x: number; y: number }>(
        `(({ left, top }) => ({ x: left + 10, y: top + 10 }))(document.querySelector("${selector}").getBoundingClientRect())`,
      );
    const mouse = (type: string, { x, y }: { x: number; y: number }) =>
      page.view.cdp("Input.dispatchMouseEvent", { type, x, y, button: "left", buttons: 1, clickCount: 1 });
    const cell = await at(".row .cell");
    const head = await at(".head .cell");
    await mouse("mousePressed", cell);
    await mouse("mouseMoved", head);
    await mouse("mouseReleased", head);
    await mouse("mousePressed", cell);
    await mouse("mouseMoved", { x: cell.x + 900, y: cell.y + 500 });
    await mouse("mouseReleased", { x: cell.x + 900, y: cell.y + 500 });
    await page.until(`document.querySelector("#selected").textContent.startsWith("3 × 3 cells")`);
    expect(await page.value(`document.querySelector(".head .cell").ariaSort`)).toBe("none");
  });
});

describe.concurrent.skipIf(!browserPath)("the end of the table", () => {
  test("moves away in front under --last, and what is looked at stays", async () => {
    await using scene = await openScene(numbered(200), { lastRows: 200 });
    const { page, path } = scene;
    await page.untilRows("the first rows", (rows) => firstCell(rows) === "0");
    await page.scrollTo(26 * 100);
    const before = await page.untilRows("rows in the middle", (rows) => Number(firstCell(rows)) > 90);
    await appendFile(path, Array.from({ length: 50 }, (_, i) => `${200 + i},row ${200 + i}\n`).join(""));
    await page.until(
      `document.querySelector(".row:not([hidden]) .number") && document.querySelector(".scroller").scrollTop < 26 * 60`,
    );
    expect(firstCell(await page.rows())).toBe(firstCell(before)!);
  });

  test("can be reached, and the beginning again, in a table that is higher than any element of a browser", async () => {
    await using scene = await openScene(`n\n${Array.from({ length: 400_000 }, (_, i) => i).join("\n")}\n`);
    const { page } = scene;
    const { view } = page;
    await page.untilRows("the first rows", (rows) => firstCell(rows) === "0");
    await view.click("#grid");
    await view.press("End");
    await page.untilRows("the last row", (rows) => rows.at(-1)?.[1] === "399999");
    await page.value(`(document.querySelector(".scroller").scrollTop = 4_000_000)`);
    const middle = await page.untilRows("the middle", (rows) => Math.abs(Number(firstCell(rows)) - 200_000) < 500);
    await view.scroll(0, 52);
    await page.untilRows("two rows further", (rows) => Number(firstCell(rows)) === Number(firstCell(middle)) + 2);
    await view.press("Home");
    await page.untilRows("the first row", (rows) => firstCell(rows) === "0");
  });
});

describe.concurrent.skipIf(!browserPath)("nothing in the file is code", () => {
  test("10,000 columns are 10,000 columns", async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
    await using scene = await openScene(`${names.join()}\n${names.map((_, i) => i).join()}\n`);
    const { page } = scene;
    await page.untilRows("a row", ({ length }) => length === 1);
    await page.clickCell("0");
    await page.view.press("ArrowRight", { modifiers: ["Control"] });
    await page.untilRows("the last cell", (rows) => rows[0]?.at(-1) === "9999");
    expect(await page.value(`document.querySelectorAll(".cell").length`)).toBeLessThan(200);
  });
});

describe.concurrent.skipIf(!browserPath)("a plot", () => {
  test("picks a time and numbers, grows with the file, and draws what the filter leaves", async () => {
    const rows = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => {
        const at = new Date(Date.UTC(2026, 0, 1) + (from + i) * 1000).toISOString();
        return `${at},${Math.sin((from + i) / 10)},${from + i},${i % 2 ? "odd" : "even"}\n`;
      }).join("");
    await using scene = await openScene(`at,sine,count,parity\n${rows(0, 1000)}`);
    const { page } = scene;
    await page.untilRows("rows", ({ length }) => length > 5);
    await page.view.press("p");
    const points = (text: string) =>
      page.until(`document.querySelector("#plot-panel .muted").textContent === "${text} points"`);
    await points("1,000");
    await page.until(`document.querySelectorAll("#plot-panel canvas").length === 2`);
    expect(await page.value(`document.querySelector("[aria-label=Over]").value`)).toBe("=at");
    expect(await page.value(`[...document.querySelectorAll(".chips button")].map((chip) => chip.textContent)`)).toEqual(
      ["sine ✕", "count ✕"],
    );
    await appendFile(scene.path, rows(1000, 1100));
    await points("1,100");
    await page.filter("parity=odd");
    await points("550");
    const box = await page.value<{ x: number; y: number; width: number }>(
      `document.querySelector(".u-over").getBoundingClientRect().toJSON()`,
    );
    const drag = (type: string, share: number) =>
      page.view.cdp("Input.dispatchMouseEvent", {
        type,
        x: box.x + box.width * share,
        y: box.y + 50,
        button: "left",
        buttons: 1,
        clickCount: 1,
      });
    await drag("mousePressed", 0.25);
    await drag("mouseMoved", 0.5);
    await drag("mouseReleased", 0.5);
    await page.until(`parseInt(document.querySelector("#plot-panel .muted").textContent) < 300`);
    await page.value(
      `[...document.querySelectorAll("#plot-panel button")].find(({ textContent }) => textContent === "Whole range").click()`,
    );
    await points("550");
  });
});

describe.concurrent.skipIf(!browserPath)("a guest", () => {
  test("is dark where the system is, and fits a phone", async () => {
    await using scene = await openScene(PRICES, {}, { width: 390, height: 780 });
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.view.cdp("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: "dark" }] });
    await page.until(`getComputedStyle(document.body).backgroundColor === "rgb(20, 22, 26)"`);
    expect(await page.value("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const touch = await page.value<number>(
      `Math.min(...[...document.querySelectorAll(".tools button:not([hidden])")].map((button) => button.offsetHeight))`,
    );
    expect(touch).toBeGreaterThanOrEqual(34);
  });

  test("costs the server what one client of the live feed costs", async () => {
    await using scene = await openScene(PRICES);
    const { page, http } = scene;
    await page.badge("live");
    const figure = async (name: string) => {
      const metrics = await (await fetch(`${http}/metrics`)).text();
      return metrics.split("\n").find((line) => line.startsWith(`${name} `));
    };
    expect(await figure('csvcast_connections_total{feed="live"}')).toEndWith(" 1");
    expect(await figure('csvcast_connections_total{feed="plain"}')).toEndWith(" 0");
    expect(await figure('csvcast_snapshots_total{table="prices"}')).toEndWith(" 1");
    await page.view.navigate("about:blank");
    await until("the page's client to be gone", async () =>
      (await figure('csvcast_clients{table="prices",feed="live"}'))?.endsWith(" 0"),
    );
    await page.view.navigate(http);
    await page.badge("live");
    expect(await figure('csvcast_connections_total{feed="live"}')).toEndWith(" 2");
  });
});

describe.concurrent.skipIf(!browserPath)("the page shows", () => {
  test("only what has changed of a row as fresh", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await scene.write(PRICES.replace("a,9,", "a,8,"));
    await page.untilRows("the new price", (rows) => rows[1]![2] === "8");
    expect(await page.value("[...document.querySelectorAll('.cell.fresh')].map((cell) => cell.textContent)")).toEqual([
      "8",
    ]);
    await page.until(`document.querySelectorAll(".cell.fresh").length === 0`);
  });

  test("how old the file is, not how long the page or the server is there", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("old.csv", PRICES);
    const written = new Date(Date.now() - 3 * 86_400_000 - 60_000);
    await utimes(path, written, written);
    await using server = await startServer([path], { folder });
    await using page = await openPage(server.http);
    await page.until(`document.querySelector("#badge-age").textContent === "changed 3 d ago"`);
    await page.badge("live");
    await appendFile(path, "d,7,2026-02-01\n");
    await page.until(`/^changed \\d+ s ago$/.test(document.querySelector("#badge-age").textContent)`);
  });
});

describe.concurrent.skipIf(!browserPath)("the badge says", () => {
  test("waiting while no table is published, and then shows it", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("late.csv", PRICES);
    await using server = await startServer([], { folder, stdin: "open" });
    await using page = await openPage(server.http);
    await page.badge("waiting");
    await page.until(`document.querySelector("#empty").textContent.startsWith("No table is published yet")`);
    server.type(`${path}\n`);
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.badge("live");
    await page.until(`document.title === "3 rows · late.csv"`);
    server.type(`${await folder.write("other.csv", PRICES)}\n`);
    await page.until(`document.title === "3 rows · other.csv"`);
  });
});

describe.concurrent.skipIf(!browserPath)("the page", () => {
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
