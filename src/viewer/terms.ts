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
/** A name may have blanks: so many words, the operator included. */
const MAX_NAME_WORDS = 6;

/** Alternatives, of each of which all terms must hold. `isColumn`: a name is typed in any case, without the blanks around it. */
export function parseTerms(text: string, isColumn: (name: string) => boolean): Term[][] {
  const alternatives: Term[][] = [[]];
  const words = text.match(WORDS) ?? [];
  for (let at = 0; at < words.length;) {
    if (words[at] === "OR") {
      alternatives.push([]);
      at++;
      continue;
    }
    const { term, length } = termAt(words, at, isColumn);
    if (term) alternatives.at(-1)!.push(term);
    at += length;
  }
  return alternatives.filter((terms) => terms.length > 0);
}

function termAt(words: readonly string[], at: number, isColumn: (name: string) => boolean) {
  for (let length = 1; length <= Math.min(MAX_NAME_WORDS, words.length - at); length++) {
    const joined = words.slice(at, at + length).join(" ");
    const { isNot, rest } = negation(joined);
    const match = COMPARISON.exec(rest);
    const isAny = match?.[1] === "" && length === 1 && /[<>]/.test(match[2]!);
    if (!match || (!isAny && (match[1] === "" || !isColumn(unquoted(match[1]!).trim())))) continue;
    const next = words[at + length];
    const takesNext = match[3] === "" && next !== undefined && next !== "OR" && !COMPARISON.test(negation(next).rest);
    const text = takesNext ? `${joined} ${next}` : joined;
    return { term: comparison(text, isNot, match, takesNext ? next : match[3]!), length: length + Number(takesNext) };
  }
  return { term: lonely(words[at]!), length: 1 };
}

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

function comparison(text: string, isNot: boolean, match: RegExpExecArray, value: string): Term {
  const column = match[1] === "" ? undefined : unquoted(match[1]!).trim();
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
