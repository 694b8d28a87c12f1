// `bun run screenshot`: makes the picture of the viewer in the README, of a file that is being written to.
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { startServer, temporaryFolder } from "../support.ts";
import { openPage } from "./browser.ts";

const SITES = ["north", "south", "roof", "cellar"];
const START = Date.UTC(2026, 10, 24, 8);
const STEP_MS = 5_000;

/** The same for the same number, whenever the picture is made. */
const chance = (seed: number) => (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 8) / 2 ** 24;

function reading(i: number): string {
  const noise = (k: number) => chance(i * 31 + k) - 0.5;
  const at = new Date(START + i * STEP_MS).toISOString().slice(0, 19).replace("T", " ");
  const temperature = (20 + 4 * Math.sin(i / 700) + noise(1)).toFixed(2);
  const humidity = (48 + 9 * Math.cos(i / 900) + 2 * noise(2)).toFixed(1);
  const pressure = (1013 + 3 * Math.sin(i / 1900) + 0.4 * noise(3)).toFixed(2);
  const note = chance(i * 7 + 5) > 0.97 ? "battery low" : chance(i * 7 + 6) > 0.98 ? "door open" : "";
  return `${at},${SITES[Math.floor(chance(i * 3 + 1) * 4)]},${temperature},${humidity},${pressure},${note}\n`;
}

const readings = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => reading(from + i)).join("");

await using folder = await temporaryFolder();
const path = await folder.write("station.csv", `time,site,temperature,humidity,pressure,note\n${readings(0, 12_000)}`);
await using server = await startServer([path], { folder });
await using page = await openPage(server.http, { width: 1160, height: 760 });
await page.badge("live");
await page.view.click("#plot");
await page.until(`document.querySelector("#plot-panel .muted").textContent === "12,000 points"`);
await page.view.click("#follow");
await page.until(`document.querySelector("#follow").ariaPressed === "true"`);
await Bun.sleep(2_500); // the badge is to have an age
await appendFile(path, readings(12_000, 12_002));
await page.until(`document.title.startsWith("12,002 rows") && document.querySelector(".cell.fresh")`);
const { x, y, width } = await page.value<{ x: number; y: number; width: number }>(
  `document.querySelector(".u-over").getBoundingClientRect().toJSON()`,
);
await page.view.cdp("Input.dispatchMouseEvent", { type: "mouseMoved", x: x + width * 0.62, y: y + 60 });
await Bun.sleep(150); // the legend follows the cursor in a frame of its own
const picture = join(import.meta.dir, "screenshot.png");
await Bun.write(picture, await page.view.screenshot());
console.log(picture);
