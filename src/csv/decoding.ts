// Bytes in any encoding -> text in UTF-8, piece by piece, so that what is appended costs what it is. The verdict on the encoding is
// kept: a broken byte is one broken character.
import { isAscii, isUtf8 } from "node:buffer";
import { detectEncoding, type Encoding, SPARE_BYTES, tornTail, utf8Characters } from "./encoding.ts";
import { openHoleFilter } from "./holes.ts";

/** What was found out on the way. */
export type Decoded = {
  readonly encoding: Encoding;
  /** Where the text begins: behind a BOM. */
  readonly start: number;
  /** Characters that became U+FFFD because their bytes mean nothing in the encoding, and where in the text the first one is. */
  readonly replaced: number;
  readonly replacedAt: number;
  /** Bytes of holes, which are no text. */
  readonly holes: number;
  /** Where record ends stand in the text that are not in the source, as a hole cuts a record off. */
  readonly cuts: readonly number[];
};

/** Of a text that was UTF-8 all along. */
export const PLAIN_TEXT: Decoded = { encoding: "utf-8", start: 0, replaced: 0, replacedAt: -1, holes: 0, cuts: [] };

export type Decoding = {
  facts(): Decoded;
  /**
   * The text of the bytes that come next: the same array where nothing has to be done; what is not whole at its end waits.
   * Undefined if the bytes so far look like another encoding than was thought, unless they are to be taken as they are (`isFinal`).
   */
  decode(bytes: Uint8Array, isFinal?: boolean): Uint8Array | undefined;
  /** So many NULs come. */
  skip(nuls: number): void;
  /** Bytes that wait for the rest of their character. */
  waiting(): number;
  /** The text of what waits, as it stands. Should its rest come after that, it is a broken one, and `decode` says so. */
  flush(): Uint8Array;
};

/** `first`: what the source begins with, or all of it, to tell the encoding by, if it is not `given`. */
export function openDecoding(first: Uint8Array, isAll: boolean, given?: Encoding): Decoding {
  const whole = isAll ? first : first.subarray(0, first.length - tornTail(first));
  const state: State = {
    encoding: given ?? detectEncoding(whole),
    isGiven: given !== undefined,
    isAsciiSoFar: true,
    hasBegun: false,
    hasFlushed: false,
    waiting: new Uint8Array(0),
    decoder: undefined,
    valid: 0,
    broken: 0,
    length: 0,
    start: 0,
    replaced: 0,
    replacedAt: -1,
  };
  const holes = openHoleFilter();

  function decode(bytes: Uint8Array, isFinal = false): Uint8Array | undefined {
    if (!isFinal && state.hasFlushed && bytes.length > 0 && isContinuation(bytes[0]!)) return undefined;
    if (bytes.length > 0) state.hasFlushed = false;
    const decoded = state.encoding === "utf-8" ? decodeUtf8(state, bytes) : decodeOther(state, bytes);
    if (!isFinal && state.valid > state.broken) return undefined;
    const text = holes.take(decoded);
    state.length += text.length;
    return text;
  }

  return {
    facts() {
      const { encoding, start, replaced, replacedAt } = state;
      return { encoding, start, replaced, replacedAt, holes: holes.found(), cuts: holes.cuts() };
    },
    decode,
    skip: holes.skip,
    waiting: () => state.waiting.length,
    flush() {
      const text = Buffer.concat([holes.take(flushed(state)), holes.end()]);
      state.length += text.length;
      return text;
    },
  };
}

type State = {
  encoding: Encoding;
  readonly isGiven: boolean;
  isAsciiSoFar: boolean;
  hasBegun: boolean;
  hasFlushed: boolean;
  /** The beginning of a UTF-8 character. */
  waiting: Uint8Array;
  decoder: TextDecoder | undefined;
  /** Of text that is windows-1252 for want of anything better: what speaks for UTF-8, and what against it. */
  valid: number;
  broken: number;
  /** Bytes of text so far. */
  length: number;
  start: number;
  replaced: number;
  replacedAt: number;
};

const isContinuation = (byte: number) => byte >= 0x80 && byte < 0xc0;

function decodeUtf8(state: State, bytes: Uint8Array): Uint8Array {
  const whole = state.waiting.length > 0 ? Buffer.concat([state.waiting, bytes]) : bytes;
  state.waiting = new Uint8Array(0);
  if (!state.hasBegun && whole.length > 0) {
    state.hasBegun = true;
    if (whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf) state.start = 3;
  }
  if (state.isAsciiSoFar && isAscii(whole)) return whole;
  const torn = tornTail(whole);
  const usable = torn === 0 ? whole : whole.subarray(0, whole.length - torn);
  if (isUtf8(usable)) {
    if (state.isAsciiSoFar && !isAscii(usable)) state.isAsciiSoFar = false;
    state.waiting = new Uint8Array(whole.subarray(usable.length));
    return usable;
  }
  if (state.isAsciiSoFar && !state.isGiven) {
    const { valid, broken } = utf8Characters(usable);
    if (valid <= broken) {
      // Nothing that came before means anything else in it.
      state.encoding = "windows-1252";
      return decodeOther(state, whole);
    }
  }
  state.isAsciiSoFar = false;
  state.waiting = new Uint8Array(whole.subarray(usable.length));
  return replacing(state, usable);
}

/** What is no UTF-8 becomes U+FFFD, which may be there as well. */
function replacing(state: State, bytes: Uint8Array): Uint8Array {
  const text = inSlices(bytes, new TextDecoder("utf-8", { ignoreBOM: true }), false);
  const replaced = count(text) - count(bytes);
  // Up to there the text is what the bytes are.
  if (replaced > 0 && state.replaced === 0)
    state.replacedAt = state.length + text.findIndex((byte, i) => byte !== bytes[i]);
  state.replaced += replaced;
  return text;
}

function decodeOther(state: State, bytes: Uint8Array): Uint8Array {
  if (!state.isGiven && state.encoding === "windows-1252" && !isAscii(bytes)) {
    const { valid, broken } = utf8Characters(bytes);
    state.valid += valid;
    state.broken += broken;
  }
  const text = inSlices(bytes, (state.decoder ??= new TextDecoder(state.encoding as Bun.Encoding)), true);
  const replaced = count(text);
  if (replaced > 0 && state.replaced === 0) state.replacedAt = state.length + text.indexOf(REPLACEMENT);
  state.replaced += replaced;
  return text;
}

function flushed(state: State): Uint8Array {
  const { waiting } = state;
  if (waiting.length === 0) return waiting;
  state.waiting = new Uint8Array(0);
  state.hasFlushed = true;
  if (!state.isAsciiSoFar || state.isGiven) return replacing(state, waiting);
  state.encoding = "windows-1252";
  return decodeOther(state, waiting);
}

const REPLACEMENT = Buffer.from("\ufffd");
const SLICE_BYTES = 4 << 20;

/** In slices, so that no string of more than a few MB exists beside the bytes. */
function inSlices(bytes: Uint8Array, decoder: TextDecoder, isStream: boolean): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += SLICE_BYTES) {
    const stream = isStream || at + SLICE_BYTES < bytes.length;
    parts.push(Buffer.from(decoder.decode(bytes.subarray(at, at + SLICE_BYTES), { stream }), "utf8"));
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function count(text: Uint8Array): number {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
  let found = 0;
  for (let at = bytes.indexOf(REPLACEMENT); at !== -1; at = bytes.indexOf(REPLACEMENT, at + 3)) found++;
  return found;
}

/** The text of the first `length` bytes, which are all: `bytes` themselves if they are UTF-8 and have room to spare behind it. */
export function decodeAll(
  bytes: Uint8Array,
  length: number,
  given?: Encoding,
): Decoded & { text: Uint8Array; end: number } {
  const source = bytes.subarray(0, length);
  const encoding = given ?? detectEncoding(source);
  const decoding = openDecoding(source, true, encoding);
  const decoded = decoding.decode(source, true)!;
  const rest = decoding.flush();
  const isSame = decoded === source && rest.length === 0 && bytes.length - length >= SPARE_BYTES;
  const text = isSame ? bytes : Buffer.concat([decoded, rest, new Uint8Array(SPARE_BYTES)]);
  return { ...decoding.facts(), text, end: decoded.length + rest.length };
}
