// What a publisher has said of its tables, from one beat to the next. Reads nothing and waits for nothing.
import type { RelayBeat, RelayStatus } from "../wire.ts";
import type { Moment } from "./state.ts";

export type Said = {
  tables: Map<string, RelayStatus | undefined>;
  /** Of the last beat, if it leads on from all of the tables; undefined if it has no number, or does not. */
  number: number | undefined;
  /** When the last one came that says something of now. */
  heard: Moment | undefined;
};

export const nothingSaid = (): Said => ({ tables: new Map(), number: undefined, heard: undefined });

/** Takes a beat; `isFresh` if it says something of now. False if others before it are missing: then only what it names is known. */
export function hear(said: Said, beat: RelayBeat, isFresh: boolean, moment: Moment): boolean {
  const { number, isFull, tables } = beat;
  const isChained = said.number !== undefined;
  const follows = isChained && (number === undefined || number === said.number! + 1);
  if (isFresh) said.heard = moment;
  if (follows && !isFull) for (const [name, status] of tables) said.tables.set(name, status);
  else said.tables = new Map(tables);
  said.number = isFull || follows ? (number ?? said.number) : undefined;
  return number === undefined || isFull || follows;
}
