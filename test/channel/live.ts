// A hub with a table that the test changes, and clients of its live feed.
import { type Message, SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { openCopy } from "../hub/copy.ts";
import { connect } from "../support.ts";
import { openTestHub, type Rows, type TestHubOptions } from "./open.ts";

/** A hub with a table of one column that the test changes. */
export const openTable = (rows: Rows, over: TestHubOptions = {}) => openTestHub({ rows, ...over });

/** A client that applies what it gets by the one rule, and remembers each message. */
export async function join(url: string, since?: string) {
  const client = await connect(since === undefined ? url : `${url}?since=${since}`, { protocols: [SUBPROTOCOL] });
  const copy = openCopy();
  return {
    ...client,
    ...copy,
    async next(): Promise<Message> {
      return copy.take(await client.next());
    },
    async takeUntil(type: Message["type"]): Promise<void> {
      while ((await this.next()).type !== type);
    },
    synced() {
      return this.takeUntil("sync");
    },
  };
}

export const LIVE = ["Sec-WebSocket-Protocol: csvcast.v1"];
