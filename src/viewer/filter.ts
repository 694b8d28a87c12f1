// The filter box: words that all must be found, in any cell or in that of a column, and comparisons.
//   berlin            any cell has it, upper or lower case         "new york"   with a space
//   city:ber          the cell of the column has it                city=Berlin  it is exactly that
//   price>100         also >= < <= and !=; times too: time>=2026-01-31
//   !berlin           not
import type { Row } from "../feed/protocol.ts";
import { typedTime } from "../values/times.ts";
import { type Kind, TEXT } from "./cells.ts";

/** `columns`: the only ones that it looks at; undefined: any. */
export type Filter = ((row: Row) => boolean) & { readonly columns?: readonly number[] | undefined };

/** `isNamed`: before the operator stands something, if only `""`, the name of a column without one. `isWhole`: so behind it. */
type Term = {
  readonly column: string;
  readonly isNamed: boolean;
  readonly operator: string;
  readonly value: string;
  readonly isWhole: boolean;
};

const WORDS = /(?:[^\s"]|"(?:[^"]|"")*(?:"|$))+/g;
const TERM = /^("(?:[^"]|"")*"|[^":<>=!]*)(>=|<=|!=|[:<>=])(.*)$/s;

/** Undefined for a text that says nothing. A word with the name of no column before its operator is a word like any other. */
export function parseFilter(text: string, columns: readonly string[], kinds: readonly Kind[]): Filter | undefined {
  const tests = (text.match(WORDS) ?? []).map((word) => testOf(word, columns, kinds)).filter((test) => !!test);
  if (tests.length === 0) return undefined;
  if (tests.length === 1) return tests[0];
  const isKnown = tests.every((test) => test.columns);
  return looking(
    (row) => tests.every((test) => test(row)),
    isKnown ? [...new Set(tests.flatMap((test) => test.columns ?? []))] : undefined,
  );
}

const looking = (test: (row: Row) => boolean, columns: readonly number[] | undefined): Filter =>
  Object.assign(test, { columns });

function testOf(word: string, columns: readonly string[], kinds: readonly Kind[]): Filter | undefined {
  if (word === "!") return undefined;
  if (word.startsWith("!") && word[1] !== "=") {
    const test = testOf(word.slice(1), columns, kinds);
    return test && looking((row) => !test(row), test.columns);
  }
  const term = termOf(word);
  const column = term?.isNamed ? indexOfColumn(term.column, columns) : -1;
  const test = term && column !== -1 && onColumn(term, column, kinds[column] ?? TEXT);
  if (term && column !== -1) return test ? looking(test, [column]) : undefined;
  if (term && !term.isNamed && /[<>]/.test(term.operator)) return onAny(term, kinds, word);
  return contains(unquoted(word));
}

function termOf(word: string): Term | undefined {
  const match = TERM.exec(word);
  if (!match) return undefined;
  const [, column = "", operator = "", value = ""] = match;
  const term = { column: unquoted(column), operator, value: unquoted(value) };
  return { ...term, isNamed: column !== "", isWhole: value !== "" };
}

function indexOfColumn(name: string, columns: readonly string[]): number {
  const exact = columns.indexOf(name);
  const plain = (text: string) => text.trim().toLowerCase();
  return exact === -1 ? columns.findIndex((column) => plain(column) === plain(name)) : exact;
}

/** While it is being typed a term has no value yet, and asks for nothing. */
function onColumn(term: Term, column: number, kind: Kind): Filter | undefined {
  const { operator, value, isWhole } = term;
  if (!isWhole) return undefined;
  const lower = value.toLowerCase();
  if (operator === "=") return (row) => (row[column] ?? "").toLowerCase() === lower;
  if (operator === "!=") return (row) => (row[column] ?? "").toLowerCase() !== lower;
  if (value === "") return undefined;
  if (operator === ":") {
    const pattern = patternOf(value);
    return (row) => pattern.test(row[column] ?? "");
  }
  if (kind.type === "number" && Number.isNaN(kind.valueOf(value))) return undefined;
  const passes = comparison(operator, value, kind);
  return (row) => passes(row[column] ?? "");
}

/** `>5`: some cell that is a number, or a time, is. `<br>` is a word. */
function onAny({ operator, value }: Term, kinds: readonly Kind[], word: string): Filter | undefined {
  if (value === "") return undefined;
  const tests = kinds.flatMap((kind, column) => {
    if (kind.type === "text" || Number.isNaN(limitOf(value, kind))) return [];
    const passes = comparison(operator, value, kind);
    return [(row: Row) => passes(row[column] ?? "")];
  });
  return tests.length === 0 ? contains(unquoted(word)) : (row) => tests.some((test) => test(row));
}

/** What a person types for a time need not be written as the column is. */
function limitOf(value: string, kind: Kind): number {
  const limit = kind.valueOf(value);
  return kind.type === "time" && Number.isNaN(limit) ? typedTime(value) : limit;
}

function comparison(operator: string, value: string, kind: Kind): (cell: string) => boolean {
  const limit = limitOf(value, kind);
  const passes = (order: number) =>
    operator === ">" ? order > 0 : operator === "<" ? order < 0 : operator === ">=" ? order >= 0 : order <= 0;
  if (!Number.isNaN(limit)) return (cell) => passes(kind.valueOf(cell) - limit); // NaN passes nothing
  return (cell) => cell !== "" && passes(cell < value ? -1 : cell > value ? 1 : 0);
}

function contains(value: string): Filter | undefined {
  if (value === "") return undefined;
  const pattern = patternOf(value);
  return (row) => {
    for (const cell of row) if (pattern.test(cell)) return true;
    return false;
  };
}

const patternOf = (value: string) => new RegExp(value.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "iu");

const unquoted = (text: string) => text.replace(/"((?:[^"]|"")*)(?:"|$)/g, (_, inner) => inner.replaceAll('""', '"'));
