// Which names of columns are offered while a filter is typed.
import { describe, expect, test } from "bun:test";
import { columnsFor, quotedName, wordAt } from "../../src/viewer/offers.ts";

describe("the word that is being typed is", () => {
  test.each([
    { text: "pri", caret: 3, word: "pri" },
    { text: "a pri", caret: 5, word: "pri" },
    { text: "!pri", caret: 4, word: "pri" },
    { text: "pri b", caret: 3, word: "pri" },
    { text: "price", caret: 2, word: "" },
    { text: "price>", caret: 6, word: "" },
    { text: "a ", caret: 2, word: "" },
    { text: '"pri', caret: 4, word: "" },
    { text: "", caret: 0, word: "" },
  ])("$word in $text at $caret", ({ text, caret, word }) => {
    expect(wordAt(text, caret).word).toBe(word);
  });
});

test("columns are offered that begin so, then those that have it", () => {
  const columns = ["max price", "Price", "time"].map((name) => ({ name, type: "text" as const, longest: "" }));
  expect(columnsFor("pri", columns).map(({ name }) => name)).toEqual(["Price", "max price"]);
  expect(columnsFor("", columns)).toEqual([]);
});

test("a name is quoted where the filter would take it apart", () => {
  expect(["price", "", "a b", 'say "hi"', "a:b", "x/y"].map(quotedName)).toEqual([
    "price",
    '""',
    '"a b"',
    '"say ""hi"""',
    '"a:b"',
    '"x/y"',
  ]);
});
