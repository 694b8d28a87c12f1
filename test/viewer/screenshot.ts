// `bun run screenshot`: makes the picture of the viewer in the README, of a file that is being written to.
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { startServer, temporaryFolder } from "../support.ts";
import { openPage } from "./browser.ts";

const SITES = ["north", "south", "roof", "cellar"];
const START = Date.UTC(2026, 10, 24, 8);
const STEP_MS = 5_000;
/** Behind these rows nothing was written for a while. */
const STOPS: readonly (readonly [row: number, ms: number])[] = [[5_200, 4_200_000]];

/** The same for the same number, whenever the picture is made. */
const chance = (seed: number) => (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 8) / 2 ** 24;

function reading(i: number): string {
  const noise = (k: number) => chance(i * 31 + k) - 0.5;
  const stopped = STOPS.reduce((ms, [row, length]) => ms + (i > row ? length : 0), 0);
  const at = `${new Date(START + i * STEP_MS + stopped).toISOString().slice(0, 19).replace("T", " ")}+01:00`;
  const temperature = (20 + 4 * Math.sin(i / 700) + noise(1)).toFixed(2);
  const humidity = (48 + 9 * Math.cos(i / 900) + 2 * noise(2)).toFixed(1);
  const pressure = (1013 + 3 * Math.sin(i / 1900) + 0.4 * noise(3)).toFixed(2);
  const note = chance(i * 7 + 5) > 0.97 ? "battery low" : chance(i * 7 + 6) > 0.98 ? "door open" : "";
  return `${at},${SITES[Math.floor(chance(i * 3 + 1) * 4)]},${temperature},${humidity},${pressure},${note}\n`;
}

const readings = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => reading(from + i)).join("");

await using folder = await temporaryFolder();
const path = await folder.write(
  "station.csv",
  `time,site,temperature (°C),humidity (%),pressure (hPa),note\n${readings(0, 12_000)}`,
);
await using server = await startServer([path], { folder });
const view = "#filter=time > -12h&plot=temperature (°C)&plot=humidity (%)&plot=pressure (hPa)&height=330&follow";
await using page = await openPage(`${server.http}/${view}`, { width: 1280, height: 820, scale: 1.5 });
await page.badge("live");
const hint = `document.querySelector("#plot-panel .muted[role=status]")?.textContent`;
await page.until(`/points/.test(${hint}) && document.querySelectorAll("#plot-panel canvas").length === 3`);
await Bun.sleep(2_500); // the badge is to have an age
await appendFile(path, readings(12_000, 12_002));
await page.until(`document.title.startsWith("12,002 rows") && document.querySelector(".cell.fresh")`);
const { x, y, width } = await page.value<{ x: number; y: number; width: number }>(
  `document.querySelector(".u-over").getBoundingClientRect().toJSON()`,
);
await page.view.cdp("Input.dispatchMouseEvent", { type: "mouseMoved", x: x + width * 0.72, y: y + 30 });
await Bun.sleep(150); // the legend follows the cursor in a frame of its own
const picture = join(import.meta.dir, "screenshot.png");
const { data } = (await page.view.cdp("Page.captureScreenshot", { format: "png" })) as { data: string };
await Bun.write(picture, Buffer.from(data, "base64"));
console.log(picture);
