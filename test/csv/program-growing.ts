// A file of a program that grows from its first byte.
import { expect } from "bun:test";
import { follow } from "./following.ts";
import { bytesOf, type Case } from "./program-cases.ts";

/** One in so many of the files grows byte by byte in `programs.test.ts`, the others in `programs.slow.test.ts`. */
export const EACH = 8;

export function growsByteByByte(_name: string, entry: Case): void {
  const followed = follow(bytesOf(entry), entry.options);
  followed.grow("bytes");
  expect(followed.shown()).toEqual(followed.final());
}
