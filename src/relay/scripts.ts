// What happens in Redis at once or not at all. Each script asks first whose the topic is: so two publishers never write into one
// another, whatever their clocks say and however long one of them was suspended.
import type { RelayConnection } from "./redis.ts";
import { entryFields, type RelayEntry, type relayKeys, type RelayList, type RelayPointer } from "./wire.ts";

export type RelayTopic = {
  readonly connection: RelayConnection;
  readonly keys: ReturnType<typeof relayKeys>;
  /** The value of the lease, which no other server has. */
  readonly owner: string;
  readonly ttlMs: number;
};

/**
 * `taken`: another server has the lease. `lapsed`: nobody has. `gap`: the head of the stream is another, or a key is gone; what came
 * before the gap was written. `ids` are those of the entries that were written; `head` is the cursor behind them, "" for none.
 */
export type Answer = {
  readonly outcome: "done" | "gap" | "lapsed" | "taken";
  readonly head: string;
  readonly ids: readonly string[];
};

const GUARD = `
local owner = redis.call('get', KEYS[1])
if not owner then return {'lapsed', ''} end
if owner ~= ARGV[1] then return {'taken', ''} end
redis.call('pexpire', KEYS[1], ARGV[2])
local head = redis.call('get', KEYS[2]) or ''
`;

const CLAIM = `
local owner = redis.call('get', KEYS[1])
if owner and owner ~= ARGV[1] then return {'taken', ''} end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'done', redis.call('get', KEYS[2]) or ''}
`;

const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return {'done', ''}
`;

/** Of an entry that leads nowhere, as the heartbeat is, only the last ones say something; who joins has heard the next one in no time. */
const BEATS = 16;

/** KEYS: lease, head, stream, beat, those that must be there. ARGV: owner, ttl, MINID, and for each entry from, to, fields. */
const APPEND = `${GUARD}
local outcome = 'done'
for i = 5, #KEYS do
  if redis.call('exists', KEYS[i]) == 0 then return {'gap', head} end
end
local ids = {}
for i = 4, #ARGV, 4 do
  local from, to = ARGV[i], ARGV[i + 1]
  if from ~= '' and from ~= head then
    outcome = 'gap'
    break
  end
  if from == '' then
    ids[#ids + 1] = redis.call('xadd', KEYS[4], 'MAXLEN', ${BEATS}, '*', 'h', ARGV[i + 2])
  elseif ARGV[i + 3] == '' then
    ids[#ids + 1] = redis.call('xadd', KEYS[3], '*', 'h', ARGV[i + 2])
  else
    ids[#ids + 1] = redis.call('xadd', KEYS[3], '*', 'h', ARGV[i + 2], 's', ARGV[i + 3])
  end
  if from ~= '' then
    head = to
    redis.call('set', KEYS[2], head)
  end
end
if ARGV[3] ~= '' then redis.call('xtrim', KEYS[3], 'MINID', ARGV[3]) end
return {outcome, head, unpack(ids)}
`;

/** KEYS: lease, head, stream, pointer, list, old list, those that go. ARGV: owner, ttl, MINID, pointer, parts, epoch, version, ms for the old, entry. */
const SWITCH = `${GUARD}
if redis.call('llen', KEYS[5]) ~= tonumber(ARGV[5]) then return {'gap', head} end
redis.call('persist', KEYS[5])
redis.call('set', KEYS[4], ARGV[4])
if KEYS[6] ~= KEYS[5] then redis.call('pexpire', KEYS[6], ARGV[8]) end
for i = 7, #KEYS do redis.call('unlink', KEYS[i]) end
local epoch, version = string.match(head, '^(.*):(%d+)$')
if epoch ~= ARGV[6] or tonumber(version) < tonumber(ARGV[7]) then
  head = ARGV[6] .. ':' .. ARGV[7]
  redis.call('set', KEYS[2], head)
end
local id = redis.call('xadd', KEYS[3], '*', 'h', ARGV[9])
if ARGV[3] ~= '' then redis.call('xtrim', KEYS[3], 'MINID', ARGV[3]) end
return {'done', head, id}
`;

/** Takes the lease, or keeps it. */
export async function claim({ connection, keys, owner, ttlMs }: RelayTopic): Promise<Answer> {
  return answerOf(await connection.script(CLAIM, [keys.lease, keys.head], [owner, `${ttlMs}`]));
}

export async function release({ connection, keys, owner }: RelayTopic): Promise<void> {
  await connection.script(RELEASE, [keys.lease], [owner]);
}

/** An entry with the cursors that it leads from and to, as text; "" for one that changes nothing, which goes to the beat of the server. */
export type Append = { readonly from: string; readonly to: string; readonly fields: readonly string[] };

/** A slow network may take so many bytes in a millisecond, and more. */
const BYTES_PER_MS = 100;

/** Writes entries behind the head, and renews the lease; without entries it only does that. What is before `minId` goes. */
export async function append(
  { connection, keys, owner, ttlMs }: RelayTopic,
  entries: readonly Append[],
  needed: readonly string[],
  minId: string,
): Promise<Answer> {
  const args = entries.flatMap(({ from, to, fields }) => [from, to, fields[1] ?? "", fields[3] ?? ""]);
  const bytes = args.reduce((sum, { length }) => sum + length, 0);
  const all = [owner, `${ttlMs}`, minId, ...args];
  return answerOf(
    await connection.script(
      APPEND,
      [keys.lease, keys.head, keys.stream, keys.beat, ...needed],
      all,
      bytes / BYTES_PER_MS,
    ),
  );
}

/** Makes a list that is complete the snapshot of the table; the one before it goes after a while, and `dropped` go at once. */
export async function switchSnapshot(
  { connection, keys, owner, ttlMs }: RelayTopic,
  pointer: RelayPointer,
  old: { readonly id: string; readonly keptMs: number; readonly minId: string; readonly dropped: readonly RelayList[] },
): Promise<Answer> {
  const { id, epoch, version, parts } = pointer;
  const entry: RelayEntry = { kind: "snapshot", epoch, version };
  const args = [JSON.stringify(pointer), `${parts}`, epoch, `${version}`, `${old.keptMs}`, entryFields(entry)[1]!];
  return answerOf(
    await connection.script(
      SWITCH,
      [
        ...[keys.lease, keys.head, keys.stream, keys.pointer, keys.list(id), keys.list(old.id)],
        ...old.dropped.map((list) => keys.list(list.id)),
      ],
      [owner, `${ttlMs}`, old.minId, ...args],
    ),
  );
}

function answerOf(value: unknown): Answer {
  const [outcome, head, ...ids] = value as [Answer["outcome"], string, ...string[]];
  return { outcome, head, ids };
}
