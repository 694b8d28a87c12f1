// The page while a table is still coming: its first rows, and nobody takes them for all of it.
import { expect, setDefaultTimeout, test } from "bun:test";
import { viewerFiles } from "../../src/viewer/files.ts";
import { openScriptedServer, speaker, statusOf } from "../follow/scripted-server.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { browserPath, openPage } from "./browser.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);

const COUNT = 1_000;
const a = speaker("k3f9", ["n", "name"]);
const rowsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => [String(from + i), `row ${from + i}`]);
const part = (from: number, to: number) => a.snapshot(1, rowsOf(from, to), from, COUNT);

/** The page's files and its health, and a live feed that says what the test tells it to. */
async function openPageServer() {
  const files = await viewerFiles();
  return openScriptedServer({
    refuse(request) {
      const { pathname } = new URL(request.url);
      if (request.headers.has("upgrade")) return undefined;
      const table = { name: "prices", file: "prices.csv", path: "/csv", state: "live", rows: 1, changedMs: 1_000 };
      if (pathname === "/tables.json") return Response.json({ tables: [table], refused: [] });
      const file = files.get(pathname);
      return file
        ? new Response(file.bytes, { headers: { "Content-Type": file.type } })
        : new Response("", { status: 404 });
    },
  });
}

const isLoading = `document.body.hasAttribute("data-loading")`;

test.skipIf(!browserPath)(
  "its first rows are shown at once, as a part of it, and the rules hold when all is there",
  async () => {
    await using server = await openPageServer();
    await using page = await openPage(`http://127.0.0.1:${server.port}/`);
    const visit = await server.visit();
    visit.send(part(0, 300));
    await page.untilRows("the first rows", (rows) => rows[0]?.[1] === "0" && rows.length > 10);
    await page.until(`document.querySelector("#badge-age").textContent === "30 %"`);
    await page.badge("loading");
    expect(await page.text("#shape")).toBe("300 of 1,000 rows × 2 columns");
    expect(await page.value("document.title")).toStartWith("(loading) ");
    expect(await page.value(`document.querySelector("[role=grid]").ariaBusy`)).toBe("true");
    expect(await page.value(isLoading)).toBe(true);

    await page.scrollTo(26 * 250);
    await page.untilRows("what is there can be scrolled", (rows) => rows[0]?.[1] === "250");
    await page.clickHeader("n");
    await page.clickHeader("n");
    await page.until(`document.querySelector("#count").textContent === "sorting…"`);
    await page.view.click("#download");
    await page.value(
      `[...document.querySelectorAll("dialog button")].find(({ textContent }) => textContent === "Save CSV").click()`,
    );
    visit.send(part(300, 600));
    await page.until(`document.querySelector("#shape").textContent === "600 of 1,000 rows × 2 columns"`);
    expect((await page.rows())[0]![1]).toBe("250");
    expect(await page.value("saved.length")).toBe(0);

    visit.send(part(600, COUNT), statusOf("live"), a.sync(1, COUNT));
    await page.badge("live");
    await page.until(`document.querySelector("#shape").textContent === "1,000 rows × 2 columns" && !${isLoading}`);
    await page.until(`document.querySelector("[role=grid]").ariaBusy === "false"`);
    await page.until("saved.length === 2");
    expect((await page.value<string>("saved[0].text()")).split("\r\n")).toHaveLength(COUNT + 2);
    // Once more if the rows that were looked at have been held in place meanwhile.
    await until("the greatest first", async () => {
      await page.value(`(document.querySelector(".scroller").scrollTop = 0)`);
      return (await page.rows())[0]?.[1] === "999";
    });
  },
);

test.skipIf(!browserPath)(
  "its rows are still no whole table when the connection is lost, and begin anew with it",
  async () => {
    await using server = await openPageServer();
    await using page = await openPage(`http://127.0.0.1:${server.port}/`);
    const first = await server.visit();
    first.send(part(0, 700));
    await page.untilRows("the first rows", (rows) => rows[0]?.[1] === "0");
    first.close();
    await page.badge("reconnecting");
    expect([await page.text("#shape"), await page.value(isLoading)]).toEqual(["700 of 1,000 rows × 2 columns", true]);
    const second = await server.visit();
    expect(second.since).toBeNull();
    second.send(a.snapshot(2, rowsOf(50, 90), 0, 80));
    await page.untilRows("other rows", (rows) => rows[0]?.[1] === "50");
    second.send(a.snapshot(2, rowsOf(90, 130), 40, 80), statusOf("live"), a.sync(2, 80));
    await page.badge("live");
    await page.until(`document.querySelector("#shape").textContent === "80 rows × 2 columns"`);
  },
);
