// What locations are called, without opening anything.
import { basename } from "node:path";
import { printable } from "../feed/printable.ts";

/** The location that stands for standard input, and what it is called. */
export const STDIN = "-";
export const STDIN_NAME = "standard input";

/** What a file is called: its name without the folder. */
export const fileName = (path: string) => printable(basename(path));

export const isWebUrl = (text: string) => /^https?:\/\//i.test(text);

/** What is at a web address is called: the end of its path, or the host without one. Never with user info or query: they are secrets. */
export function webName(text: string): string {
  if (!URL.canParse(text)) return "a web address";
  const { pathname, hostname } = new URL(text);
  return printable(decoded(basename(pathname)) || hostname);
}

/** A web address without its user info, its query and what is behind them. */
export function webAddress(text: string): string {
  if (!URL.canParse(text)) return "a web address";
  const { protocol, host, pathname } = new URL(text);
  return printable(`${protocol}//${host}${pathname}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
