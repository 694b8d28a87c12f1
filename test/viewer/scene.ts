// A file, a server in this process that publishes it, and the page in a browser.
import { type ServerOptions, websocketServer } from "../../src/index.ts";
import { temporaryFolder } from "../support.ts";
import { openPage, type Page, type PageSize } from "./browser.ts";

export const PRICES = "symbol,price,day\nb,10,2026-01-02\na,9,2026-01-01\nc,100,2025-12-31\n";

export type Scene = AsyncDisposable & {
  readonly path: string;
  /** Puts another file in its place, at once: one that is written in place is an empty table for a moment. */
  write(csv: string): Promise<string>;
  readonly http: string;
  readonly page: Page;
};

export type SceneSize = PageSize & {
  /** Of the address, with its `#`. */
  readonly view?: string;
};

export async function openScene(csv: string, options: ServerOptions = {}, size: SceneSize = {}): Promise<Scene> {
  const folder = await temporaryFolder();
  const path = await folder.write("prices.csv", csv);
  const server = websocketServer({ file: path, hostname: "127.0.0.1", intervalMs: 30, settleMs: 20, ...options });
  await server.ready;
  const http = `http://127.0.0.1:${server.address.port}`;
  const page = await openPage(`${http}/${size.view ?? ""}`, size);
  return {
    path,
    write: (csv) => folder.write("prices.csv", csv),
    http,
    page,
    async [Symbol.asyncDispose]() {
      try {
        await page[Symbol.asyncDispose]();
      } finally {
        await server.close();
        await folder[Symbol.asyncDispose]();
      }
    },
  };
}

export const numbered = (count: number) =>
  `n,name\n${Array.from({ length: count }, (_, i) => `${i},row ${i}\n`).join("")}`;
export const firstCell = (rows: string[][]) => rows[0]?.[1];
export const column = (rows: string[][], index: number) => rows.map((row) => row[index + 1]);

/** A log that is being written: its rows are in the order of their time. */
export function timed(count: number, { from = 0, stepMs = 1_000, zone = "" } = {}): string {
  const at = (i: number) => new Date(Date.UTC(2026, 0, 1) + i * stepMs).toISOString().slice(0, 23).replace("T", " ");
  return Array.from({ length: count }, (_, i) => `${at(from + i)}${zone},${from + i},${i % 2 ? "odd" : "even"}\n`).join(
    "",
  );
}
export const LOG_HEADER = "time,count,parity\n";
