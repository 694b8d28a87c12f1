// The plot as a person sees it: whole labels on every screen, gaps, what the cursor says, and what can be chosen.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { atOnce } from "../at-once.ts";
import { TEST_TIMEOUT_MS } from "../support.ts";
import { websocketServer } from "../../src/index.ts";
import { browserPath, openPage, type Page } from "./browser.ts";
import { LOG_HEADER, openScene, PRICES, timed } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(3);

const LEGEND = `[...document.querySelectorAll(".legend li")].map((li) => li.textContent)`;
const HINT = `document.querySelector("#plot-panel .muted[role=status]").textContent`;
const isDrawn = `document.querySelector("#plot-panel canvas") && /points/.test(${HINT})`;
const axis = (page: Page) => page.value<string>(`document.querySelector("#plot-panel .canvas").ariaLabel`);

const press = (page: Page, text: string) =>
  page.value(
    `[...document.querySelectorAll("#plot-panel button")].find((button) => button.textContent.trim() === ${JSON.stringify(text)}).click()`,
  );

const choose = (page: Page, label: string, value: string) =>
  page.value(`(() => { const select = document.querySelector("[aria-label='${label}']");
    select.value = ${JSON.stringify(value)}; select.dispatchEvent(new Event("change")); })()`);

async function hover(page: Page, share: number): Promise<void> {
  const box = await page.value<{ x: number; y: number; width: number }>(
    `document.querySelector(".u-over").getBoundingClientRect().toJSON()`,
  );
  await page.view.cdp("Input.dispatchMouseEvent", { type: "mouseMoved", x: box.x + box.width * share, y: box.y + 20 });
}

/**
 * How far ink is from the left and the right edge of the picture, and whether there is some left of the lines and below them, in px of
 * the page. What is cut begins at an edge.
 */
const INK = `(() => {
  const canvas = document.querySelector("#plot-panel canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const over = document.querySelector(".u-over").getBoundingClientRect();
  const box = canvas.getBoundingClientRect();
  const scale = width / box.width;
  const inked = (x) => { for (let y = 0; y < height; y++) if (data[(y * width + x) * 4 + 3] > 0) return true; return false; };
  let left = 0;
  while (left < width && !inked(left)) left++;
  let right = width - 1;
  while (right > 0 && !inked(right)) right--;
  return { scale, left: left / scale, right: (width - 1 - right) / scale, labels: (over.left - box.left) - left / scale };
})()`;

type Ink = { readonly scale: number; readonly left: number; readonly right: number; readonly labels: number };

const MEASURES: readonly { readonly name: string; readonly values: (i: number) => number; readonly labels: number }[] =
  [
    { name: "hundreds of thousands", values: (i) => 500_000 + i * 1_000, labels: 40 },
    { name: "ten digits, of which the last differ", values: (i) => 1_000_000_000 + i, labels: 70 },
    { name: "tenths of a millionth", values: (i) => i * 1e-8, labels: 25 },
    { name: "what has 300 digits", values: (i) => 1e300 + i * 1e298, labels: 35 },
  ];

describe.concurrent.skipIf(!browserPath)("labels of an axis are whole", () => {
  test.each([1, 1.5, 2, 3])("at %d pixels of the screen for one of the page", async (scale) => {
    for (const { values, labels } of MEASURES) {
      const csv = `n,value\n${Array.from({ length: 100 }, (_, i) => `${i},${values(i)}\n`).join("")}`;
      await using scene = await openScene(csv, {}, { scale, view: "#plot=value" });
      const { page } = scene;
      await page.until(isDrawn);
      const ink = await page.value<Ink>(INK);
      expect(ink.scale).toBeCloseTo(scale, 1);
      expect(ink.left).toBeGreaterThanOrEqual(1);
      expect(ink.right).toBeGreaterThanOrEqual(1);
      expect(ink.labels).toBeGreaterThan(labels);
      expect(ink.labels).toBeLessThan(labels + 60);
    }
  });
});

/** The rows of pixels of a canvas with ink between two places, as shares of its width, below the first `top` px. */
const inkRows = (page: Page, canvas: number, from: number, to: number, top = 0) =>
  page.value<number[]>(`(() => {
    const canvas = document.querySelectorAll("#plot-panel canvas")[${canvas}];
    const { width, height } = canvas;
    const left = Math.round(width * ${from}), wide = Math.round(width * ${to}) - left;
    const { data } = canvas.getContext("2d").getImageData(left, 0, wide, height);
    return Array.from({ length: height }, (_, y) => y).filter((y) => {
      if (y < ${top}) return false;
      for (let x = 0; x < wide; x++) if (data[(y * wide + x) * 4 + 3] > 0) return true;
      return false;
    });
  })()`);

describe.concurrent.skipIf(!browserPath)("an axis", () => {
  test("has its name below the days, not over them", async () => {
    const csv = `timestamp,v\n${timed(900, { stepMs: 60_000 }).replaceAll(/,(odd|even)/g, "")}`;
    await using scene = await openScene(csv, {}, { view: "#plot=v", width: 390 });
    const { page } = scene;
    await page.until(isDrawn);
    const bottom = await page.value<number>(
      `document.querySelector(".u-over").offsetTop + document.querySelector(".u-over").offsetHeight`,
    );
    const day = await inkRows(page, 0, 0.04, 0.1, bottom + 25); // below the first line
    const name = await inkRows(page, 0, 0.55, 0.7, bottom + 25);
    expect(day.length).toBeGreaterThan(5);
    expect(name.length).toBeGreaterThan(5);
    expect(name[0]!).toBeGreaterThan(day.at(-1)!);
  });

  test("has more than one label, however low the chart is", async () => {
    const csv = `n,a,b\n${Array.from({ length: 200 }, (_, i) => `${i},${3 * Math.cos(i / 20)},${1e6 + i}\n`).join("")}`;
    await using scene = await openScene(csv, {}, { view: "#plot=a&plot=b&over=n&apart&height=190" });
    const { page } = scene;
    await page.until(`document.querySelectorAll("#plot-panel canvas").length === 2 && ${isDrawn}`);
    const left = await page.value<number>(`document.querySelector(".u-over").offsetLeft`);
    const rows = await inkRows(page, 0, 0, (left - 16) / 1000);
    const labels = rows.filter((y, i) => y - 1 !== rows[i - 1]);
    expect(labels.length).toBeGreaterThan(1);
  });

  test("goes as far as the last of several rows of one moment", async () => {
    const csv = `n,v\n${Array.from({ length: 40 }, (_, i) => `${i},${i % 7}\n`).join("")}39,5\n39,1000000\n`;
    await using scene = await openScene(csv, {}, { view: "#plot=v&over=n" });
    const { page } = scene;
    await page.until(isDrawn);
    expect((await page.value<Ink>(INK)).labels).toBeGreaterThan(38); // 6 takes half of it
  });
});

describe.concurrent.skipIf(!browserPath)("a plot", () => {
  test("has gaps where nothing was written, and says so under the cursor; else it says what the row says", async () => {
    const csv = LOG_HEADER + timed(100, { zone: "+01:00" }) + timed(100, { from: 1000, zone: "+01:00" });
    await using scene = await openScene(csv, {}, { view: "#plot=count" });
    const { page } = scene;
    await page.until(isDrawn);
    await page.until(`${LEGEND}.join() === "2026-01-01 00:18:19,count 1099"`);
    await hover(page, 0.5);
    await page.until(`/no rows$/.test(${LEGEND}[0]) && ${LEGEND}[1] === "count –"`);
    await hover(page, 0);
    await page.until(`${LEGEND}.join() === "2026-01-01 00:00:00,count 0"`);
    await hover(page, 1);
    await page.until(`${LEGEND}[1] === "count 1099"`);
    await appendFile(scene.path, timed(10, { from: 1100, zone: "+01:00" }));
    await page.until(`${LEGEND}[1] === "count 1109"`); // the same place is of another row by now
    await page.view.cdp("Input.dispatchMouseEvent", { type: "mouseMoved", x: 5, y: 5 });
    await page.until(`${LEGEND}[1] === "count 1109"`);
  });

  test("says from where to where many rows reach that share a pixel", async () => {
    const csv = `time,v\n${Array.from({ length: 40_000 }, (_, i) => `${1_767_225_600 + i},${i % 2 ? 100 : i / 1000}\n`).join("")}`;
    await using scene = await openScene(csv, {}, { view: "#plot=v", width: 600 });
    const { page } = scene;
    await page.until(isDrawn);
    await hover(page, 0.5);
    await page.until(`/^v [\\d.]+ – 100$/.test(${LEGEND}[1]) && / – /.test(${LEGEND}[0])`);
  });

  test("is in the zone that is chosen", async () => {
    await using scene = await openScene(
      `time,v\n${timed(9, { zone: "+01:00" }).replaceAll(/,(odd|even)/g, "")}`,
      {},
      {
        view: "#plot=v",
        zone: "America/New_York",
      },
    );
    const { page } = scene;
    await page.until(isDrawn);
    await page.until(`${LEGEND}[0] === "2026-01-01 00:00:08"`);
    await choose(page, "Zone", "utc");
    await page.until(`${LEGEND}[0] === "2025-12-31 23:00:08"`);
    await choose(page, "Zone", "local");
    await page.until(`${LEGEND}[0] === "2025-12-31 18:00:08"`);
    await page.until(`location.hash === "#plot=v&zone=local"`);
  });

  test("shows the last minutes, or as much as is typed, and grows with the file", async () => {
    await using scene = await openScene(LOG_HEADER + timed(2_000), {}, { view: "#plot=count" });
    const { page, path } = scene;
    await page.until(`${HINT} === "2,000 points"`);
    await choose(page, "Rows", "5min");
    await page.until(`${HINT} === "302 points"`); // and one before, for the line to come from there
    await choose(page, "Rows", "own");
    await page.view.type("50 rows");
    await page.view.press("Enter");
    await page.until(`${HINT} === "50 points"`);
    await appendFile(path, timed(3, { from: 2_000 }));
    await page.until(`${LEGEND}[1] === "count 2002" && ${HINT} === "50 points"`);
    await page.until(`location.hash === "#plot=count&last=50rows"`);
  });

  test("splits by a column of words, has a chart for each if asked to, and an axis of powers of ten", async () => {
    await using scene = await openScene(LOG_HEADER + timed(100), {}, { view: "#plot=count" });
    const { page } = scene;
    await page.until(isDrawn);
    await choose(page, "Split by", "=parity");
    await page.until(`${LEGEND}.slice(1).join() === "even 98,odd 99"`);
    expect(await page.value(`document.querySelectorAll("#plot-panel canvas").length`)).toBe(1);
    await press(page, "Separate");
    await page.until(`document.querySelectorAll("#plot-panel canvas").length === 2`);
    await page.until(
      `[...document.querySelectorAll(".chart-name")].map((name) => name.textContent).join() === "even,odd"`,
    );
    await hover(page, 0.506);
    await page.until(`${LEGEND}[0] === "2026-01-01 00:00:50" && ${LEGEND}.slice(1).join() === "even 50,odd 49"`);
    await press(page, "Log");
    await page.until(`/values of 0 and below/.test(${HINT})`);
  });

  test("refuses a ninth series with a word, and keeps the colours of those that stay", async () => {
    const names = Array.from({ length: 10 }, (_, i) => `v${i}`);
    const csv = `t,${names.join()}\n${Array.from({ length: 5 }, (_, i) => `${i},${names.map((_, k) => i * k).join()}\n`).join("")}`;
    const view = `#over=t&${names
      .slice(0, 8)
      .map((name) => `plot=${name}`)
      .join("&")}`;
    await using scene = await openScene(csv, {}, { view });
    const { page } = scene;
    await page.until(isDrawn);
    await choose(page, "Add a series", "=v9");
    await page.until(`${HINT}.startsWith("8 series are the most")`);
    const colours = `Object.fromEntries([...document.querySelectorAll(".chips button")].map((chip) => [chip.textContent, chip.querySelector(".swatch").style.background]))`;
    const before = await page.value<Record<string, string>>(colours);
    expect(Object.keys(before)).toHaveLength(8);
    await press(page, "v0 ✕");
    await choose(page, "Add a series", "=v9");
    await page.until(`document.querySelectorAll(".chips button").length === 8 && ${LEGEND}.at(-1).startsWith("v9")`);
    const after = await page.value<Record<string, string>>(colours);
    for (const name of names.slice(1, 8)) expect(after[`${name} ✕`]!).toBe(before[`${name} ✕`]!);
    expect(new Set(Object.values(after)).size).toBe(8);
  });

  test("says of how many series of an address it draws none", async () => {
    const names = Array.from({ length: 10 }, (_, i) => `v${i}`);
    const view = `#${names.map((name) => `plot=${name}`).join("&")}`;
    await using scene = await openScene(`${names.join()}\n${names.map((_, i) => i).join()}\n`, {}, { view });
    await scene.page.until(`/8 series are the most, and 10 were asked for/.test(${HINT})`);
  });

  test("keeps what was chosen when a column comes", async () => {
    await using scene = await openScene(
      PRICES.replaceAll("symbol", "n").replaceAll(/^[abc],/gm, "1,"),
      {},
      {
        view: "#plot=price&over=day&log&height=300",
      },
    );
    const { page } = scene;
    await page.until(isDrawn);
    await scene.write("n,price,day,new\n1,10,2026-01-02,5\n1,9,2026-01-01,6\n");
    await page.until(`${HINT}.startsWith("2 points")`);
    expect(await page.value("location.hash")).toBe("#plot=price&over=day&log&height=300");
    expect(await axis(page)).toStartWith("Plot of price over day.");
    expect(await page.value(`document.querySelector("#plot-panel canvas").offsetHeight`)).toBe(300);
  });

  test("is zoomed, moved and made higher with the keyboard alone, and saved as a picture", async () => {
    await using scene = await openScene(LOG_HEADER + timed(1_000), {}, { view: "#plot=count" });
    const { page } = scene;
    await page.until(`${HINT} === "1,000 points"`);
    await page.value(`document.querySelector("#plot-panel .canvas").focus()`);
    await page.view.press("+");
    await page.until(`/^70\\d points$/.test(${HINT}) && location.hash.includes("range=")`);
    await page.view.press("ArrowRight");
    await page.view.press("0");
    await page.until(`${HINT} === "1,000 points" && !location.hash.includes("range=")`);
    await page.value(`document.querySelector(".plot-edge").focus()`);
    await page.view.press("ArrowDown");
    await page.until(`document.querySelector("#plot-panel canvas").offsetHeight === 254`);
    await press(page, "PNG");
    await page.until("saved.length === 2");
    expect(await page.value(`[saved[0].type, saved[1]]`)).toEqual(["image/png", "prices.png"]);
    expect(await page.value<number>("createImageBitmap(saved[0]).then(({ height }) => height)")).toBeGreaterThan(254);
  });

  test("has nothing to choose from before there is a table", async () => {
    const server = websocketServer({ hostname: "127.0.0.1" });
    try {
      await using page = await openPage(`http://127.0.0.1:${server.address.port}/#plot`);
      await page.badge("waiting");
      await page.until(`document.querySelector(".plot-controls") && !document.querySelector("#plot-panel").hidden`);
      expect(await page.value(`document.querySelector(".plot-controls").hidden`)).toBe(true);
    } finally {
      await server.close();
    }
  });

  test("says that there is nothing to draw", async () => {
    await using scene = await openScene("time,v\n", {}, { view: "#plot" });
    const { page } = scene;
    await page.until(`document.querySelector("#empty").textContent === "The table has no rows yet."`);
    await scene.write("time,v\n2026-01-01,1\n");
    await page.until(`${HINT} === "1 point"`);
    await page.filter("nothing-has-this");
    await page.until(`${HINT} === "No rows to draw."`);
  });
});
