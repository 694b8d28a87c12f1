// Random layouts, and texts of what means something in them.
import { CR, DATA_QUOTE, type Layout, LF, VOID } from "../../src/csv/records.ts";
import type { Random } from "../fuzz/random.ts";

const DELIMITERS = [",", ";", "\t", "|", " ", "\x1f"] as const;

export function randomLayout(random: Random): Layout {
  const layout = { delimiter: random.pick(DELIMITERS).charCodeAt(0), recordEnd: random.chance(0.8) ? LF : CR } as const;
  if (random.chance(0.5)) return layout;
  const records = random.chance(0.5)
    ? [Buffer.from("a"), Buffer.from(`x${String.fromCharCode(layout.delimiter)}y`)]
    : [];
  const prefixes = random.chance(0.5) ? [Buffer.from("#"), Buffer.from("//")] : [];
  return { ...layout, skips: { records, prefixes } };
}

export function randomBytes(random: Random, { delimiter, recordEnd }: Layout): Buffer {
  const separator = String.fromCharCode(delimiter);
  const end = String.fromCharCode(recordEnd);
  const soup = [
    separator,
    separator,
    end,
    end,
    "\r\n",
    "\r\r\n",
    '"',
    '""',
    " ",
    "\t",
    "\0",
    "x",
    "y",
    "1",
    "-2.5",
    "0,5",
    "true",
    "a",
    "é",
    "#",
    "//",
  ];
  const pieces: Buffer[] = [];
  for (let i = random.below(60); i > 0; i--) {
    if (random.chance(0.05)) pieces.push(Buffer.of(random.chance(0.5) ? VOID : DATA_QUOTE));
    else pieces.push(Buffer.from(random.pick(soup)));
  }
  return Buffer.concat(pieces);
}
