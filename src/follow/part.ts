// A part of a snapshot whose rows stay text until somebody asks for them. What is not written as this project's servers write it is
// read as any other message, and comes to the same.
import { parseMessage, type Row, type SnapshotMessage } from "../feed/protocol.ts";
import { type Block, blockSize, type BlockSettings, textBlock } from "./blocks.ts";
import { cutRows } from "./scan.ts";

export type TextPart = { readonly message: SnapshotMessage; readonly blocks: readonly Block[] };

const SNAPSHOT = '{"type":"snapshot",';
/** No string has this in it: its quotes would be escaped. */
const ROWS = ',"rows":[';

/** Undefined for any other message, and for one of another form. Throws ProtocolError as `parseMessage` does. */
export function readPart(text: string, settings: BlockSettings): TextPart | undefined {
  const at = text.startsWith(SNAPSHOT) ? text.indexOf(ROWS) : -1;
  const columns = at === -1 ? 0 : columnsIn(text.slice(0, at));
  if (columns === 0) return undefined;
  const begin = at + ROWS.length;
  const cuts = cutRows(text, begin, blockSize(columns, settings));
  const message = cuts && parseMessage(text.slice(0, begin) + text.slice(cuts.end));
  if (message?.type !== "snapshot" || message.rows.length > 0) return undefined;
  const every = blockSize(columns, settings);
  const blocks = cuts!.starts.map((start, i) => {
    const next = cuts!.starts[i + 1];
    return textBlock(
      text.slice(start, next === undefined ? cuts!.end : next - 1),
      next === undefined ? cuts!.count - i * every : every,
    );
  });
  return { message: withRows(message, blocks, settings), blocks };
}

/** How many columns are named in what is in front of the rows; 0 if that is not all of an object but its end. */
function columnsIn(head: string): number {
  try {
    const { columns } = JSON.parse(`${head}}`) as { columns?: unknown };
    return Array.isArray(columns) ? columns.length : 0;
  } catch {
    return 0;
  }
}

/** The message as if its rows were there. */
function withRows(message: SnapshotMessage, blocks: readonly Block[], { parse }: BlockSettings): SnapshotMessage {
  let rows: readonly Row[] | undefined;
  return {
    ...message,
    get rows() {
      return (rows ??= blocks.flatMap((block) => block.rows ?? (parse(`[${block.text}]`) as Row[])));
    },
  };
}
