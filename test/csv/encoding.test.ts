import { describe, expect, test } from "bun:test";
import { openDocument } from "../../src/csv/document.ts";
import { refuseBinary } from "../../src/csv/binary.ts";
import { decodeAll } from "../../src/csv/decoding.ts";
import { detectEncoding, SPARE_BYTES } from "../../src/csv/encoding.ts";

const utf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(text, "utf16le");
  return bigEndian ? bytes.swap16() : bytes;
};
const latin1 = (text: string) => Buffer.from(text, "latin1");

const ENCODINGS = [
  { name: "plain ASCII", bytes: Buffer.from("a,b\n1,2\n"), encoding: "utf-8", text: "a,b\n1,2\n" },
  { name: "UTF-8", bytes: Buffer.from("ä,€,😀\n"), encoding: "utf-8", text: "ä,€,😀\n" },
  { name: "UTF-8 with a BOM", bytes: Buffer.from("\ufeffa,b\n"), encoding: "utf-8", text: "a,b\n" },
  { name: "UTF-16LE with a BOM", bytes: utf16("\ufeffa,€\n"), encoding: "utf-16le", text: "a,€\n" },
  { name: "UTF-16BE with a BOM", bytes: utf16("\ufeffa,€\n", true), encoding: "utf-16be", text: "a,€\n" },
  {
    name: "UTF-16LE without a BOM",
    bytes: utf16("name,city\nJo,Bonn\n"),
    encoding: "utf-16le",
    text: "name,city\nJo,Bonn\n",
  },
  {
    name: "UTF-16BE without a BOM",
    bytes: utf16("name,city\nJo,Bonn\n", true),
    encoding: "utf-16be",
    text: "name,city\nJo,Bonn\n",
  },
  { name: "windows-1252", bytes: latin1("Stra\xdfe,\x80\n"), encoding: "windows-1252", text: "Straße,€\n" },
  { name: "windows-1252 ending in é", bytes: latin1("caf\xe9"), encoding: "windows-1252", text: "café" },
  {
    name: "UTF-8 cut off in a character",
    bytes: Buffer.from("ä,é").subarray(0, -1),
    encoding: "utf-8",
    text: "ä,\ufffd",
  },
  { name: "a stray NUL", bytes: Buffer.from("a,b\n1,\0\n"), encoding: "utf-8", text: "a,b\n1,\0\n" },
  { name: "nothing", bytes: Buffer.from(""), encoding: "utf-8", text: "" },
] as const;

describe("encoding", () => {
  test.each(ENCODINGS.map((entry) => [entry.name, entry] as const))("%s", (_name, { bytes, encoding, text }) => {
    expect(detectEncoding(bytes)).toBe(encoding);
    const utf8 = decodeAll(bytes, bytes.length, encoding);
    expect(Buffer.from(utf8.text.subarray(utf8.start, utf8.end)).toString()).toBe(text);
    expect(utf8.text.length).toBeGreaterThanOrEqual(utf8.end + SPARE_BYTES);
  });

  test.each(["a,b\n1,2\n", "ä,€\n"])("UTF-8 with room to spare behind it is not copied: %j", (text) => {
    const length = Buffer.byteLength(text);
    const bytes = Buffer.concat([Buffer.from(text), Buffer.alloc(SPARE_BYTES)]);
    expect(decodeAll(bytes, length).text).toBe(bytes);
    expect(openDocument(bytes, length).bytes).toBe(bytes);
    expect(openDocument(bytes, length + SPARE_BYTES).bytes).not.toBe(bytes);
  });

  test("bytes that mean nothing in the encoding are counted, those that were U+FFFD before are not", () => {
    const bytes = Buffer.concat([Buffer.from("a\ufffd,"), Buffer.from([0xff, 0xfe]), Buffer.from(",b\n")]);
    const { replaced, replacedAt } = decodeAll(bytes, bytes.length, "utf-8");
    expect([replaced, replacedAt]).toEqual([2, 5]);
  });

  test("a text of several decoding slices keeps the characters at their borders", () => {
    const text = "€uro,".repeat(2_000_000);
    const bytes = utf16(`\ufeff${text}`);
    const utf8 = decodeAll(bytes, bytes.length, "utf-16le");
    expect(Buffer.from(utf8.text.subarray(0, utf8.end)).equals(Buffer.from(text))).toBe(true);
  });
});

const BINARIES = [
  { name: "PNG", bytes: latin1("\x89PNG\r\n\x1a\n"), why: "a PNG image" },
  { name: "XLSX", bytes: latin1("PK\x03\x04rest"), why: "XLSX" },
  { name: "gzip", bytes: latin1("\x1f\x8b\x08"), why: "gunzip" },
  { name: "control bytes", bytes: Buffer.alloc(64), why: "64 control bytes in the first 64" },
] as const;

describe("binary content", () => {
  test.each(BINARIES.map((entry) => [entry.name, entry] as const))("%s is refused", (_name, { bytes, why }) => {
    expect(() => refuseBinary(bytes, "utf-8")).toThrow(why);
  });

  test("text with a few control bytes passes", () => {
    expect(() => refuseBinary(Buffer.from("a,b\n\0,\x1b[1m\n"), "utf-8")).not.toThrow();
  });
});
