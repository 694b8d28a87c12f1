// Content that is no text at all: images, archives, executables. Not a verdict on its encoding.
import { type Encoding, HEAD_BYTES } from "./encoding.ts";
import { CsvError } from "./error.ts";
import { bytesOfHoles } from "./holes.ts";

const SIGNATURES: readonly { bytes: string; what: string }[] = [
  { bytes: "\x89PNG", what: "a PNG image" },
  { bytes: "\xff\xd8\xff", what: "a JPEG image" },
  { bytes: "GIF8", what: "a GIF image" },
  { bytes: "%PDF-", what: "a PDF" },
  { bytes: "PK\x03\x04", what: "a ZIP archive or an XLSX workbook; save the sheet as CSV" },
  { bytes: "\xd0\xcf\x11\xe0", what: "an XLS workbook; save the sheet as CSV" },
  { bytes: "\x1f\x8b", what: "gzip data; unpack it with gunzip" },
  { bytes: "BZh", what: "bzip2 data; unpack it with bunzip2" },
  { bytes: "\xfd7zXZ\0", what: "xz data; unpack it with unxz" },
  { bytes: "\x28\xb5\x2f\xfd", what: "zstd data; unpack it with unzstd" },
  { bytes: "7z\xbc\xaf", what: "a 7z archive" },
  { bytes: "\x7fELF", what: "an executable" },
  { bytes: "SQLite format 3\0", what: "an SQLite database" },
  { bytes: "PAR1", what: "a Parquet file" },
];

/** Refuses content that is no text: a known signature, or a head full of control bytes. A stray NUL is data. */
export function refuseBinary(bytes: Uint8Array, encoding: Encoding): void {
  const head = bytes.subarray(0, HEAD_BYTES);
  const start = Buffer.from(head.subarray(0, 16)).toString("latin1");
  const known = SIGNATURES.find((signature) => start.startsWith(signature.bytes));
  if (known) throw new CsvError("not-csv", `not a CSV but ${known.what}`);
  if (encoding.startsWith("utf-16")) return;
  let controls = 0;
  for (const byte of head) if (isBinaryControl(byte)) controls++;
  const holes = controls > 0 ? bytesOfHoles(head) : 0;
  const isBinary = controls - holes >= 8 && controls - holes > (head.length - holes) * 0.05;
  if (isBinary || (controls > 0 && controls === head.length))
    throw new CsvError("not-csv", `not a CSV but binary data: ${controls} control bytes in the first ${head.length}`);
}

/** C0 controls that no text uses: not tab, line ends, form feed, escape, nor the separators U+001C to U+001F. */
function isBinaryControl(byte: number): boolean {
  return byte < 9 || byte === 11 || (byte > 13 && byte < 27);
}
