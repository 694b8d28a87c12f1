// Files in the shape that programs write, growing byte by byte: all but the few that `programs.test.ts` takes.
import { describe, test } from "bun:test";
import { growing } from "./program-cases.ts";
import { EACH, growsByteByByte } from "./program-growing.ts";

describe("growing byte by byte", () => {
  test.each(growing.filter((_, n) => n % EACH !== 0))("%s", growsByteByByte);
});
