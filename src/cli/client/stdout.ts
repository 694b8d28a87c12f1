// Standard output by the system's own calls: a write is called back when its last byte is taken, so that who exits then cuts no line.
// The runtime's stream was seen calling back before that, on a busy machine with a slow reader.
import { write } from "node:fs";
import { isatty } from "node:tty";

export type TextSink = {
  readonly isTTY: boolean;
  /** Takes a text; `onWritten` is called when all of it is written. */
  write(text: string, onWritten: () => void): void;
};

/** Of a descriptor that does not wait: how soon it is tried again when it is full. */
const RETRY_MS = 2;

type Pending = { readonly bytes: Uint8Array; readonly onWritten: () => void };

/** Texts are written one after the other. After `onError` nothing is. */
export function openTextSink(descriptor: number, onError: (error: NodeJS.ErrnoException) => void): TextSink {
  const pending: Pending[] = [];

  function writeFrom(at: number): void {
    const { bytes, onWritten } = pending[0]!;
    write(descriptor, bytes, at, bytes.length - at, null, (error, written) => {
      if (error?.code === "EAGAIN") return void setTimeout(writeFrom, RETRY_MS, at);
      if (error) return onError(error);
      if (at + written < bytes.length) return writeFrom(at + written);
      pending.shift();
      if (pending.length > 0) writeFrom(0);
      onWritten();
    });
  }

  return {
    isTTY: isatty(descriptor),
    write(text, onWritten) {
      pending.push({ bytes: Buffer.from(text), onWritten });
      if (pending.length === 1) writeFrom(0);
    },
  };
}
