// The shapes of tables that take long to make. Those of the others, and of which cells they are made, are in `parts.test.ts`.
import { describe, setDefaultTimeout, test } from "bun:test";
import { areOneTable, giant, many } from "./shapes.ts";

setDefaultTimeout(30_000);

describe("the shapes of", () => {
  test.each([
    { name: "many rows with é", text: many((r) => `é${r}`, 40_000), isWithinBounds: true },
    { name: "many rows with €", text: many((r) => `€${r}`, 40_000), isWithinBounds: true },
    { name: "a giant cell first", text: many((r) => (r === 0 ? giant : "x"), 5_000), isWithinBounds: false },
    { name: "two giant cells at the end", text: many((r) => (r > 97 ? giant : "x"), 100), isWithinBounds: false },
    {
      name: "a wide header over short rows",
      text: Array.from({ length: 20_000 }, (_, c) => `a long name ${c}`).join() + "\n" + "1,é\n".repeat(9),
      isWithinBounds: true,
    },
  ])("$name are one table", areOneTable);
});
