// What files are called wherever it is shown, whatever is in their names. One of them is in `sources.test.ts`.
import { describe, setDefaultTimeout, test } from "bun:test";
import { TEST_TIMEOUT_MS } from "../support.ts";
import { neverTellsTheFolder } from "./sources.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

describe("the folder of a file is never told, though the file is called", () => {
  const NAMES = ["a\tb.csv", "a\nb.csv", "\u0001\u001b[31m.csv", "a\u202eb.csv", "$&.csv", "a b'\"\\.csv"];

  test.concurrent.each(NAMES.map((name) => ({ name, printed: JSON.stringify(name) })))("$printed", ({ name }) =>
    neverTellsTheFolder(name),
  );
});
