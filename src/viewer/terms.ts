// The filter box as terms: what a person has typed, taken apart. What they ask for is said in `filter.ts`. Pure.
//   a b OR c          both a and b, or c             !a      not a
//   price > 100       with or without blanks; also :  =  !=  >=  <  <=
//   "new york"        with blanks; "" is a quote in it
//   /^E\d+/           a regular expression, also of a column: code:/^E\d+/

/** `column` as it was typed; undefined if nothing stands before the operator, which is then one of `<` and `>`. */
export type Term = { readonly text: string; readonly isNot: boolean } & (
  | { readonly type: "word"; readonly value: string }
  | { readonly type: "pattern"; readonly source: string; readonly column: string | undefined }
  | {
      readonly type: "comparison";
      readonly column: string | undefined;
      readonly operator: Operator;
      readonly value: string;
      /** It is being typed: nothing stands behind the operator. */
      readonly isOpen: boolean;
    }
);

export type Operator = ":" | "=" | "!=" | ">" | ">=" | "<" | "<=";

const WORDS = /(?:[^\s"]|"(?:[^"]|"")*(?:"|$))+/g;
const COMPARISON = /^("(?:[^"]|"")*"|[^":<>=!]*)(>=|<=|!=|[:<>=])(.*)$/s;
const PATTERN = /^\/(.+)\/$/s;
const LONE = /^(?:>=|<=|!=|[<>=])$/;
/** A name may have blanks: so many words, the operator included. */
const MAX_NAME_WORDS = 6;

/** What is known of the columns; a name is typed in any case, without the blanks around it. */
export type Names = {
  isColumn(name: string): boolean;
  /** Whether a word behind a number is a unit that numbers of this column may have. */
  isUnitOf(name: string, word: string): boolean;
};

/** Alternatives, of each of which all terms must hold. */
export function parseTerms(text: string, names: Names): Term[][] {
  const alternatives: Term[][] = [[]];
  const words = text.match(WORDS) ?? [];
  for (let at = 0; at < words.length;) {
    if (words[at] === "OR") {
      alternatives.push([]);
      at++;
      continue;
    }
    const { term, length } = termAt(words, at, names);
    if (term) alternatives.at(-1)!.push(term);
    at += length;
  }
  return alternatives.filter((terms) => terms.length > 0);
}

function termAt(words: readonly string[], at: number, names: Names) {
  for (let length = 1; length <= Math.min(MAX_NAME_WORDS, words.length - at); length++) {
    const joined = words.slice(at, at + length).join(" ");
    const { isNot, rest } = negation(joined);
    const match = COMPARISON.exec(rest);
    const isAny = match?.[1] === "" && length === 1 && /[<>]/.test(match[2]!);
    if (!match || (!isAny && (match[1] === "" || !names.isColumn(nameIn(match))))) continue;
    const next = words[at + length];
    const takesNext = match[3] === "" && next !== undefined && next !== "OR" && !COMPARISON.test(negation(next).rest);
    const number = takesNext ? next : match[3]!;
    const unit = words[at + length + Number(takesNext)];
    const takesUnit = unit !== undefined && /\d$/.test(number) && names.isUnitOf(nameIn(match), unit);
    const value = takesUnit ? `${number} ${unit}` : number;
    const taken = length + Number(takesNext) + Number(takesUnit);
    return { term: comparison(words.slice(at, at + taken).join(" "), isNot, match, value), length: taken };
  }
  const [word = "", operator = "", value] = words.slice(at);
  if (LONE.test(operator) && value !== undefined && value !== "OR" && !COMPARISON.test(word)) {
    const text = `${word} ${operator} ${value}`; // of a column that there is not
    const { isNot, rest } = negation(word);
    return { term: comparison(text, isNot, [text, rest, operator, value], value), length: 3 };
  }
  return { term: lonely(words[at]!), length: 1 };
}

const nameIn = (match: readonly string[]) => unquoted(match[1]!).trim();

/** A word by itself, in which no known column is named. */
function lonely(text: string): Term | undefined {
  if (text === "!") return undefined;
  const { isNot, rest } = negation(text);
  const pattern = PATTERN.exec(rest);
  if (pattern) return { type: "pattern", text, isNot, source: pattern[1]!, column: undefined };
  const match = COMPARISON.exec(rest);
  if (match && match[1] !== "") return comparison(text, isNot, match, match[3]!);
  const value = unquoted(rest);
  return value === "" ? undefined : { type: "word", text, isNot, value };
}

function comparison(text: string, isNot: boolean, match: readonly string[], value: string): Term {
  const column = match[1] === "" ? undefined : nameIn(match);
  const operator = match[2] as Operator;
  const pattern = /^[:=]$/.test(operator) ? PATTERN.exec(value) : null;
  if (pattern && column !== undefined) return { type: "pattern", text, isNot, source: pattern[1]!, column };
  return { type: "comparison", text, isNot, column, operator, value: unquoted(value), isOpen: value === "" };
}

function negation(text: string): { readonly isNot: boolean; readonly rest: string } {
  let rest = text;
  let isNot = false;
  while (rest.startsWith("!") && rest[1] !== "=" && rest.length > 1) {
    rest = rest.slice(1);
    isNot = !isNot;
  }
  return { isNot, rest };
}

export const unquoted = (text: string) =>
  text.replace(/"((?:[^"]|"")*)(?:"|$)/g, (_, inner) => inner.replaceAll('""', '"'));
