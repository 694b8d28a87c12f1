// Where rows begin, as a sorted list of offsets in an array that is longer than the list.

/** How many of the first `count` offsets are at most `at`. */
export function firstAfter(starts: Uint32Array, count: number, at: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Row starts with the end of the last row, counted from `origin`. */
export function ranges(starts: Uint32Array, end: number, origin: number): Uint32Array {
  const all = new Uint32Array(starts.length + 1);
  starts.forEach((start, r) => (all[r] = start - origin));
  all[starts.length] = starts.length > 0 ? end - origin : 0;
  return all;
}

export function larger(starts: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(size);
  grown.set(starts);
  return grown;
}
