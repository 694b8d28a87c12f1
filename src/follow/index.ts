// What the package offers as `csvcast/client` to programs that follow a live feed. Nothing else in this project imports it.
export type { Socket, Timing } from "./connection.ts";
export { FeedError, follow, type FollowOptions } from "./follow.ts";
export { type Message, type Row, type Splice, type State, type StatusMessage, SUBPROTOCOL } from "../feed/protocol.ts";
export {
  type ConnectionState,
  subscribe,
  type SubscribeOptions,
  type SubscriberEvents,
  type Subscription,
} from "./subscriber.ts";
export { type PartialTable, type RowList, type Table, type TableFields, toObjects } from "./table.ts";
