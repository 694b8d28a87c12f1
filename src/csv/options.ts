// How a CSV is to be read, where it should not be detected. Types only.

export type ReadOptions = {
  /** One ASCII character; without it the delimiter is detected. */
  readonly delimiter?: string | undefined;
  /** A WHATWG encoding label; without it the encoding is detected. */
  readonly encoding?: string | undefined;
  /** A header of more columns is refused. Default: 100,000. */
  readonly maxColumns?: number | undefined;
};
