// What all tables of a server hold together: each source says it for itself, in memory that its threads share.

/** Bytes of text that each source holds; `at`: where its own are. */
export type MemoryShare = { readonly all: Float64Array; readonly at: number };

/** What may be held, by all sources together. */
export type MemoryLimit = { readonly maxBytes: number; readonly share: MemoryShare | undefined };

export type Memory = {
  /** For one source. Undefined if there are more of them than was said: then they are not counted. */
  share(): MemoryShare | undefined;
  /** It is closed. */
  free(share: MemoryShare): void;
};

export function openMemory(most: number): Memory {
  const all = new Float64Array(new SharedArrayBuffer(most * Float64Array.BYTES_PER_ELEMENT));
  // The one given back last is the last to be given out: its Worker may not have heard of that yet.
  const unused = Array.from({ length: most }, (_, at) => at);
  return {
    share() {
      const at = unused.shift();
      return at === undefined ? undefined : { all, at };
    },
    free({ at }) {
      all[at] = 0;
      unused.push(at);
    },
  };
}

/** Bytes that the other sources hold. */
export const heldByOthers = (share: MemoryShare | undefined) =>
  share ? share.all.reduce((sum, bytes) => sum + bytes, 0) - share.all[share.at]! : 0;

export function hold(share: MemoryShare | undefined, bytes: number): void {
  if (share) share.all[share.at] = bytes;
}
