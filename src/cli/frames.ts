// The JSON of a table -> the frame of the plain feed, or why there is none: said once for each time that it grows too large.
import type { Log } from "./log.ts";
import { sizeText } from "./status.ts";

type Json = { readonly text: string | undefined; readonly bytes: number };
type Frame = { readonly text: string; readonly bytes: number } | { readonly tooLarge: string };

/** Frames of at most `maxBytes`; a text that would have been longer is not there. */
export function openFrames(log: Log, maxBytes: number): (json: Json) => Frame {
  const reason = `the table is larger than --max-message (${sizeText(maxBytes)})`;
  let isOversize = false;
  return ({ text, bytes }) => {
    if (text === undefined && !isOversize)
      log.warn("message-too-large", `${reason}: clients are closed with 1009; raise it`);
    isOversize = text === undefined;
    return text === undefined ? { tooLarge: `${reason}: take csvcast.v1 or /csv.ndjson` } : { text, bytes };
  };
}
