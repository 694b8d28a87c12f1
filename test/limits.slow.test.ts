// The limits of a file, met one by one: that of a cell, and those of everything else, are in `limits.test.ts`.
import { describe, setDefaultTimeout, test } from "bun:test";
import { atOnce } from "./at-once.ts";
import { isRefusedAtTheStart, keepsTheLastGoodTable } from "./limits.ts";
import { TEST_TIMEOUT_MS } from "./support.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

describe.concurrent("a file over its limits", () => {
  const cases = [
    {
      name: "columns",
      args: ["--max-columns=3"],
      good: "a,b,c\n1,2,3\n",
      bad: "a,b,c,d\n1,2,3,4\n",
      says: "4 columns, more than 3",
    },
    {
      name: "quoted cells",
      args: ["--max-cell=1KiB"],
      good: `a,b\n"${"\n".repeat(1000)}",${"y".repeat(1000)}\n`,
      bad: `a,b\n1,"${"\n".repeat(1024)}"\n`,
      says: "row 1: a cell of more than 1024 bytes",
    },
    { name: "bytes", args: ["--max-file=1KiB"], good: "a\n1\n", bad: `a\n${"1\n".repeat(600)}`, says: "larger than" },
  ];

  test.each(cases)("of $name is refused at the start", isRefusedAtTheStart);

  test.each(cases)("of $name keeps the last good table on air, and comes back", keepsTheLastGoodTable);
});
