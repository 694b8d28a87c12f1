// What a client of the live feed must hold by the one rule of docs/protocol.md; whatever breaks it throws.
import { formatCursor, type Message, parseCursor, parseMessage } from "../../src/feed/protocol.ts";

export type Rows = string[][];

export type Copy = {
  /** Applies a message. Throws if it is a gap, out of order, or leaves the wrong number of rows. */
  take(text: string): Message;
  /** The types of all messages so far. */
  readonly kinds: string[];
  rows(): Rows;
  columns(): readonly string[];
  /** Undefined before the first snapshot is complete. */
  cursor(): string | undefined;
  /** Forgets the parts of a snapshot that did not become whole: the connection is gone. */
  disconnect(): void;
  /** The table as `convertCsvToJson` writes it. */
  json(): string;
};

/** Begins with what `held` holds now, if that is given. */
export function openCopy(held?: Copy): Copy {
  let rows: Rows = held ? [...held.rows()] : [];
  let columns = held?.columns() ?? [];
  let partial: Rows = [];
  let cursor = parseCursor(held?.cursor() ?? "");
  const kinds: string[] = [];

  function take(text: string): Message {
    const message = parseMessage(text)!;
    kinds.push(message.type);
    switch (message.type) {
      case "snapshot":
        if (message.at === 0) partial = [];
        if (message.at !== partial.length) throw new Error(`part at ${message.at} after ${partial.length} rows`);
        for (const row of message.rows) partial.push([...row]);
        if (partial.length !== message.count) return message;
        [rows, partial] = [partial, []];
        columns = message.columns;
        cursor = { epoch: message.epoch, version: message.version };
        return message;
      case "delta":
        if (message.epoch !== cursor?.epoch || message.from !== cursor.version || partial.length > 0)
          throw new Error(`a gap at ${cursor && formatCursor(cursor)}: ${text.slice(0, 200)}`);
        for (const [start, deleted, inserted] of message.splices) {
          if (start + deleted > rows.length) throw new Error(`a splice beyond the end: ${text.slice(0, 200)}`);
          rows.splice(start, deleted, ...inserted.map((row) => [...row]));
        }
        if (rows.length !== message.count) throw new Error(`${rows.length} rows, not ${message.count}`);
        cursor = { epoch: message.epoch, version: message.to };
        return message;
      case "sync":
        if (message.epoch !== cursor?.epoch || message.version !== cursor.version || message.count !== rows.length)
          throw new Error(`not in sync at ${cursor && formatCursor(cursor)}: ${text}`);
        return message;
      case "status":
        return message;
    }
  }

  function json(): string {
    const names = columns.map((name) => JSON.stringify(name));
    const objects = rows.map((row) => `{${row.map((cell, c) => `${names[c]}:${JSON.stringify(cell)}`).join(",")}}`);
    return `[${objects.join(",")}]`;
  }

  return {
    take,
    kinds,
    rows: () => rows,
    columns: () => columns,
    cursor: () => cursor && formatCursor(cursor),
    disconnect: () => void (partial = []),
    json,
  };
}
