// Differences that wait for a person. Both sides are kept, pushing of this one resource stops, everything else goes on.
// docs/sync-spec.md#I10
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { MergeConflict } from '../../fhir/merge3.ts';
import type { SqlRow, SqlValue, Statement, Store } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import { setLinkState } from '../identity.ts';
import type { Age } from '../pull/version-age.ts';

/** `content`: both edited. `deleted`: gone on one side, edited on the other. `identity`, `duplicate`: who is who is unclear. */
export const CONFLICT_KINDS = ['content', 'deleted', 'identity', 'duplicate'] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];
export type ConflictState = 'open' | 'resolved' | 'superseded';
export type ConflictEvent = 'resolve' | 'supersede';

export const CONFLICT: Record<ConflictState, Record<ConflictEvent, ConflictState>> = {
  open: { resolve: 'resolved', supersede: 'superseded' },
  resolved: { resolve: 'resolved', supersede: 'resolved' },
  superseded: { resolve: 'superseded', supersede: 'superseded' },
};

export interface Conflict {
  readonly id: string;
  readonly connection: string;
  readonly type: string;
  readonly localId: string;
  readonly remoteId: string;
  readonly kind: ConflictKind;
  /** Bodies are comparable and in local terms, except `remoteBody`, which is as it was received. */
  readonly base: JsonObject | undefined;
  readonly local: JsonObject | undefined;
  readonly localVersion: string | undefined;
  readonly remote: JsonObject | undefined;
  readonly remoteBody: JsonObject | undefined;
  readonly remoteVersion: string | undefined;
  readonly proposed: JsonObject | undefined;
  readonly paths: readonly MergeConflict[];
  /** How the copies were merged. */
  readonly age: Age;
  readonly isDoubted: boolean;
  readonly state: ConflictState;
  /** Epoch milliseconds of the machine's clock. */
  readonly openedAt: number;
  /** The decision, once there is one. */
  readonly resolution: string | undefined;
  readonly resolvedBy: string | undefined;
  readonly resolvedAt: number | undefined;
}

export type NewConflict = Omit<Conflict, 'id' | 'state' | 'openedAt' | 'resolution' | 'resolvedBy' | 'resolvedAt'>;

/** Nothing was merged, or nothing special was to be minded. */
export const AS_IT_IS = { age: 'newer', isDoubted: false } as const;

/** Whether the question is who a record is; match decisions answer it (decide-match.ts). */
export const asksWho = ({ kind }: Pick<Conflict, 'kind'>) => kind === 'identity' || kind === 'duplicate';

const INSERT = `INSERT INTO conflict (id, connection, type, local_id, remote_id, kind, base, local, local_version, remote,
  remote_body, remote_version, proposed, paths, age, doubted, state, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
/** Questions of identity are about a remote record and stand beside this: identity-question.ts. */
const OPEN =
  "connection = ? AND type = ? AND local_id = ? AND state = 'open' AND kind NOT IN ('identity', 'duplicate')";

/** Opens a conflict about content or a delete in place of an earlier one about the same resource. */
export function openConflict(conflict: NewConflict, now: number): Statement[] {
  const { connection, type, localId } = conflict;
  return [
    supersede(connection, type, localId),
    insertConflict(randomUUID(), conflict, now),
    setLinkState(connection, type, localId, 'conflict'),
  ];
}

export function insertConflict(id: string, conflict: NewConflict, now: number): Statement {
  const { connection, type, localId } = conflict;
  const text = (body: JsonObject | undefined) => (body ? JSON.stringify(body) : null);
  const params: SqlValue[] = [
    id,
    connection,
    type,
    localId,
    conflict.remoteId,
    conflict.kind,
    text(conflict.base),
    text(conflict.local),
    conflict.localVersion ?? null,
    text(conflict.remote),
    text(conflict.remoteBody),
    conflict.remoteVersion ?? null,
    text(conflict.proposed),
    JSON.stringify(conflict.paths),
    conflict.age,
    conflict.isDoubted ? 1 : 0,
    'open',
    now,
  ];
  return { sql: INSERT, params };
}

/** Closes an open conflict that a newer state has made pointless. */
export function supersede(connection: string, type: string, localId: string): Statement {
  const sql = `UPDATE conflict SET state = '${CONFLICT.open.supersede}' WHERE ${OPEN}`;
  return { sql, params: [connection, type, localId] };
}

/** Closes it by a person's decision; the commit fails with a conflict when somebody else was faster. */
export function closeConflict(id: string, resolution: string, by: string, now: number): Statement {
  const sql = `UPDATE conflict SET state = '${CONFLICT.open.resolve}', resolution = ?, resolved_by = ?, resolved_at = ?
    WHERE id = ? AND state = 'open'`;
  return { sql, params: [resolution, by, now, id], rows: 1 };
}

export async function readOpenConflict(
  store: Pick<Store, 'query'>,
  connection: string,
  type: string,
  localId: string,
): Promise<Conflict | undefined> {
  const [row] = await store.query(`SELECT * FROM conflict WHERE ${OPEN}`, [connection, type, localId]);
  return row && toConflict(row);
}

export async function readConflict(store: Pick<Store, 'query'>, id: string): Promise<Conflict | undefined> {
  const [row] = await store.query('SELECT * FROM conflict WHERE id = ?', [id]);
  return row && toConflict(row);
}

/** Oldest first. @param connections those whose conflicts can be decided */
export async function listOpenConflicts(
  store: Pick<Store, 'query'>,
  connections: readonly string[],
): Promise<Conflict[]> {
  const { sql, params } = ofConnections(connections);
  const where = `state = 'open' AND ${sql}`;
  return (await store.query(`SELECT * FROM conflict WHERE ${where} ORDER BY at, id LIMIT 1000`, params)).map(
    toConflict,
  );
}

/** Condition on rows of the table: what belongs to a connection that is no more stays on record, and nobody is asked. */
export function ofConnections(connections: readonly string[]): Pick<Statement, 'sql' | 'params'> {
  if (connections.length === 0) return { sql: '1 = 0', params: [] };
  return { sql: `connection IN (${connections.map(() => '?').join(', ')})`, params: connections };
}

export function toConflict(row: SqlRow): Conflict {
  const text = (value: SqlValue | undefined) => (typeof value === 'string' ? value : undefined);
  const body = (value: SqlValue | undefined) => (typeof value === 'string' ? parseBody(value) : undefined);
  const paths: MergeConflict[] = JSON.parse(String(row.paths));
  return {
    id: String(row.id),
    connection: String(row.connection),
    type: String(row.type),
    localId: String(row.local_id),
    remoteId: String(row.remote_id),
    kind: String(row.kind) as ConflictKind,
    base: body(row.base),
    local: body(row.local),
    localVersion: text(row.local_version),
    remote: body(row.remote),
    remoteBody: body(row.remote_body),
    remoteVersion: text(row.remote_version),
    proposed: body(row.proposed),
    paths,
    age: String(row.age) as Age,
    isDoubted: Number(row.doubted) === 1,
    state: String(row.state) as ConflictState,
    openedAt: Number(row.at),
    resolution: text(row.resolution),
    resolvedBy: text(row.resolved_by),
    resolvedAt: row.resolved_at == null ? undefined : Number(row.resolved_at),
  };
}
