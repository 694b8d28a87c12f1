// A table of a million rows is of no use on a terminal: its beginning and its end are.

/** Longer messages, in characters, are shortened: about a window full. */
const LONGEST = 4_000;
const HEAD = 1_200;
const TAIL = 600;

/** `onShortened` is called before the first that is. */
export function openShortener(onShortened: () => void): (line: string) => string {
  let isTold = false;
  return (line) => {
    if (line.length <= LONGEST) return line;
    if (!isTold) onShortened();
    isTold = true;
    const left = (line.length - HEAD - TAIL).toLocaleString("en-US");
    // A cut may go through a surrogate pair.
    return `${line.slice(0, HEAD).toWellFormed()} … ${left} characters … ${line.slice(-TAIL).toWellFormed()}`;
  };
}
