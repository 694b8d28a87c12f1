// The tables of a server that has one, whose channel the test has made.
import type { Channel } from "../../src/channel/channel.ts";
import { openTables, type Tables } from "../../src/channel/tables.ts";

export const oneTable = (first: Channel): Tables =>
  openTables({
    first,
    openChannel() {
      throw new Error("there is one");
    },
    openFollowed() {
      throw new Error("there is one");
    },
    dismiss() {},
    maxTables: 1,
    graceMs: 0,
    onEvent() {},
  });
