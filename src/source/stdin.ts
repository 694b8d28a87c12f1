// Standard input as a source, until its end.
import { read } from "node:fs";
import { type Input, openInput } from "./input.ts";
import { STDIN_NAME } from "./location.ts";
import type { Source, SourceEvents, SourceSettings } from "./source.ts";

const RETRY_MS = 20;

export function openStdin(settings: SourceSettings, events: SourceEvents): Source {
  let isClosed = false;

  const next: Input["next"] = (chunk, done) =>
    read(0, chunk, 0, chunk.length, null, (error, length) => {
      if (isClosed) return;
      if (error?.code === "EAGAIN") return void setTimeout(next, RETRY_MS, chunk, done);
      done(error || length === 0 ? "end" : { bytes: chunk.subarray(0, length) });
    });

  const input: Input = { next, close: () => void (isClosed = true) };
  return openInput({ name: STDIN_NAME, isForEver: false }, settings, events, () => input);
}
