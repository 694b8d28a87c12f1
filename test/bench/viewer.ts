// The page with a million rows in headless Chromium: how soon it is there, how late a change is on it, what memory its tab takes, and
// whether it ever stops for so long that a person would notice (the browser's own long tasks, W3C Long Tasks API).
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browserPath, openPage, type Page } from "../viewer/browser.ts";
import { startServer } from "./program.ts";
import { aligned, markdown, median, number, type Table, verdict } from "./report.ts";

const SERVER = join(import.meta.dir, "../../src/server.ts");
const ROWS = 1_000_000;
const APPENDS = 40;
const CHANGES = 150;
const CHANGES_PER_S = 50;
/** Volumes are below it. */
const GREATEST = 5_002;
/** After this long a tab has let go of what it needed for the moment. */
const SETTLED_MS = 3_000;
/** A row that is not there after this long will not come. */
const PATIENCE_MS = 20_000;

const line = (i: number, name: string) =>
  `${i},${new Date(1_760_000_000_000 + i * 250).toISOString()},${(100 + 20 * Math.sin(i / 5e4)).toFixed(3)},${(i * 7919) % (GREATEST + 1)},${name}\n`;

function writeRows(path: string, count: number): void {
  const fd = openSync(path, "w");
  writeSync(fd, "id,time,price,volume,name\n");
  for (let at = 0; at < count; at += 10_000)
    writeSync(fd, Array.from({ length: Math.min(10_000, count - at) }, (_, i) => line(at + i, "row")).join(""));
  closeSync(fd);
}

async function waitFor(page: Page, expression: string): Promise<number> {
  const began = performance.now();
  while (!(await page.value<boolean>(`Boolean(${expression})`)))
    if (performance.now() - began > PATIENCE_MS) throw new Error(`waited in vain: ${expression}`);
  return performance.now() - began;
}

/** Of the process of the tab in MB: what is resident, and what of it is its own, without the pages of the browser's program. */
function tabMemory(): { readonly resident: number; readonly own: number } {
  const figure = (pid: string, name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  const isOurs = (pid: string): boolean =>
    pid === String(process.pid) || (pid !== "0" && isOurs(String(figure(pid, "PPid"))));
  const tabs = readdirSync("/proc").flatMap((pid) => {
    try {
      if (
        !/^\d+$/.test(pid) ||
        !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer") ||
        !isOurs(pid)
      )
        return [];
      const resident = figure(pid, "VmRSS") / 1024;
      return [{ resident, own: resident - figure(pid, "RssFile") / 1024 }];
    } catch {
      return []; // it has ended
    }
  });
  return tabs.reduce((a, b) => (b.resident > a.resident ? b : a), { resident: 0, own: 0 });
}

/** The longest task since the last time, in ms; those below 50 ms are none. */
const longest = (page: Page) => page.value<number>("Math.max(0, ...longTasks.splice(0))");

const lastCell = (text: string) =>
  `[...document.querySelectorAll(".row:not([hidden]) .cell:not([hidden])")].some((cell) => cell.textContent === "${text}")`;

const isFiltered = `/^\\d{1,3},\\d{3} of/.test(document.querySelector("#count").textContent)`;
/** The page waits so long for the next key in the filter. */
const KEY_WAIT_MS = 120;

const HINT = `document.querySelector("#plot-panel .muted[role=status]").textContent`;

/** After a click, until the plot says so. */
async function plotIsThere(page: Page, button: string, says: RegExp): Promise<number> {
  const began = performance.now();
  await page.view.click(button);
  await waitFor(page, `document.querySelector("#plot-panel .muted[role=status]") && ${says}.test(${HINT})`);
  return performance.now() - began;
}

/** From the last key in the filter until the plot has other points, less what the page waits for the next key. */
async function filterWithPlot(page: Page, filter: string): Promise<number> {
  const before = await page.value<string>(HINT);
  await page.filter(filter);
  return (await waitFor(page, `${HINT} !== ${JSON.stringify(before)}`)) - KEY_WAIT_MS;
}

async function appendsLatency(page: Page, path: string, firstId: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let i = 0; i < APPENDS; i++) {
    const began = performance.now();
    appendFileSync(path, line(firstId + i, `new${i}`));
    await waitFor(page, lastCell(`new${i}`));
    latencies.push(performance.now() - began);
    await Bun.sleep(50);
  }
  return latencies;
}

/** Wheel, drags of the bar, and the ends, as a person does. */
async function scrollAbout(page: Page): Promise<void> {
  for (let i = 0; i < 60; i++) await page.view.scroll(0, i % 10 === 9 ? -3_000 : 400);
  for (const share of [0.1, 0.9, 0.5, 0.999, 0]) {
    await page.value(`(document.querySelector(".scroller").scrollTop = 8_000_000 * ${share})`);
    await Bun.sleep(100);
  }
}

export async function benchViewer(): Promise<string> {
  if (!browserPath) return "No browser is installed: nothing to measure.";
  const folder = mkdtempSync(join(tmpdir(), "csvcast-bench-"));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<string> {
  const path = join(folder, "million.csv");
  writeRows(path, ROWS);
  await using server = await startServer([SERVER, path, "--port", "0", "--host", "127.0.0.1"], folder);
  const began = performance.now();
  await using page = await openPage(server.http, { width: 1280, height: 800 });
  await waitFor(page, `document.querySelector(".row .cell")?.textContent`);
  const firstRow = performance.now() - began;
  await waitFor(page, `document.querySelector("#shape").textContent.startsWith("1,000,000 rows")`);
  const allRows = performance.now() - began;
  await waitFor(page, `document.querySelector("#follow").ariaPressed === "true"`); // a log begins at its end
  const painted = await page.value<number>(
    `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN`,
  );
  const tasks: [string, number][] = [["loading", await longest(page)]];
  await Bun.sleep(SETTLED_MS);
  const memory = tabMemory();
  await scrollAbout(page);
  tasks.push(["scrolling", await longest(page)]);
  await page.view.click("#follow");
  await waitFor(page, `document.querySelector("#follow").ariaPressed === "true"`);
  await waitFor(page, lastCell(String(ROWS - 1)));
  const latencies = await appendsLatency(page, path, ROWS);
  tasks.push(["changes at the end", await longest(page)]);
  await page.clickHeader("volume");
  const sorted = await waitFor(page, lastCell(String(GREATEST)));
  await page.filter("price>119 name:row");
  const filtered = (await waitFor(page, isFiltered)) - KEY_WAIT_MS;
  for (let i = 0; i < APPENDS; i++) {
    appendFileSync(path, line(ROWS + APPENDS + i, "row"));
    await Bun.sleep(50);
  }
  tasks.push(["sorting and filtering", await longest(page)]);
  await page.clickHeader("volume"); // and back to the order of the file
  await page.filter("");
  await page.view.press("Escape");
  await waitFor(page, `document.querySelector("#count").textContent === ""`);
  const plotted = await plotIsThere(page, "#plot", /points$/);
  await longest(page);
  const firstFilter = await filterWithPlot(page, "price>119");
  const laterFilters: number[] = [];
  for (const limit of [118, 117, 116, 115, 114]) laterFilters.push(await filterWithPlot(page, `price>${limit}`));
  tasks.push(["another filter, with a plot", await longest(page)]);
  await page.filter("");
  await page.view.press("Escape");
  for (let i = 0; i < CHANGES; i++) {
    appendFileSync(path, line(ROWS + 2 * APPENDS + i, "plotted"));
    await Bun.sleep(1_000 / CHANGES_PER_S);
  }
  await waitFor(page, `document.title.startsWith("${(ROWS + 2 * APPENDS + CHANGES).toLocaleString("en")} rows")`);
  tasks.push(["a plot of a million, at 50 changes a second", await longest(page)]);
  await Bun.sleep(SETTLED_MS);
  const plotMemory = tabMemory();

  const table: Table = {
    head: ["a million rows on the page", "ms"],
    rows: [
      ["first paint", number(painted)],
      ["first rows", number(firstRow)],
      ["all of them, 57 MB of snapshot later", number(allRows)],
      ["memory of the tab, MB", number(memory.resident)],
      ["of that its own, MB", number(memory.own)],
      ["its own with a plot of three columns, MB", number(plotMemory.own)],
      ["from an appended row to the page, median", number(median(latencies), 1)],
      ["the slowest of 40", number(Math.max(...latencies), 1)],
      ["sort by a number", number(sorted)],
      ["filter by a number and a text", number(filtered)],
      ["first plot of it", number(plotted)],
      ["first filter by a number, until it is plotted", number(firstFilter)],
      ["another limit, until it is plotted, median", number(median(laterFilters))],
      ...tasks.map(([what, ms]) => [`longest task: ${what}`, ms === 0 ? "< 50" : number(ms)]),
    ],
  };
  const worst = Math.max(...tasks.map(([, ms]) => ms));
  console.log(`\n${aligned(table)}`);
  console.log(verdict("longest task, ms", worst, worst < 100, "below 100"));
  console.log(verdict("first filter by a number with a plot, ms", firstFilter, firstFilter < 1_500, "below 1,500"));
  console.log(verdict("another limit, ms", median(laterFilters), median(laterFilters) < 300, "below 300"));
  console.log(verdict("slowest append, ms", Math.max(...latencies), Math.max(...latencies) < 300, "below 300"));
  return markdown(table);
}
