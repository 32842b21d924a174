// A counterpart that is gone there and was let go, because a person decided that ours lives on: what refers to the dead one
// over there has to be told of the one that took its place. docs/sync-spec.md#I21
import type { Resource } from '@medplum/fhirtypes';
import type { JsonObject } from '../fhir/canonical-json.ts';
import { collectReferences, LITERAL_ENDS, parseLiteral } from '../fhir/references.ts';
import type { Statement, Store } from '../store/store.ts';
import type { MappedContext } from './context.ts';
import { type Link, readLink } from './identity.ts';
import { hasEnded, isLetGo, isLive } from './identity-row.ts';
import { type MappingContext, remoteTargets, renameLiterals } from './mapping.ts';
import { type Meant, mergedIntoEach, readMeant } from './meant.ts';
import { endAlias, endAliasesInto } from './patients/alias.ts';
import { type Claim, mark, OUTBOX } from './push/outbox.ts';
import { renamedInPlace } from './renamed-in-place.ts';

type Headed = Pick<Store, 'query' | 'head'>;

const REFERRING = `SELECT resource.type, resource.id FROM identity
  JOIN resource ON resource.type = identity.type AND resource.id = identity.local_id
  WHERE connection = ? AND ${isLive()} AND how <> 'projected' AND (base_local LIKE ? OR base_local LIKE ?)`;

/**
 * Marks what is linked there and refers to a local resource; the order of pushes sees to it that the new counterpart goes
 * first.
 * @param now epoch milliseconds of the machine's clock
 */
export async function markReferring(
  store: Headed,
  connection: string,
  target: { readonly type: string; readonly id: string },
  now: number,
): Promise<Statement[]> {
  const naming = LITERAL_ENDS.map((end) => `%"${target.type}/${target.id}${end}%`);
  const rows = await store.query(REFERRING, [connection, ...naming]);
  // As if changed just now, so that one that is being sent goes again.
  const head = rows.length > 0 ? await store.head() : 0;
  return rows.map((row) => mark(connection, String(row.type), String(row.id), head, now));
}

/**
 * The same once the new counterpart is there, for what was on its way when the old one was let go. Nothing when there was
 * none.
 */
export async function markStillReferring(
  store: Headed,
  connection: string,
  target: { readonly type: string; readonly id: string },
  now: number,
): Promise<Statement[]> {
  const sql = `SELECT 1 FROM identity WHERE connection = ? AND type = ? AND local_id = ? AND ${hasEnded()} LIMIT 1`;
  const earlier = await store.query(sql, [connection, target.type, target.id]);
  return earlier.length === 0 ? [] : markReferring(store, connection, target, now);
}

const RENAME = `UPDATE identity SET base_local = replace(replace(base_local, ?, ?), ?, ?)
  WHERE connection = ? AND ${isLive()} AND (base_local LIKE ? OR base_local LIKE ?)
    AND (base_remote LIKE ? OR base_remote LIKE ?)`;
/** What names the former one by another record of theirs, too, does not tell which of the names is meant, but by its place. */
const UNLESS = ' AND NOT (base_remote LIKE ? OR base_remote LIKE ?)';

/** For the commit that links a record there with one of ours. @param now epoch milliseconds of the machine's clock */
export async function nowMeans(
  store: Headed,
  { connection, type, localId, remoteId }: Pick<Link, 'connection' | 'type' | 'localId' | 'remoteId'>,
  now: number,
): Promise<Statement[]> {
  const meant = await readMeant(store, connection, type, [remoteId]);
  return meansAnother(store, meant.get(remoteId), localId, now);
}

/**
 * The same when it is known whom the record meant. What refers to it there meant that one; the common versions say from now on
 * whom it names, so that ours is an edit that goes there.
 * @param meant nothing when nobody
 */
export async function meansAnother(
  store: Headed,
  meant: Meant | undefined,
  localId: string,
  now: number,
): Promise<Statement[]> {
  if (!meant) return [];
  const ended = meant.isAlias ? endAlias(meant.connection, meant.type, meant.remoteId) : [];
  const others = await Promise.all(meant.before.map((one) => renamed(store, one, localId, now)));
  return [...ended, ...(await renamed(store, meant, localId, now)), ...others.flat()];
}

/**
 * A record there stands for no other one any more: whoever had those goes there anew, so that it is asked now who they are there.
 * @param now epoch milliseconds of the machine's clock
 */
export async function standsForNobody(
  store: Headed,
  { connection, type, remoteId }: Pick<Link, 'connection' | 'type' | 'remoteId'>,
  now: number,
): Promise<Statement[]> {
  const ended = endAliasesInto(connection, type, remoteId);
  return [...ended, ...(await markStoodFor(store, { connection, type, remoteId }, now))];
}

/** Marks those whose records were merged into one: they may have none there any more. @param now epoch milliseconds of the machine's clock */
export async function markStoodFor(
  store: Headed,
  { connection, type, remoteId }: Pick<Link, 'connection' | 'type' | 'remoteId'>,
  now: number,
): Promise<Statement[]> {
  const merged = type === 'Patient' ? await mergedIntoEach(store, connection, [remoteId]) : undefined;
  const ours = [...new Set(merged?.get(remoteId)?.map(({ localId }) => localId))].filter(Boolean);
  const head = ours.length > 0 ? await store.head() : 0;
  return ours.map((localId) => mark(connection, type, localId, head, now));
}

async function renamed(store: Headed, former: Meant, localId: string, now: number): Promise<Statement[]> {
  if (former.localId === '' || former.localId === localId) return [];
  const { connection, type, remoteId } = former;
  const named = (id: string) => LITERAL_ENDS.map((end) => `"reference":"${type}/${id}${end}`);
  const [before, after] = [named(former.localId), named(localId)];
  const here = before.map((name) => `%${name}%`);
  const there = (id: string) => LITERAL_ENDS.map((end) => `%${type}/${id}${end}%`);
  const own = await readLink(store, connection, type, former.localId);
  const second = own && own.remoteId !== remoteId ? own.remoteId : undefined;
  const other = second === undefined ? [] : there(second);
  const names = before.flatMap((name, at) => [name, String(after[at])]);
  const params = [...names, connection, ...here, ...there(remoteId), ...other];
  return [
    ...(await standsForNobody(store, former, now)),
    { sql: second === undefined ? RENAME : RENAME + UNLESS, params },
    ...(second === undefined ? [] : await renamedInPlace(store, former, second, localId)),
    ...(await markReferring(store, connection, { type, id: former.localId }, now)),
  ];
}

/**
 * A body in local terms that was kept with the one that it was made of, when the ids in that one mean others of ours by now:
 * with those.
 */
export async function meaningOthers(
  { store, connection, mapping }: MappedContext,
  local: JsonObject,
  remote: JsonObject,
): Promise<JsonObject> {
  const targets = remoteTargets(mapping, remote);
  if (targets.length === 0) return local;
  const sql = `SELECT former.type, former.local_id AS before, live.local_id AS after FROM identity former
    JOIN identity live ON live.connection = former.connection AND live.type = former.type
      AND live.remote_id = former.remote_id AND ${isLive('live.')} AND live.local_id <> former.local_id
    WHERE former.connection = ? AND ${isLetGo('former.')} AND former.how <> 'projected'
      AND (former.type, former.remote_id) IN (VALUES ${targets.map(() => '(?, ?)').join(', ')})`;
  const rows = await store.query(sql, [connection.name, ...targets.flatMap(({ type, id }) => [type, id])]);
  const names = new Map(rows.map(({ type, before, after }) => [`${type}/${before}`, `${type}/${after}`]));
  return renameLiterals(local, (name) => names.get(name));
}

/** Longer than any push takes, so that which clock wrote what does not matter. */
const JUST_NOW = 10 * 60_000;

/**
 * For the commit that ends a push, after its claim was settled: what was sent may name a counterpart that was let go while it
 * was on its way, when nobody could know yet that it would. Then it goes once more; its sequence stays, so that a change that
 * comes meanwhile is newer.
 * @param there the body that the remote has now
 * @param now epoch milliseconds of the machine's clock
 */
export function againIfLetGo(
  mapping: MappingContext,
  { id, connection }: Claim,
  here: Resource,
  there: JsonObject,
  now: number,
): Statement[] {
  const ours = collectReferences(here).map(parseLiteral);
  const named = ours.filter((target) => target !== undefined);
  const theirs = remoteTargets(mapping, there);
  if (named.length === 0 || theirs.length === 0) return [];
  const pairs = (targets: readonly unknown[]) => `(VALUES ${targets.map(() => '(?, ?)').join(', ')})`;
  const { done, again } = OUTBOX.sending;
  const sql = `UPDATE outbox SET state = '${again}' WHERE id = ? AND state = '${done}' AND EXISTS (
    SELECT 1 FROM identity WHERE connection = ? AND ${isLetGo()} AND at >= ?
    AND (type, local_id) IN ${pairs(named)} AND (type, remote_id) IN ${pairs(theirs)}
    AND NOT EXISTS (SELECT 1 FROM identity back WHERE back.connection = identity.connection AND back.type = identity.type
      AND back.local_id = identity.local_id AND back.remote_id = identity.remote_id AND ${isLive('back.')}))`;
  const values = [...named, ...theirs].flatMap((target) => [target.type, target.id]);
  return [{ sql, params: [id, connection, now - JUST_NOW, ...values] }];
}
