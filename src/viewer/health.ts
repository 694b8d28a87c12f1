// What /tables.json says and a WebSocket of a browser does not: the name of the file, how old the table is, and whether we are let in.

import { isAt, type Listed } from "./listed.ts";

export type Health =
  | {
      readonly type: "known";
      readonly file: string;
      readonly changedMs: number | undefined;
      readonly tables: readonly Listed[];
    }
  /** The token is missing or wrong; `why` is for the person. */
  | { readonly type: "refused"; readonly why: string }
  /** Nobody is there, or it is no csvcast. */
  | { readonly type: "unknown" };

/** Of the table at `here`. */
export async function askHealth(token: string | undefined, here: string): Promise<Health> {
  // No header can carry it (RFC 9110, 5.5), and so no server asks for it.
  if (token !== undefined && /[^\x20-\x7e]/.test(token)) return { type: "refused", why: "The token is wrong:" };
  try {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch("/tables.json", { headers, cache: "no-store" });
    if (response.status === 429)
      return { type: "refused", why: "Too many wrong tokens; wait a moment, then try again:" };
    if (response.status === 401)
      return { type: "refused", why: token === undefined ? "This server asks for its token:" : "The token is wrong:" };
    const { tables } = (await response.json()) as { tables: readonly Listed[] };
    const { file = "", changedMs } = tables.find((table) => isAt(table, here)) ?? {};
    return { type: "known", file, changedMs, tables };
  } catch {
    return { type: "unknown" };
  }
}
