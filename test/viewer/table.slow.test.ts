// The table as a person works with it: the menu of a column, a row in full, figures of what is selected, copying, a wall, paper.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { atOnce } from "../at-once.ts";
import { TEST_TIMEOUT_MS } from "../support.ts";
import { browserPath, type Page } from "./browser.ts";
import { column, firstCell, LOG_HEADER, numbered, openScene, PRICES, timed } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(3);

const openMenu = async (page: Page, name: string) => {
  await page.until(`[...document.querySelectorAll(".head .cell")].some((cell) => cell.textContent === "${name}")`);
  const [x, y] = await page.value<[number, number]>(
    `(() => { const { left, top, height } = [...document.querySelectorAll(".head .cell")].find((cell) => cell.textContent === "${name}").getBoundingClientRect(); return [left + 30, top + height / 2]; })()`,
  );
  for (const type of ["mousePressed", "mouseReleased"])
    await page.view.cdp("Input.dispatchMouseEvent", { type, x, y, button: "right", buttons: 2, clickCount: 1 });
  await page.until(`/rows/.test(document.querySelector("dialog.menu [role=status]")?.textContent)`);
};

const pick = (page: Page, text: string) =>
  page.value(
    `[...document.querySelectorAll("dialog button")].find((button) => button.textContent === ${JSON.stringify(text)}).click()`,
  );

describe.concurrent.skipIf(!browserPath)("the menu of a column", () => {
  test("has a mark beside the name, however long that is, where nothing can hover", async () => {
    await using scene = await openScene(`${"name ".repeat(30)},n\na,1\n`);
    const { page } = scene;
    await page.view.cdp("Emulation.setEmulatedMedia", { features: [{ name: "hover", value: "none" }] });
    await page.untilRows("a row", ({ length }) => length === 1);
    const [end, mark] = await page.value<[number, number]>(`(() => { const cell = document.querySelector(".head .cell");
      return [cell.getBoundingClientRect().right - parseFloat(getComputedStyle(cell).paddingRight),
        document.querySelector(".mark").getBoundingClientRect().left]; })()`);
    expect(end).toBeLessThan(mark + 1);
  });

  test("sorts, filters by a value, pins, hides, says what is in it, and what it is taken for", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await openMenu(page, "price");
    expect(await page.text("dialog.menu option")).toBe("number, as found");
    expect(await page.text("dialog.menu [role=status]")).toBe(
      "3 rows · 3 different · min 9 · max 100 · mean 39.6666666667",
    );
    await pick(page, "Sort ▼");
    await page.untilRows("the greatest first", (rows) => column(rows, 1).join() === "100,10,9");
    await openMenu(page, "price");
    await page.value(
      `(() => { const types = document.querySelector("dialog.menu select"); types.value = "text"; types.dispatchEvent(new Event("change")); })()`,
    );
    await page.untilRows("by the alphabet", (rows) => column(rows, 1).join() === "9,100,10");
    await openMenu(page, "symbol");
    await pick(page, "a1");
    await page.untilRows("one row", (rows) => column(rows, 0).join() === "a");
    expect(await page.value(`document.querySelector("#filter").value`)).toBe('symbol="a"');
    await page.filter("");
    await openMenu(page, "day");
    await pick(page, "Pin left");
    await page.untilRows("the day first", (rows) => column(rows, 0).join() === "2026-01-01,2025-12-31,2026-01-02");
    await openMenu(page, "symbol");
    await pick(page, "Hide");
    await page.untilRows("without it", (rows) => rows[0]!.length === 3);
    await page.until(`location.hash === "#desc=price&hide=symbol&pin=day&type=text:price"`);
  });

  test("opens by its mark, and by a key", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.value(`document.querySelectorAll(".mark")[1].click()`);
    await page.until(`document.querySelector("dialog.menu h2")?.textContent === "price"`);
    await page.view.press("Escape");
    await page.value(`document.querySelector(".scroller").focus()`);
    await page.view.press("ArrowUp");
    await page.view.press("m");
    await page.until(`document.querySelector("dialog.menu h2")?.textContent === "symbol"`);
    await pick(page, "Sort ▲");
    await page.untilRows("sorted", (rows) => firstCell(rows) === "a");
  });

  test("keeps a pinned column in view, and the rest can be selected beside it", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `c${i}`);
    await using scene = await openScene(
      `${names.join()}\n${names.map((_, i) => `v${i}`).join()}\n`,
      {},
      { view: "#pin=c3" },
    );
    const { page } = scene;
    await page.untilRows("the pinned one first", (rows) => rows[0]?.slice(1, 3).join() === "v3,v0");
    await page.value(`(document.querySelector(".scroller").scrollLeft = 1e6)`);
    await page.untilRows("both ends", (rows) => rows[0]?.[1] === "v3" && rows[0].at(-1) === "v39");
    await page.clickCell("v3");
    await page.until(`document.querySelector("#selected").textContent === "c3: v3"`);
    await page.view.press("ArrowRight");
    await page.until(`document.querySelector("#selected").textContent === "c0: v0"`);
    await page.untilRows("the first of the others beside it", (rows) => rows[0]?.slice(1, 3).join() === "v3,v0");
  });
});

describe.concurrent.skipIf(!browserPath)("a row", () => {
  test("opens as name and value, follows its row, and goes to the next", async () => {
    await using scene = await openScene(PRICES);
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.clickCell("9");
    await page.view.press("Enter");
    const record = `[...document.querySelectorAll(".record > *")].map((part) => part.textContent).join()`;
    await page.until(`${record} === "symbol,a,price,9,day,2026-01-01"`);
    expect(await page.text(".record .here")).toBe("9");
    await scene.write(
      PRICES.replace("symbol,price,day\n", "symbol,price,day\nnew,1,2026-01-03\n").replace("a,9,", "a,9.5,"),
    );
    await page.until(
      `${record} === "symbol,a,price,9.5,day,2026-01-01" && document.querySelector("dialog h2").textContent === "Row 3"`,
    );
    await page.view.press("ArrowDown");
    await page.until(`${record} === "symbol,c,price,100,day,2025-12-31"`);
    await page.view.press("ArrowUp");
    await page.view.press("ArrowUp");
    await page.until(`${record} === "symbol,b,price,10,day,2026-01-02"`);
    await page.view.press("Escape");
    await page.until(`!document.querySelector("dialog") && document.activeElement.matches(".scroller")`);
  });

  test("opens on a phone, by its number", async () => {
    await using scene = await openScene(PRICES, {}, { width: 390, height: 780 });
    const { page } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    const { x, y } = await page.value<{ x: number; y: number }>(
      `[...document.querySelectorAll(".row .number")].find((box) => box.textContent === "2").getBoundingClientRect().toJSON()`,
    );
    await page.view.cdp("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: x + 8, y: y + 8 }] });
    await page.view.cdp("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await page.until(`document.querySelector("dialog h2")?.textContent === "Row 2"`);
    expect(await page.value("document.querySelector('dialog').getBoundingClientRect().width <= innerWidth")).toBe(true);
  });

  test("with a cell of megabytes is there without laying all of it out", async () => {
    await using scene = await openScene(`a,b\nx,${"long words ".repeat(450_000)}\n`, { maxCellBytes: 8 << 20 });
    const { page } = scene;
    await page.untilRows("a row", ({ length }) => length === 1);
    await page.clickCell("x");
    await page.view.press("ArrowRight");
    await page.view.press("Enter");
    await page.until(`document.querySelector(".record .here")?.textContent.length === ${11 * 450_000}`);
    expect(await page.value<number>(`document.querySelectorAll(".chunk").length`)).toBeGreaterThan(200);
    expect(await page.value<string>(`getComputedStyle(document.querySelector(".chunk")).contentVisibility`)).toBe(
      "auto",
    );
  });
});

describe.concurrent.skipIf(!browserPath)("what is selected", () => {
  test("is added up, as the table changes too, and copied with its header if asked to", async () => {
    await using scene = await openScene(PRICES);
    const { page, path } = scene;
    await page.untilRows("three rows", ({ length }) => length === 3);
    await page.clickCell("10");
    await page.view.press("ArrowDown", { modifiers: ["Shift"] });
    await page.until(
      `document.querySelector("#selected").textContent.endsWith("count 2 · sum 19 · mean 9.5 · min 9 · max 10")`,
    );
    await page.view.press("c", { modifiers: ["Control", "Shift"] });
    await page.until("copied.length === 1");
    expect(await page.value("copied[0]")).toBe("price\n10\n9");
    await page.view.press("ArrowDown", { modifiers: ["Shift"] });
    await page.until(`document.querySelector("#selected").textContent.includes("sum 119")`);
    await scene.write(PRICES.replace("c,100,", "c,200,"));
    await page.until(`document.querySelector("#selected").textContent.includes("sum 219")`);
    await appendFile(path, "d,1,2026-01-05\n");
    await page.untilRows("four rows", ({ length }) => length === 4);
    expect(await page.value<string>(`getComputedStyle(document.querySelector(".cell.in")).backgroundColor`)).not.toBe(
      await page.value<string>(`getComputedStyle(document.body).backgroundColor`),
    );
  });

  test("is all of it after a click on a button too, and copied so that a spreadsheet keeps the zeros in front", async () => {
    await using scene = await openScene("code,n\n00001,1\n00002,2\n");
    const { page } = scene;
    await page.untilRows("two rows", ({ length }) => length === 2);
    await page.view.click("#pause");
    await page.view.press("a", { modifiers: ["Control"] });
    await page.view.press("c", { modifiers: ["Control"] });
    await page.until("copied.length === 1");
    expect(await page.value("copied[0]")).toBe("code\tn\n00001\t1\n00002\t2");
    expect(await page.value<string>("copiedHtml[0]")).toContain(
      `<td style="mso-number-format:'\\@'">00001</td><td>1</td>`,
    );
  });
});

describe.concurrent.skipIf(!browserPath)("on a wall", () => {
  test("there are no tools, all is larger, and the plot has the height; the badge stays", async () => {
    await using scene = await openScene(
      LOG_HEADER + timed(500),
      {},
      { width: 2560, height: 1400, view: "#kiosk&plot=count" },
    );
    const { page } = scene;
    await page.until(`document.querySelector("#plot-panel canvas")`);
    await page.badge("live");
    const hidden = await page.value<string[]>(
      `["#filter", "#follow", "#plot-panel button", "#count", "#grid"].filter((which) => document.querySelector(which).offsetParent === null)`,
    );
    expect(hidden).toHaveLength(5);
    expect(await page.value<number>(`document.querySelector("#badge").offsetHeight`)).toBeGreaterThan(40);
    await page.until(`document.querySelector("#plot-panel canvas").offsetHeight > 1100`);
    expect(await page.value("document.documentElement.scrollHeight <= innerHeight")).toBe(true);
  });

  test("the table is beside the plot if asked to, in rows of the same scale, at its end", async () => {
    await using scene = await openScene(
      LOG_HEADER + timed(500),
      {},
      { width: 2560, height: 1400, view: "#kiosk&plot=count&table&follow" },
    );
    const { page, path } = scene;
    await page.untilRows("the end", (rows) => rows.at(-1)?.[2] === "499");
    expect(await page.value<number>(`document.querySelector(".row .cell").offsetHeight`)).toBeGreaterThan(48);
    await appendFile(path, timed(1, { from: 500 }));
    await page.untilRows("the new end", (rows) => rows.at(-1)?.[2] === "500");
    await page.until(`document.querySelector("#plot-panel canvas").offsetHeight > 500`);
  });
});

test.skipIf(!browserPath)("on paper are the rows in view as a table, and no tools", async () => {
  await using scene = await openScene(numbered(300));
  const { page } = scene;
  await page.untilRows("rows", ({ length }) => length > 10);
  await page.view.cdp("Emulation.setEmulatedMedia", { media: "print", features: [] });
  await page.value(`dispatchEvent(new Event("beforeprint"))`);
  expect(await page.text("#paper p")).toMatch(/^Rows 1 to \d+ of 300; Ctrl\+P on the page prints up to 5,000$/);
  expect(await page.text("#paper tbody tr")).toBe("10row 0");
  expect(
    await page.value(
      `[".tools", "#grid", ".foot"].every((which) => document.querySelector(which).offsetParent === null)`,
    ),
  ).toBe(true);
  expect(await page.value<number>(`document.querySelector("#paper table").offsetHeight`)).toBeGreaterThan(500);
  await page.value(`dispatchEvent(new Event("afterprint"))`);
  expect(await page.value(`document.querySelector("#paper").childElementCount`)).toBe(0);
  await page.view.cdp("Emulation.setEmulatedMedia", { media: "", features: [] });
});

test.skipIf(!browserPath)(
  "Ctrl+P prints all rows that pass the filter, also while one types there, up to a bound that is said",
  async () => {
    await using scene = await openScene(numbered(6_000));
    const { page } = scene;
    await page.untilRows("rows", ({ length }) => length > 10);
    await page.value(`(window.prints = [], window.print = () => {
    dispatchEvent(new Event("beforeprint"));
    prints.push([document.querySelector("#paper p").textContent, document.querySelectorAll("#paper tbody tr").length]);
    dispatchEvent(new Event("afterprint"));
  })`);
    const printed = async (count: number) => {
      await page.view.press("p", { modifiers: ["Control"] });
      await page.until(`prints.length === ${count}`);
      return page.value<[string, number]>(`prints.at(-1)`);
    };
    expect(await printed(1)).toEqual(["Rows 1 to 5,000 of 6,000", 5_000]);
    await page.filter("n < 700");
    await page.until(`document.querySelector("#count").textContent === "700 of 6,000 rows"`);
    expect(await printed(2)).toEqual(["Rows 1 to 700 of 700", 700]);
    await page.filter("");
    await page.view.press("Escape");
    await page.view.press("End");
    await page.untilRows("the end", (rows) => rows.at(-1)?.[1] === "5999");
    expect(await printed(3)).toEqual(["Rows 1,001 to 6,000 of 6,000", 5_000]);
  },
);

test.skipIf(!browserPath)("on paper a dark page is light, with its plot, and dark again behind it", async () => {
  await using scene = await openScene(LOG_HEADER + timed(300), {}, { view: "#plot=count" });
  const { page } = scene;
  await page.view.cdp("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: "dark" }] });
  const isDrawn = (text: string, dot: string) =>
    page.until(
      `getComputedStyle(document.documentElement).getPropertyValue("--text") === "${text}" && document.querySelector("#plot-panel .legend .swatch")?.style.background === "${dot}"`,
    );
  await isDrawn("#e3e6ea", "rgb(122, 168, 255)");
  await page.value(`dispatchEvent(new Event("beforeprint"))`);
  await isDrawn("#1d2025", "rgb(37, 99, 235)");
  await page.value(`dispatchEvent(new Event("afterprint"))`);
  await isDrawn("#e3e6ea", "rgb(122, 168, 255)");
});
