// What happens in Redis at once or not at all. Each script asks first whose the topic is: so two publishers never write into one
// another, whatever their clocks say and however long one of them was suspended.
import type { RelayConnection } from "./redis.ts";
import { entryFields, type RelayEntry, type relayKeys, type RelayList, type RelayPointer } from "./wire.ts";

export type RelayTopic = {
  readonly connection: RelayConnection;
  /** Those of a server, and of one of its tables. */
  readonly keys: ReturnType<typeof relayKeys>;
  /** The value of the lease, which no other server has. */
  readonly owner: string;
  readonly ttlMs: number;
};

/** `taken`: another server has the lease. `lapsed`: nobody has. */
export type Outcome = "done" | "lapsed" | "taken";

/**
 * Of one table. `gap`: the head of the stream is another, or a key is gone; what came before the gap was written. `ids` are those of
 * the entries that were written; `head` is the cursor behind them, "" for none.
 */
export type Answer = {
  readonly outcome: Outcome | "gap";
  readonly head: string;
  readonly ids: readonly string[];
};

const GUARD = `
local owner = redis.call('get', KEYS[1])
if not owner then return {'lapsed', ''} end
if owner ~= ARGV[1] then return {'taken', ''} end
redis.call('pexpire', KEYS[1], ARGV[2])
`;

/** KEYS: lease, tables, heads. ARGV: owner, ttl. Gives the list of tables, and the head of each. */
const CLAIM = `
local owner = redis.call('get', KEYS[1])
if owner and owner ~= ARGV[1] then return {'taken', ''} end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
local answer = {'done'}
for i = 2, #KEYS do answer[i] = redis.call('get', KEYS[i]) or '' end
return answer
`;

const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return {'done', ''}
`;

/** KEYS: lease, tables, those that go. ARGV: owner, ttl, list. */
const LIST = `${GUARD}
redis.call('set', KEYS[2], ARGV[3])
for i = 3, #KEYS do redis.call('unlink', KEYS[i]) end
return {'done', ''}
`;

/**
 * KEYS: lease, beat, tables, and for each table head, stream, those that must be there.
 * ARGV: owner, ttl, beat, MAXLEN or MINID of its stream, and for each table how many keys must be there, MINID, how many entries, and of
 * each from, to, head, splices. The beat is written if nothing is missing anywhere. Gives whether the list is there, the id of the beat,
 * and for each table outcome, head, and ids.
 */
const APPEND = `${GUARD}
local answer = {'done', redis.call('exists', KEYS[3]), ''}
local isWhole = answer[2] == 1
local k, a = 4, 6
while a <= #ARGV do
  local needed, minId, count = tonumber(ARGV[a]), ARGV[a + 1], tonumber(ARGV[a + 2])
  local headKey, stream = KEYS[k], KEYS[k + 1]
  local outcome, head, ids = 'done', redis.call('get', KEYS[k]) or '', {}
  for i = k + 2, k + 1 + needed do
    if redis.call('exists', KEYS[i]) == 0 then outcome = 'gap' end
  end
  k, a = k + 2 + needed, a + 3
  for i = a, a + 4 * count - 1, 4 do
    if outcome == 'done' and ARGV[i] ~= head then outcome = 'gap' end
    if outcome == 'done' then
      ids[#ids + 1] = redis.call('xadd', stream, '*', 'h', ARGV[i + 2], 's', ARGV[i + 3])
      head = ARGV[i + 1]
      redis.call('set', headKey, head)
    end
  end
  a = a + 4 * count
  if minId ~= '' then redis.call('xtrim', stream, 'MINID', minId) end
  if outcome ~= 'done' then isWhole = false end
  answer[#answer + 1] = {outcome, head, unpack(ids)}
end
if isWhole and ARGV[3] ~= '' then answer[3] = redis.call('xadd', KEYS[2], ARGV[4], ARGV[5], '*', 'h', ARGV[3]) end
return answer
`;

/** KEYS: lease, head, stream, pointer, list, old list, those that go. ARGV: owner, ttl, MINID, pointer, parts, epoch, version, ms for the old, entry. */
const SWITCH = `${GUARD}
local head = redis.call('get', KEYS[2]) or ''
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

/** Takes the lease, or keeps it; `list` is the text of the list of tables, and `heads` are those of these keys, "" for none. */
export async function claim(
  { connection, keys, owner, ttlMs }: RelayTopic,
  headKeys: readonly string[],
): Promise<{ outcome: Outcome; list: string; heads: readonly string[] }> {
  const answer = await connection.script(CLAIM, [keys.lease, keys.tables, ...headKeys], [owner, `${ttlMs}`]);
  const [outcome, list, ...heads] = answer as [Outcome, string, ...string[]];
  return { outcome, list, heads };
}

export async function release({ connection, keys, owner }: RelayTopic): Promise<void> {
  await connection.script(RELEASE, [keys.lease], [owner]);
}

/** Makes this the list of tables, and deletes the keys of those that are in it no more. */
export async function writeList(
  { connection, keys, owner, ttlMs }: RelayTopic,
  text: string,
  gone: readonly string[],
): Promise<Outcome> {
  const answer = await connection.script(LIST, [keys.lease, keys.tables, ...gone], [owner, `${ttlMs}`, text]);
  return answerOf(answer).outcome as Outcome;
}

/** An entry of a table, with the cursors that it leads from and to, as text. */
export type Append = { readonly from: string; readonly to: string; readonly fields: readonly string[] };

/** Of one table. */
export type Appends = {
  readonly keys: Pick<RelayTopic["keys"], "head" | "stream">;
  readonly entries: readonly Append[];
  /** Keys without which there is a gap. */
  readonly needed: readonly string[];
  /** What is before it in the stream goes; "" for nothing. */
  readonly minId: string;
};

/** `keeps`: what stays in the stream of the server, as of XADD. */
export type Beat = { readonly text: string; readonly keeps: readonly [how: "MAXLEN" | "MINID", value: string] };

/** `beatId`: of the entry that was written, "" for none; `tables` are the answers for each, in the same order. */
export type Appended = {
  readonly outcome: Outcome;
  readonly isListed: boolean;
  readonly beatId: string;
  readonly tables: readonly Answer[];
};

/** A slow network may take so many bytes in a millisecond, and more. */
const BYTES_PER_MS = 100;

const NO_BEAT: Beat = { text: "", keeps: ["MAXLEN", "0"] };

/** Writes the entries of tables, each behind its head, and then a beat; renews the lease. */
export async function append(
  { connection, keys, owner, ttlMs }: RelayTopic,
  all: readonly Appends[],
  { text, keeps }: Beat = NO_BEAT,
): Promise<Appended> {
  const args = all.flatMap(({ entries, needed, minId }) => [
    ...[`${needed.length}`, minId, `${entries.length}`],
    ...entries.flatMap(({ from, to, fields }) => [from, to, fields[1] ?? "", fields[3] ?? ""]),
  ]);
  const bytes = args.reduce((sum, { length }) => sum + length, text.length);
  const answer = (await connection.script(
    APPEND,
    [keys.lease, keys.beat, keys.tables, ...all.flatMap((one) => [one.keys.head, one.keys.stream, ...one.needed])],
    [owner, `${ttlMs}`, text, ...keeps, ...args],
    bytes / BYTES_PER_MS,
  )) as [Outcome, number, string, ...unknown[]];
  const [outcome, listed, beatId = "", ...tables] = answer;
  return { outcome, isListed: listed === 1, beatId, tables: tables.map(answerOf) };
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
