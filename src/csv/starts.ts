// Where rows begin, as offsets in an array that is longer than their list.

export function larger(starts: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(size);
  grown.set(starts);
  return grown;
}
