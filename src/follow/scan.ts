// Finds its way in the JSON text of rows without parsing it: how many there are, where each begins, the cells of one column. Only for
// the form that this project's servers write, `["a","b"],["c","d"]`: arrays of strings without blanks; other JSON is for JSON.parse.

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const LOWER_U = 0x75;

/** Where rows begin, so many apart, and the `]` behind the last. */
export type Cuts = { readonly starts: readonly number[]; readonly count: number; readonly end: number };

/**
 * Reads the rows that begin at `from`, up to the end of the array that they are in, and notes where every `every`th begins. Undefined
 * if they are of another form. What is read is JSON: arrays of strings, each character looked at (RFC 8259, section 7).
 */
export function cutRows(text: string, from: number, every: number): Cuts | undefined {
  const starts: number[] = [];
  let count = 0;
  let at = from;
  if (text.charCodeAt(at) === CLOSE) return { starts, count, end: at };
  for (;;) {
    if (count++ % every === 0) starts.push(at);
    if (text.charCodeAt(at) !== OPEN) return undefined;
    do {
      if (text.charCodeAt(at + 1) !== QUOTE) return undefined;
      at = endOfString(text, at + 2);
      if (at < 0) return undefined;
      at++;
    } while (text.charCodeAt(at) === COMMA);
    if (text.charCodeAt(at) !== CLOSE) return undefined;
    const next = text.charCodeAt(at + 1);
    if (next === CLOSE) return { starts, count, end: at + 1 };
    if (next !== COMMA) return undefined;
    at += 2;
  }
}

/** Where each of these rows begins, and behind the last where one more would. The text must have been read by `cutRows`. */
export function startsOf(text: string, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1);
  for (let row = 0, at = 0; row < count; row++) {
    do at = closingQuote(text, at + 2) + 1;
    while (text.charCodeAt(at) === COMMA);
    at += 2;
    starts[row + 1] = at;
  }
  return starts;
}

/**
 * For each of these columns its cells, `""` where a row is too short: the text is walked once for all of them. It must have been read by
 * `cutRows`.
 */
export function cellsOf(text: string, count: number, columns: readonly number[]): string[][] {
  const last = Math.max(...columns);
  const lists: (string[] | undefined)[] = Array.from({ length: last + 1 }, (_, i) =>
    columns.includes(i) ? [] : undefined,
  );
  const isPlain = !text.includes("\\"); // then a quote is an end, and a cell what it says
  for (let row = 0, at = 0; row < count; row++) {
    let index = 0;
    do {
      const begin = at + 2;
      const end = isPlain ? text.indexOf('"', begin) : closingQuote(text, begin);
      const list = lists[index++];
      if (list) list.push(isPlain ? text.slice(begin, end) : unquoted(text.slice(begin, end)));
      at = end + 1;
    } while (text.charCodeAt(at) === COMMA);
    while (index <= last) lists[index++]?.push("");
    at += 2;
  }
  return columns.map((column) => lists[column]!);
}

const unquoted = (inner: string) => (inner.includes("\\") ? (JSON.parse(`"${inner}"`) as string) : inner);

/** As `endOfString`, of a string that is known to be one: a browser searches for a character faster than this could look at each. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); ; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}

/** Of the string whose first character is at `at`: where its closing quote is; -1 if it is none. */
function endOfString(text: string, at: number): number {
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) {
      const length = escapeLength(text, at + 1);
      if (length === 0) return -1;
      at += length;
    } else if (code >= 0x20) at++;
    else return -1; // a control character, or NaN: the text is over
  }
}

/** Of what follows a backslash, and the backslash; 0 if it is no escape. */
function escapeLength(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === LOWER_U) return /^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5)) ? 6 : 0;
  return '"\\/bfnrt'.includes(text.charAt(at) || "?") ? 2 : 0;
}
