// The terms of the filter box as a test of rows, and as words: how each of them was read. Nothing that was typed is dropped silently.
import type { Row } from "../feed/protocol.ts";
import { type Kind, shownText, TEXT, valueIn } from "./cells.ts";
import { agoMs, factorBetween, limitOf } from "./limits.ts";
import { type Operator, parseTerms, type Term, unquoted } from "./terms.ts";
import { type FileZone, timeText, zoneFor } from "./zones.ts";

/** `columns`: the only ones that it looks at; undefined: any. */
export type Filter = ((row: Row) => boolean) & {
  readonly columns?: readonly number[] | undefined;
  /** What of it can be told by the numbers of some columns, and what is left to ask of the rows that pass; undefined: nothing. */
  readonly numeric?: Numeric | undefined;
  readonly rest?: Filter | undefined;
};

/** A test of rows by their place. */
export type Numeric = {
  readonly columns: readonly number[];
  test(valuesOf: (column: number) => Float64Array): (row: number) => boolean;
};

/** How a term was read. `odd`: not as it seems to be meant, or not at all. */
export type Reading = { readonly text: string; readonly says: string; readonly isOdd: boolean };

/** Where a text that was looked for is; of no column: in any. */
export type Hit = { readonly column: number | undefined; readonly source: string };

export type FilterRead = {
  /** Undefined for a text that asks for nothing. */
  readonly filter: Filter | undefined;
  readonly readings: readonly Reading[];
  readonly hits: readonly Hit[];
  /** Columns whose newest time it goes by, and how far back from there. */
  readonly newestOf: readonly { readonly column: number; readonly ms: number }[];
};

export type FilterOf = {
  readonly columns: readonly string[];
  readonly kinds: readonly Kind[];
  /** The greatest value of a column; undefined while it is not known. */
  readonly newest?: (column: number) => number | undefined;
  /** In which zone times are said; UTC, if that is left out. */
  readonly zone?: (column: number) => FileZone;
};

type Part = Partial<FilterRead> & { readonly says: string; readonly isOdd?: boolean };

const UTC: FileZone = { name: "UTC", offsetMs: 0 };

export function readFilter(text: string, table: FilterOf): FilterRead {
  const alternatives = parseTerms(text, {
    isColumn: (name) => indexOfColumn(name, table.columns) !== -1,
    isUnitOf(name, word) {
      const { unit } = table.kinds[indexOfColumn(name, table.columns)] ?? TEXT;
      return unit !== undefined && !Number.isNaN(factorBetween(word, unit));
    },
  });
  const parts = alternatives.map((terms) => terms.map((term) => ({ term, part: partOf(term, table) })));
  const tests = parts
    .map((all) => all.flatMap(({ term, part }) => (part.filter ? [negated(part.filter, term.isNot)] : [])))
    .filter((some) => some.length > 0)
    .map((some) => joined(some, "every"));
  const flat = parts.flat();
  return {
    filter: tests.length === 0 ? undefined : joined(tests, "some"),
    readings: parts.flatMap((all, i) => all.map(({ term, part }, k) => readingOf(term, part, i > 0 && k === 0))),
    hits: flat.flatMap(({ term, part }) => (term.isNot ? [] : (part.hits ?? []))),
    newestOf: flat.flatMap(({ part }) => part.newestOf ?? []),
  };
}

function readingOf({ text, isNot }: Term, { says, isOdd = false }: Part, isAlternative: boolean): Reading {
  return { text, says: `${isAlternative ? "or " : ""}${isNot ? "not: " : ""}${says}`, isOdd };
}

const looking = (
  test: (row: Row) => boolean,
  columns: readonly number[] | undefined,
  numeric?: Numeric,
  rest?: Filter,
): Filter => Object.assign(test, { columns, numeric, rest });

function negated(filter: Filter, isNot: boolean): Filter {
  if (!isNot) return filter;
  const { columns, numeric } = filter;
  return looking(
    (row) => !filter(row),
    columns,
    numeric && {
      columns: numeric.columns,
      test(valuesOf) {
        const test = numeric.test(valuesOf);
        return (row) => !test(row);
      },
    },
  );
}

/** All of them, or any. */
function joined(filters: readonly Filter[], how: "every" | "some"): Filter {
  if (filters.length === 1) return filters[0]!;
  const columns = filters.every((filter) => filter.columns) ? union(filters.map((f) => f.columns!)) : undefined;
  const numeric = filters.filter((filter) => filter.numeric && !filter.rest);
  const others = filters.filter((filter) => !numeric.includes(filter));
  const test = (row: Row) => filters[how]((filter) => filter(row));
  if (numeric.length === 0 || (others.length > 0 && how === "some")) return looking(test, columns);
  const rest = others.length > 0 ? joined(others, how) : undefined;
  return looking(test, columns, joinedNumeric(numeric, how), rest);
}

const union = (lists: readonly (readonly number[])[]) => [...new Set(lists.flat())];

function joinedNumeric(filters: readonly Filter[], how: "every" | "some"): Numeric {
  const numerics = filters.map(({ numeric }) => numeric!);
  return {
    columns: union(numerics.map(({ columns }) => columns)),
    test(valuesOf) {
      const tests = numerics.map((one) => one.test(valuesOf));
      return (row) => tests[how]((test) => test(row));
    },
  };
}

function partOf(term: Term, table: FilterOf): Part {
  switch (term.type) {
    case "word":
      return contains(term.value, undefined);
    case "pattern":
      return matching(term.source, term.column, table);
    case "comparison": {
      const { column: name, operator, value, isOpen } = term;
      if (name === undefined) return onAny(operator, value, table.kinds, term.text);
      const column = indexOfColumn(name, table.columns);
      if (column === -1) return unknown(term.text, name, operator);
      const shown = named(table.columns[column]!);
      if (isOpen) return { says: `${shown} ${operator} …` };
      return onColumn(operator, value, column, shown, table);
    }
  }
}

function indexOfColumn(name: string, columns: readonly string[]): number {
  const exact = columns.indexOf(name);
  const plain = (text: string) => text.trim().toLowerCase();
  return exact === -1 ? columns.findIndex((column) => plain(column) === plain(name)) : exact;
}

/** A term as a word like any other. */
const wordOf = (text: string) => unquoted(text.replace(/^!+(?!=)/, ""));

const named = (column: string) => shownText(column) || '""';
const quoted = (text: string) => `“${shownText(text)}”`;

/** `12:30` and `http://…` are words; `prise>100` was meant for a column. */
function unknown(text: string, name: string, operator: Operator): Part {
  const part = contains(wordOf(text), undefined);
  const isMeant = operator !== ":" || (/^[\p{L}_][\p{L}\p{N}_ ]*$/u.test(name) && !/:\/\//.test(text));
  return isMeant ? { ...part, says: `there is no column ${quoted(name)}; ${part.says}`, isOdd: true } : part;
}

function onColumn(operator: Operator, value: string, column: number, name: string, table: FilterOf): Part {
  const kind = table.kinds[column] ?? TEXT;
  const isEpoch = kind.format?.startsWith("epoch-") === true && /\d[-:]\d/.test(value); // a time is not written so there
  if (operator === ":" && value === "") return { says: `${name} has anything` };
  if (operator === ":" && !isEpoch) return contains(value, column, name);
  const ago = kind.type === "time" ? agoMs(value) : undefined;
  const limit = ago === undefined ? limitOf(value, kind) : (table.newest?.(column) ?? Number.NaN) - ago;
  if (ago !== undefined && Number.isNaN(limit))
    return { says: `${name} ${operator} ${value} …`, newestOf: [{ column, ms: ago }] };
  if (Number.isNaN(limit)) return asText(operator, value, column, name, kind);
  const isDay = kind.type === "time" && ago === undefined && /^\d{4}-\d{2}-\d{2}$/.test(value);
  const passes = passesBy(operator, limit, isDay ? 86_400_000 : 0);
  const filter = looking((row) => passes(valueIn(row, column, kind)), columnsOf(column, kind), {
    columns: [column],
    test(valuesOf) {
      const values = valuesOf(column);
      return (row) => passes(values[row]!);
    },
  });
  const shown =
    kind.type === "time"
      ? timeWords(limit, table.zone?.(column) ?? UTC, ago, value)
      : `${limit}${kind.unit ? ` ${kind.unit}` : ""}`;
  return {
    filter,
    says: `${name} ${operator} ${shown}`,
    ...(ago !== undefined && { newestOf: [{ column, ms: ago }] }),
  };
}

function timeWords(limit: number, file: FileZone, ago: number | undefined, value: string): string {
  const zone = zoneFor("file", file, () => "");
  const time = timeText(limit, zone, file === "of day").replace(/ 00:00:00$/, "");
  const shown = typeof file === "string" ? time : `${time} ${file.name}`;
  return ago === undefined ? shown : `${shown} (${value.replace(/^-\s*/, "")} before the newest)`;
}

const columnsOf = (column: number, { clock }: Kind) => (clock ? [column, clock.column] : [column]);

/** `=` a day is any time of it. What is no number passes only `!=`. */
function passesBy(operator: Operator, limit: number, width: number): (value: number) => boolean {
  const equals = (value: number) => (width > 0 ? value >= limit && value < limit + width : value === limit);
  switch (operator) {
    case ">":
      return (value) => value > limit;
    case ">=":
      return (value) => value >= limit;
    case "<":
      return (value) => value < limit;
    case "<=":
      return (value) => value <= limit;
    case "!=":
      return (value) => !equals(value);
    default:
      return equals;
  }
}

/** Of a column of text, or a value that is none of the column's. */
function asText(operator: Operator, value: string, column: number, name: string, kind: Kind): Part {
  const says = `${name} ${operator} ${quoted(value)}`;
  const lower = value.toLowerCase();
  const is = (row: Row) => (row[column] ?? "").toLowerCase() === lower;
  if (operator === "=") return { says, filter: looking(is, [column]), hits: value === "" ? [] : hitsOf(value, column) };
  if (operator === "!=") return { says, filter: looking((row) => !is(row), [column]) };
  if (value === "") return { says: `${name} ${operator} …` };
  if (kind.type === "number")
    return { says: `ignored: ${name} is a number, and ${quoted(value)} is none`, isOdd: true };
  if (kind.type === "time") return { says: `ignored: ${name} is a time, and ${quoted(value)} is none`, isOdd: true };
  const passes = passesBy(operator, 0, 0);
  const test = (cell: string) => cell !== "" && passes(cell < value ? -1 : cell > value ? 1 : 0);
  return { says: `${says} by the alphabet`, filter: looking((row) => test(row[column] ?? ""), [column]) };
}

/** `>5`: some cell that is a number, or a time, is. `<br>` is a word. */
function onAny(operator: Operator, value: string, kinds: readonly Kind[], text: string): Part {
  if (value === "") return { says: `${operator} …` };
  const tests = kinds.flatMap((kind, column) => {
    const limit = kind.type === "text" ? Number.NaN : limitOf(value, kind);
    if (Number.isNaN(limit)) return [];
    const passes = passesBy(operator, limit, 0);
    return [(row: Row) => passes(valueIn(row, column, kind))];
  });
  if (tests.length === 0) return contains(wordOf(text), undefined);
  const filter = looking((row) => tests.some((test) => test(row)), undefined);
  return { says: `any number or time ${operator} ${shownText(value)}`, filter };
}

/** `name`: of the column, as it is said. */
function contains(value: string, column: number | undefined, name = "any cell"): Part {
  return {
    says: `${name} has ${quoted(value)}`,
    filter: finding(patternOf(value), column),
    hits: hitsOf(value, column),
  };
}

function matching(source: string, name: string | undefined, { columns }: FilterOf): Part {
  const column = name === undefined ? undefined : indexOfColumn(name, columns);
  if (column === -1) return unknown(`${name}:/${source}/`, name!, "=");
  const where = column === undefined ? "any cell" : named(columns[column]!);
  try {
    const filter = finding(new RegExp(source, "iu"), column);
    return { says: `${where} matches /${shownText(source)}/`, filter, hits: [{ column, source }] };
  } catch {
    return { says: `ignored: /${shownText(source)}/ is no regular expression`, isOdd: true };
  }
}

function finding(pattern: RegExp, column: number | undefined): Filter {
  if (column !== undefined) return looking((row) => pattern.test(row[column] ?? ""), [column]);
  return looking((row) => {
    for (const cell of row) if (pattern.test(cell)) return true;
    return false;
  }, undefined);
}

const escaped = (value: string) => value.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const patternOf = (value: string) => new RegExp(escaped(value), "iu");
const hitsOf = (value: string, column: number | undefined): Hit[] => [{ column, source: escaped(value) }];
