// What was sent in place of resources that a server does not take, one row per resource made there.
// docs/sync-spec.md#I31
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { SqlRow, Statement, Store } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ProjectionTarget } from '../connections/settings.ts';

/** `sending`: its create may or may not have arrived. `superseded`: another one took its place. `withdrawn`: it does not hold. */
export type ProjectionState = 'sending' | 'current' | 'superseded' | 'withdrawn';

export interface Source {
  readonly type: string;
  readonly id: string;
}

export interface Projection {
  readonly connection: string;
  readonly source: Source;
  /** 1, 2, … of the resources made for the source. */
  readonly number: number;
  readonly target: ProjectionTarget;
  readonly remoteId: string | undefined;
  readonly remoteVersion: string | undefined;
  /** Of the source. */
  readonly version: string;
  readonly contentHash: string;
  /** The body, without attachments' data. */
  readonly sent: JsonObject;
  /** Id of the patient it is about. */
  readonly patient: string;
  readonly state: ProjectionState;
  /** When a consent that kept something out ends by itself, epoch milliseconds of the machine's clock. */
  readonly reviewAt: number | undefined;
}

/** `Type/id` there. */
export function literalOf({ target, remoteId }: Pick<Projection, 'target' | 'remoteId'>): string {
  return `${target}/${remoteId}`;
}

/** Of the one made next. @param rows all of the source, the newest first */
export function nextNumber([newest]: readonly Projection[]): number {
  // A create that is known not to have arrived is made again under its number.
  return newest?.state === 'sending' ? newest.number : (newest?.number ?? 0) + 1;
}

type Queryable = Pick<Store, 'query'>;

const COLUMNS = `connection, source_type, source_id, number, target_type, remote_id, remote_version, version, content_hash,
  sent, patient, state, review_at`;
const SAVE = `INSERT INTO projection (id, ${COLUMNS}, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (connection, source_type, source_id, number) DO UPDATE SET
    target_type = excluded.target_type, remote_id = excluded.remote_id, remote_version = excluded.remote_version, version = excluded.version,
    content_hash = excluded.content_hash, sent = excluded.sent, patient = excluded.patient, state = excluded.state,
    review_at = excluded.review_at, at = excluded.at`;
const OF_SOURCE = 'connection = ? AND source_type = ? AND source_id = ?';

/** All of a source, the newest first. */
export async function readProjections(store: Queryable, connection: string, source: Source): Promise<Projection[]> {
  const sql = `SELECT ${COLUMNS} FROM projection WHERE ${OF_SOURCE} ORDER BY number DESC`;
  return (await store.query(sql, [connection, source.type, source.id])).map(toProjection);
}

/** Those that may be on the remote although nobody knows their id. */
export async function readUnsure(store: Queryable, connection: string, target: string): Promise<Projection[]> {
  const sql = `SELECT ${COLUMNS} FROM projection WHERE connection = ? AND target_type = ? AND remote_id IS NULL`;
  return (await store.query(sql, [connection, target])).map(toProjection);
}

export async function isProjectionThere(
  store: Queryable,
  connection: string,
  target: string,
  remoteId: string,
): Promise<boolean> {
  const sql = 'SELECT 1 FROM projection WHERE connection = ? AND target_type = ? AND remote_id = ? LIMIT 1';
  return (await store.query(sql, [connection, target, remoteId])).length > 0;
}

export function saveProjection(one: Projection, now: number): Statement {
  const { connection, source, number, target } = one;
  return {
    sql: SAVE,
    params: [
      [connection, source.type, source.id, number].join('/'),
      ...[connection, source.type, source.id, number, target],
      one.remoteId ?? null,
      one.remoteVersion ?? null,
      one.version,
      one.contentHash,
      JSON.stringify(one.sent),
      one.patient,
      one.state,
      one.reviewAt ?? null,
      now,
    ],
  };
}

/** Takes back that something was about to be sent, when it certainly was not. */
export function forgetProjection({ connection, source, number }: Projection): Statement {
  return {
    sql: `DELETE FROM projection WHERE ${OF_SOURCE} AND number = ? AND state = 'sending'`,
    params: [connection, source.type, source.id, number],
  };
}

/** Replaces what the newest document of a source looks at. @param parts `Type/id` */
export function saveParts(connection: string, { type, id }: Source, parts: readonly string[]): Statement[] {
  return [
    { sql: `DELETE FROM projection_part WHERE ${OF_SOURCE}`, params: [connection, type, id] },
    ...parts.map((part) => ({
      sql: `INSERT INTO projection_part (connection, part, source_type, source_id) VALUES (?, ?, ?, ?)
        ON CONFLICT (connection, part, source_type, source_id) DO NOTHING`,
      params: [connection, part, type, id],
    })),
  ];
}

/** `Type/id` of what the newest document of a source looks at. */
export async function readParts(store: Queryable, connection: string, { type, id }: Source): Promise<string[]> {
  const sql = `SELECT part FROM projection_part WHERE ${OF_SOURCE} ORDER BY part`;
  return (await store.query(sql, [connection, type, id])).map(({ part }) => String(part));
}

function toProjection(row: SqlRow): Projection {
  return {
    connection: String(row.connection),
    source: { type: String(row.source_type), id: String(row.source_id) },
    number: Number(row.number),
    target: String(row.target_type) as ProjectionTarget,
    remoteId: row.remote_id == null ? undefined : String(row.remote_id),
    remoteVersion: row.remote_version == null ? undefined : String(row.remote_version),
    version: String(row.version),
    contentHash: String(row.content_hash),
    sent: parseBody(String(row.sent)),
    patient: String(row.patient),
    state: String(row.state) as ProjectionState,
    reviewAt: row.review_at == null ? undefined : Number(row.review_at),
  };
}
