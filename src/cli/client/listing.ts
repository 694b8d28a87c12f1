// Which tables a server has: its /tables.json, asked for once.
import { printable } from "../../feed/printable.ts";

/** One of them; `name` is its address, `/NAME`, and `csv` for a first table that has no other. */
export type ListedTable = {
  readonly name: string;
  readonly path: string;
  readonly file: string;
  readonly state: string;
  readonly rows: number;
  /** It is at `/` and `/csv`, too. */
  readonly isFirst: boolean;
};

export type ListOptions = {
  /** Of the server, or of one of its tables. */
  readonly url: URL;
  readonly token: string | undefined;
  readonly ca: string | false | undefined;
  readonly timeoutMs: number;
};

/** Throws an Error whose message says why there is none, with the status in it if there was an answer. */
export async function tablesAt({ url, token, ca, timeoutMs }: ListOptions): Promise<readonly ListedTable[]> {
  const at = new URL("tables.json", url);
  at.protocol = url.protocol.replace(/^ws/, "http");
  at.search = url.search;
  const answer = await fetch(at, {
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(timeoutMs),
    ...(at.protocol === "https:" && {
      tls: ca === false ? { rejectUnauthorized: false } : ca === undefined ? {} : { ca },
    }),
  });
  if (answer.status !== 200) throw new Error(`status code: ${answer.status}`);
  const { tables } = (await answer.json()) as { tables?: unknown };
  if (!Array.isArray(tables)) throw new Error("no list of tables: an older csvcast, or something else");
  return tables.map(listed);
}

/** What a stranger sends is no more than text. */
function listed(table: { readonly [key: string]: unknown }): ListedTable {
  const text = (key: string) => printable(typeof table[key] === "string" ? table[key] : "");
  const path = text("path");
  const rows = Number(table["rows"]);
  const isFirst = path === "/csv";
  return {
    name: text("name") || (isFirst ? "csv" : ""),
    path,
    file: text("file"),
    state: text("state"),
    rows,
    isFirst,
  };
}

/** For a person columns, for a program fields with tabs between: name, rows, state, file. */
export function listLines(tables: readonly ListedTable[], isForPerson: boolean): string[] {
  const lines = tables.map(({ name, rows, state, file }) => [name, `${rows}`, state, file]);
  if (!isForPerson) return lines.map((cells) => cells.join("\t"));
  const widths = [0, 1, 2].map((i) => Math.max(...lines.map((cells) => Bun.stringWidth(cells[i]!))));
  const padding = (text: string, i: number) => " ".repeat(widths[i]! - Bun.stringWidth(text));
  return lines.map(([name = "", rows = "", state = "", file = ""]) =>
    [
      name + padding(name, 0),
      `${padding(rows, 1)}${rows} ${rows === "1" ? "row " : "rows"}`,
      state + padding(state, 2),
      file,
    ]
      .join("  ")
      .trimEnd(),
  );
}

const SHOWN_NAMES = 10;

/** `a, b, c`; several servers may have a table of the same name. */
export function namesText(tables: readonly ListedTable[]): string {
  const names = [...new Set(tables.map(({ name }) => name))];
  const more = names.length > SHOWN_NAMES ? `, and ${names.length - SHOWN_NAMES} more` : "";
  return names.slice(0, SHOWN_NAMES).join(", ") + more;
}
