// What `/healthz` says: of the first table as ever, and of each in short.
import type { Channel } from "../channel/channel.ts";
import type { Served, Tables } from "../channel/tables.ts";

export type Health = { readonly status: 200 | 503; readonly fields: Record<string, unknown> };

const isServed = (channel: Channel) =>
  channel.feed.publication() !== undefined && ["live", "updating"].includes(channel.status().state);

/** 200 while every table that was asked for by name is what its file says, or about to be. */
export function healthOf(tables: Tables | undefined, relay: unknown): Health {
  const channel = tables?.first;
  const publication = channel?.feed.publication();
  const status = channel?.status();
  const { name = channel?.awaited() ?? "", relay: _relay, changedAt = 0, ...about } = publication?.about ?? {};
  const verdicts = publication?.columns.verdicts;
  const all = tables?.list() ?? [];
  const named = all.filter(({ isNamed }) => isNamed);
  const isRefused = tables?.refused().some((refused) => refused.isNamed) ?? false;
  const fields = {
    ...publication?.cursor,
    file: name,
    rows: publication?.rows ?? 0,
    columns: publication?.columns.count,
    types: verdicts && (JSON.parse(verdicts.types) as unknown),
    units: verdicts && (JSON.parse(verdicts.units) as unknown),
    ...about,
    changedMs: publication ? Math.max(0, Date.now() - Math.round(changedAt)) : undefined,
    ...status,
    clients: channel?.clients(),
    relay,
    tables: Object.fromEntries(
      all.flatMap((served) => (served.name === undefined ? [] : [[served.name, inShort(served)]])),
    ),
  };
  const isHealthy = all.length > 0 && !isRefused && named.every((served) => isServed(served.channel));
  return { status: isHealthy ? 200 : 503, fields };
}

function inShort({ channel, isNamed }: Served) {
  const publication = channel.feed.publication();
  const { state, message } = channel.status();
  return {
    state,
    ...(message !== "" && { message }),
    isNamed,
    rows: publication?.rows ?? 0,
    version: publication?.cursor.version ?? 0,
    changedMs: publication && Math.max(0, Date.now() - Math.round(publication.about.changedAt)),
    clients: channel.clients(),
  };
}
