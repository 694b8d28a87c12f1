// The page has no barriers that a program can find (axe-core: WCAG 2.2 A and AA, and best practices), light and dark, in each state.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { atOnce } from "../at-once.ts";
import { TEST_TIMEOUT_MS } from "../support.ts";
import { browserPath, type Page } from "../viewer/browser.ts";
import { LOG_HEADER, openScene, timed } from "../viewer/scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(2);

const AXE = join(import.meta.dir, "node_modules/axe-core/axe.min.js");
const isInstalled = existsSync(AXE);
if (!isInstalled) console.warn("axe: `bun install` in test/axe has not been run, so the look for barriers is skipped");

type Finding = {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
};

async function findings(page: Page): Promise<string[]> {
  await page.view.cdp("Runtime.evaluate", { expression: readFileSync(AXE, "utf8") });
  const found = await page.value<Finding[]>(
    `axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations)`,
  );
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join("\n")}`,
  );
}

const STATES: readonly {
  readonly name: string;
  readonly view: string;
  readonly act?: string;
  readonly there: string;
}[] = [
  { name: "the table", view: "", there: `document.querySelector(".row .cell")` },
  {
    name: "a plot, a filter with a term that was not understood",
    view: "#plot=count&filter=prise>5 OR 1",
    there: `document.querySelector("#plot-panel canvas") && document.querySelector("#readings .odd")`,
  },
  {
    name: "the menu of a column",
    view: "",
    act: `document.querySelectorAll(".mark")[0].click()`,
    there: `/rows/.test(document.querySelector("dialog.menu [role=status]")?.textContent)`,
  },
  {
    name: "the help",
    view: "",
    act: `document.querySelector("#help").click()`,
    there: `document.querySelector("dialog")`,
  },
  {
    name: "how to connect",
    view: "",
    act: `document.querySelector("#connect").click()`,
    there: `document.querySelector("dialog")`,
  },
  { name: "a wall", view: "#kiosk&plot=count&table", there: `document.querySelector("#plot-panel canvas")` },
];

describe.concurrent.skipIf(!browserPath || !isInstalled)("no barrier is found", () => {
  const cases = ["light", "dark"].flatMap((scheme) => STATES.map((state) => ({ scheme, ...state })));
  test.each(cases)("in $scheme: $name", async ({ scheme, view, act, there }) => {
    await using scene = await openScene(LOG_HEADER + timed(100), {}, { view });
    const { page } = scene;
    await page.view.cdp("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    await page.badge("live");
    await page.until(`document.querySelector("#shape").textContent !== ""`);
    if (act) await page.value(act);
    await page.until(there);
    expect(await findings(page)).toEqual([]);
  });
});
