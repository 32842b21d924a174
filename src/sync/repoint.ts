// Pulled resources may refer to what comes later. Once the target is linked, the URL of the remote becomes a local
// reference, here and in the common version.
import { asFault } from '../fault.ts';
import { type JsonObject, sameJson } from '../fhir/canonical-json.ts';
import { unlessClosedMeanwhile } from '../store/closed-meanwhile.ts';
import type { SqlRow, Statement } from '../store/store.ts';
import { comparable, parseBody, resourceOf } from './body.ts';
import { actorOf } from './connections/settings.ts';
import type { MappedContext, RunContext } from './context.ts';
import { readLink, setBaseLocal } from './identity.ts';
import { isLive } from './identity-row.ts';
import { mapReferences, urlTargets } from './mapping.ts';
import { inUseAmong } from './patients/in-use.ts';

const BATCH = 500;
const ID_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.';
/** Of `Type/id`, what stands before the id, in words that both databases know. */
const BEFORE_ID = `rtrim(u.target, '${ID_CHARACTERS}')`;
/**
 * Each target that waits is looked up among the links, never the other way round: those are many.
 * @param states of the links, an index each
 */
const ready = (states: string) => `SELECT u.target, u.type, u.local_id, i.type AS target_type, i.local_id AS target_id
  FROM unresolved_reference u CROSS JOIN identity i
  JOIN resource r ON r.type = i.type AND r.id = i.local_id AND r.content <> ''
  WHERE u.connection = ? AND i.connection = u.connection AND ${states} AND i.how <> 'projected'
    AND i.type = rtrim(${BEFORE_ID}, '/') AND i.remote_id = substr(u.target, length(${BEFORE_ID}) + 1)
  ORDER BY u.type, u.local_id LIMIT ${BATCH}`;
/** Once it is linked, or a second record of one of ours whose own is there, by a person's word; nobody's own record is about their second one. */
const READY = [
  isLive('i.'),
  `i.state = 'replaced' AND (i.type <> 'Patient' OR i.how = 'matched-manual')
    AND NOT (u.type = 'Patient' AND u.type = i.type AND u.local_id = i.local_id) AND EXISTS (SELECT 1 FROM identity own
    WHERE own.connection = i.connection AND own.type = i.type AND own.remote_id = i.replaced_by
      AND ${isLive('own.')} AND own.state <> 'tombstone')`,
].map(ready);
const FORGET = 'DELETE FROM unresolved_reference WHERE connection = ? AND target = ? AND type = ? AND local_id = ?';

/** Keeps in mind that a resource of ours names a target, `Type/id` there, that has no counterpart here yet. */
export function rememberUnresolved(connection: string, target: string, type: string, localId: string): Statement {
  const sql = `INSERT INTO unresolved_reference (connection, target, type, local_id) VALUES (?, ?, ?, ?)
    ON CONFLICT (connection, target, type, local_id) DO NOTHING`;
  return { sql, params: [connection, target, type, localId] };
}

/** The same for every URL of the remote in a body of ours that is to be written. */
export function rememberUrls(
  { connection, mapping }: Pick<MappedContext, 'connection' | 'mapping'>,
  body: JsonObject,
  type: string,
  localId: string,
): Statement[] {
  const targets = new Set(urlTargets(mapping, body).map((target) => `${target.type}/${target.id}`));
  return [...targets].map((target) => rememberUnresolved(connection.name, target, type, localId));
}

/** Rewrites every reference that can be resolved by now. */
export async function repoint(context: RunContext): Promise<void> {
  for (const sql of READY) await repointAll(context, sql);
}

async function repointAll(context: RunContext, sql: string): Promise<void> {
  const { store, connection, remote, signal } = context;
  while (!signal.aborted) {
    const head = await store.head();
    const rows = await store.query(sql, [connection.name]);
    // A patient may have been merged away here; what patients' records say of each other is about the records.
    const isFollowed = (row: SqlRow) => row.target_type === 'Patient' && row.type !== 'Patient';
    const standing = await inUseAmong(store, [...new Set(rows.filter(isFollowed).map((row) => String(row.target_id)))]);
    for (const row of rows) {
      const [target, type, localId] = [String(row.target), String(row.type), String(row.local_id)];
      const id = String(row.target_id);
      const literal = `${row.target_type}/${(isFollowed(row) && standing.get(id)) || id}`;
      const forget = { sql: FORGET, params: [connection.name, target, type, localId] };
      await repointOne(context, { type, localId, url: `${remote.baseUrl}/${target}`, literal, forget, head });
    }
    if (rows.length < BATCH) return;
  }
}

/** What names a target by its URL there, and what it is to name instead. */
interface Resolved {
  readonly type: string;
  readonly localId: string;
  readonly url: string;
  readonly literal: string;
  /** For the commit: the reference waits no longer. */
  readonly forget: Statement;
  /** Of the log, before it was looked at who stands for the target. */
  readonly head: number;
}

async function repointOne(context: RunContext, resolved: Resolved): Promise<void> {
  const { type, localId, url, literal, forget, head } = resolved;
  const { store, connection, runId } = context;
  const point = (body: JsonObject) =>
    mapReferences(body, (reference) =>
      reference.reference === url ? { ...reference, reference: literal } : reference,
    );
  const stored = await store.read(type, localId);
  const link = await readLink(store, connection.name, type, localId);
  const base = link?.baseLocal ? [setBaseLocal(link, point(link.baseLocal))] : [];
  const body = stored && stored.operation !== 'delete' ? parseBody(stored.content) : undefined;
  const next = body && point(body);
  const changed = stored && body && next && !sameJson(comparable(body), comparable(next));
  try {
    const changes = changed ? [{ op: 'update' as const, resource: resourceOf(next), ifMatch: stored.versionId }] : [];
    await store.commit(actorOf(connection, runId), changes, [...unlessClosedMeanwhile(changes, head), ...base, forget]);
  } catch (error) {
    const { kind, message } = asFault(error);
    // Edited or sent meanwhile: the row is still there and the next pull does it.
    if (kind === 'precondition' || kind === 'conflict') return;
    if (kind !== 'invalid' && kind !== 'unprocessable') throw error;
    context.log.warn({ connection: connection.name, type, id: localId, message }, 'a reference stays a URL');
    await store.commit(actorOf(connection, runId), [], [forget]);
  }
}
