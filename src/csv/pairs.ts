// Copying bytes up to the next special one: the step that both writers are made of.

/**
 * Pairs of bytes -> how many of them can be copied as they are: 2, 1 or 0, kept as 0, 2 and 1 so that "both" is the cheap test.
 * Pairs halve the steps through a cell; a table of 64 kB stays in the cache.
 */
export function pairTable(isSpecial: (byte: number) => boolean): Uint8Array {
  const table = new Uint8Array(65_536);
  for (let second = 0; second < 256; second++) {
    const tail = isSpecial(second) ? 2 : 0;
    for (let first = 0; first < 256; first++) table[(second << 8) | first] = isSpecial(first) ? 1 : tail;
  }
  return table;
}
