// What locations are called, without opening anything.
import { basename } from "node:path";
import { printable } from "../feed/printable.ts";

/** The location that stands for standard input, and what it is called. */
export const STDIN = "-";
export const STDIN_NAME = "standard input";

/** What a file is called: its name without the folder. */
export const fileName = (path: string) => printable(basename(path));
