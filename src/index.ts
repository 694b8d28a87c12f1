// What the package exports: a conversion, a server and a client, for programs, and their types.

export {
  type ColumnType,
  convertCsvToJson,
  CsvError,
  type CsvErrorKind,
  type ReadOptions,
  type TypesOption,
} from "./source/convert.ts";
export { type ClientHandle, type ClientOptions, websocketClient } from "./cli/client/plain.ts";
export { type Overview, type ServerHandle, type ServerOptions, websocketServer } from "./websocket-server.ts";
export type { ServerEvent } from "./channel/events.ts";
export type { Certificate, FeedOptions } from "./channel/options.ts";
export type { About, Columns, Cursor, Publication, State, Status } from "./feed/publication.ts";
export type { AccessOptions, NetworkOptions } from "./hub/options.ts";
export type { RelayOptions } from "./relay/options.ts";
export type { TableOptions } from "./source/settings.ts";
