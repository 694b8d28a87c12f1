// Which character encoding the bytes are in, and the same text as UTF-8. Not CSV yet: no delimiter, no record.
import { isUtf8 } from "node:buffer";

/** A WHATWG encoding label (https://encoding.spec.whatwg.org/#names-and-labels), such as `utf-8` or `windows-1252`. */
export type Encoding = string;

/** How many bytes at the start decide on dialect and on binary content. */
export const HEAD_BYTES = 65_536;

/**
 * The encoding of a whole file: BOM, else the NUL pattern of UTF-16, else UTF-8 if it is valid or if more of its characters are
 * than are broken, else windows-1252.
 */
export function detectEncoding(bytes: Uint8Array): Encoding {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return nulPattern(bytes) ?? (isUtf8(bytes) || isTornUtf8(bytes) || isMostlyUtf8(bytes) ? "utf-8" : "windows-1252");
}

/** UTF-16 without a BOM: in Latin text one byte of nearly every pair is NUL, and always the same one. */
function nulPattern(bytes: Uint8Array): Encoding | undefined {
  const length = Math.min(bytes.length, HEAD_BYTES) & ~1;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < length; i += 2) {
    if (bytes[i] === 0) even++;
    if (bytes[i + 1] === 0) odd++;
  }
  const many = length * 0.2;
  const few = length * 0.02;
  if (odd > many && even <= few) return "utf-16le";
  if (even > many && odd <= few) return "utf-16be";
  return undefined;
}

/**
 * UTF-8 whose last character is cut off, as a writer leaves it in mid-write. A lone lead byte at the end of otherwise
 * plain ASCII is rather the `é` of a windows-1252 file.
 */
function isTornUtf8(bytes: Uint8Array): boolean {
  const tail = tornTail(bytes);
  const whole = bytes.subarray(0, bytes.length - tail);
  return tail > 0 && isUtf8(whole) && whole.some((byte) => byte > 0x7f);
}

/** What to say where bytes that are windows-1252 for want of anything better look like letters of another code page. */
export function codePageHint(bytes: Uint8Array, encoding: Encoding): string | undefined {
  if (encoding !== "windows-1252") return undefined;
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString("latin1");
  const isOther =
    /[\xc0-\xff]{4}/.test(head) || /[a-z\xc0-\xff][\x80-\x84\x86-\x90\x98\x9b\x9d\xa1-\xbf](?=[a-z]|$)/im.test(head);
  return isOther ? "some letters look like another code page than windows-1252: see --encoding" : undefined;
}

/** Whether the multi-byte characters that are valid outnumber the bytes that are not part of one. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  const { valid, broken } = utf8Characters(bytes);
  return valid > broken;
}

/** How many multi-byte characters of UTF-8 there are, and how many bytes over 0x7f that are not part of one. */
export function utf8Characters(bytes: Uint8Array): { valid: number; broken: number } {
  let valid = 0;
  let broken = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte < 0x80) continue;
    const length =
      byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 0;
    if (length > 0 && i + length <= bytes.length && isUtf8(bytes.subarray(i, i + length))) {
      valid++;
      i += length - 1;
    } else broken++;
  }
  return { valid, broken };
}

/** How many bytes at the end are the beginning of an unfinished UTF-8 character: 0 to 3. */
export function tornTail(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc2) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** Bytes of spare room behind every text: the width of the widest read that may overshoot, and a sentinel. */
export const SPARE_BYTES = 16;
