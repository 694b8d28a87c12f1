// Texts that are nearly right: what a fuzzer asks with.
import type { Random } from "./random.ts";

const PIECES = [
  "",
  " ",
  "\t",
  "\0",
  "\r\n",
  ",",
  ";",
  ":",
  "=",
  "-",
  "--",
  "/",
  "%",
  "%zz",
  "%00",
  "?",
  "#",
  "@",
  "[",
  "]",
  "'",
  '"',
];
const WORDS = [
  "0",
  "-1",
  "1e9",
  "99999999999999999999",
  "0x10",
  "NaN",
  "Infinity",
  "1.5",
  "é",
  "😀",
  "\ud800",
  "\u202e",
];
const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "null",
  "undefined",
  "true",
  "localhost",
  "127.0.0.1",
];

/** Anything: pieces that mean something somewhere. */
export function soup(random: Random, length = 8): string {
  return Array.from({ length: random.below(length) }, () => random.pick([...PIECES, ...WORDS, ...NAMES])).join("");
}

/** The text with a few characters lost, doubled, swapped or put in. */
export function mutated(random: Random, text: string): string {
  let result = text;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(result.length + 1);
    const to = Math.min(result.length, at + random.below(4));
    const middle = random.pick(["", random.pick(PIECES), random.pick(WORDS), result.slice(at, to).repeat(2)]);
    result = result.slice(0, at) + middle + result.slice(to);
  }
  return random.chance(0.02) ? result.repeat(1 + random.below(50)) : result;
}

/** One of the texts as it is, nearly, or none of them. */
export function nearly(random: Random, texts: readonly string[]): string {
  const kind = random.next();
  return kind < 0.3 ? random.pick(texts) : kind < 0.8 ? mutated(random, random.pick(texts)) : soup(random);
}
