// Marks that a resource may differ from its remote copy: at most one live row per connection and resource, whose body is
// computed when it is sent. A row in `sending` whose lease ran out was interrupted and is treated as ambiguous.
// docs/sync-spec.md#I11 docs/sync-spec.md#I16
import { randomUUID } from 'node:crypto';
import type { RetryClass } from '../../fault.ts';
import { isAbandoned, newToken } from '../../store/holder.ts';
import type { SqlRow, Statement, Store, StoredVersion } from '../../store/store.ts';
import { isLive } from '../identity-row.ts';
import { waitsForConsent } from './withheld-rows.ts';

export type OutboxState = 'queued' | 'sending' | 'sent' | 'parked' | 'rejected' | 'superseded' | 'withheld';
/**
 * `changed`: a newer local version, or another consent. `withheld`: a consent keeps it here. `again`: something is left to do. `exhausted`: failed too often. `retry`, `reject`: a
 * person. `arrived`: what it waited for, or went without, is there.
 */
export type OutboxEvent =
  | 'changed'
  | 'claimed'
  | 'done'
  | 'again'
  | 'failed'
  | 'exhausted'
  | 'refused'
  | 'withheld'
  | 'withdrawn'
  | 'retry'
  | 'reject'
  | 'arrived';

/** Final rows stay for the record; the next change makes a new row, which is what `changed` -> same state means there. */
export const OUTBOX: Record<OutboxState, Record<OutboxEvent, OutboxState>> = {
  queued: {
    changed: 'queued',
    claimed: 'sending',
    done: 'queued',
    again: 'queued',
    failed: 'queued',
    exhausted: 'queued',
    refused: 'queued',
    withheld: 'queued',
    withdrawn: 'superseded',
    retry: 'queued',
    reject: 'rejected',
    arrived: 'queued',
  },
  sending: {
    changed: 'sending',
    claimed: 'sending',
    done: 'sent',
    again: 'queued',
    failed: 'queued',
    exhausted: 'parked',
    refused: 'rejected',
    withheld: 'withheld',
    withdrawn: 'superseded',
    retry: 'sending',
    reject: 'sending',
    arrived: 'sending',
  },
  sent: { ...final('sent'), arrived: 'queued' },
  parked: {
    ...final('parked'),
    changed: 'queued',
    arrived: 'queued',
    withdrawn: 'superseded',
    retry: 'queued',
    reject: 'rejected',
  },
  rejected: { ...final('rejected'), retry: 'queued' },
  superseded: final('superseded'),
  withheld: { ...final('withheld'), changed: 'queued', withdrawn: 'superseded', retry: 'queued', reject: 'rejected' },
};

function final(state: OutboxState): Record<OutboxEvent, OutboxState> {
  return {
    changed: state,
    claimed: state,
    done: state,
    again: state,
    failed: state,
    exhausted: state,
    refused: state,
    withheld: state,
    withdrawn: state,
    retry: state,
    reject: state,
    arrived: state,
  };
}

export interface OutboxRow {
  readonly id: string;
  readonly connection: string;
  readonly type: string;
  readonly localId: string;
  readonly sequence: number;
  readonly state: OutboxState;
  readonly attempts: number;
  /** Not before this time. */
  readonly nextAt: number;
  readonly intentKey: string;
  readonly probedAt: number | undefined;
  /** What is known of the last attempt: after `ambiguous` look before sending again. */
  readonly faultClass: RetryClass | undefined;
  /** When the claim of whoever is sending it ends. */
  readonly leaseUntil: number;
  /** How often in a row a newer remote version was merged before sending, or was there right afterwards. */
  readonly rebases: number;
  /** The message that a person wants sent again. */
  readonly replayOf: string | undefined;
  /** `Type/id` that must be there first, a consent, or that the server takes the type. */
  readonly waitsFor: string | undefined;
}

/** A row that this process may work on until the lease ends. */
export interface Claim extends OutboxRow {
  readonly token: string;
}

/** How a claim ends. Times are epoch milliseconds of the machine's clock. */
export type Settlement =
  | {
      readonly event: 'done' | 'again';
      readonly rebases?: number;
      /** `Type/id` of what it went without: once that is there, it goes again. */
      readonly without?: string;
    }
  | {
      readonly event: 'withdrawn' | 'refused' | 'exhausted';
      /** `Type/id` that takes up a parked row when it is there. */
      readonly waitsFor?: string;
      readonly fault: string;
      readonly faultClass?: RetryClass;
      readonly detail?: string;
    }
  | {
      readonly event: 'withheld';
      readonly fault: string;
      /** Id of the patient whose consent can change that; absent when it may be one of several. */
      readonly patient?: string;
      /** When that may change by itself; 0 for never. */
      readonly nextAt: number;
      /** How far the log had been looked at for consents before it was asked, and whose cursor tells. */
      readonly asked: { readonly cursor: string; readonly sequence: number };
    }
  | {
      readonly event: 'failed';
      readonly fault: string;
      readonly faultClass: RetryClass;
      readonly nextAt: number;
      readonly attempts: number;
      readonly rebases?: number;
      readonly probedAt?: number;
      readonly detail?: string;
      readonly waitsFor?: string;
    };

/** SQL: no other row of the resource came after this one; a repeated one is about the same version. */
export const isNewest = (
  row: string,
) => `NOT EXISTS (SELECT 1 FROM outbox AS later WHERE later.connection = ${row}.connection
  AND later.type = ${row}.type AND later.local_id = ${row}.local_id AND (later.upto_sequence > ${row}.upto_sequence
    OR (later.upto_sequence = ${row}.upto_sequence AND later.at > ${row}.at)))`;

/** Why a row ends, or what it waits for, whose type the server does not take. */
export const NO_CAPABILITY = 'no-capability';
const LEASE = 90_000;
const COLUMNS = `id, connection, type, local_id, upto_sequence, state, attempts, next_at, intent_key, probed_at,
  fault_class, lease_until, rebases, replay_of, waits_for`;
const LIVE = "state IN ('queued', 'sending', 'parked', 'withheld')";
/** A change takes these up again. */
const RESTING = "'parked', 'withheld'";
/**
 * A resource with an open conflict waits for a person, and only that resource. So does one that may be on the remote already;
 * once it is linked, whether another record there is the same one too does not hold it up.
 */
const UNDISPUTED = `NOT EXISTS (SELECT 1 FROM conflict WHERE conflict.connection = outbox.connection
    AND conflict.type = outbox.type AND conflict.local_id = outbox.local_id AND conflict.state = 'open'
    AND conflict.kind NOT IN ('identity', 'duplicate'))
  AND NOT EXISTS (SELECT 1 FROM match_candidate candidate JOIN conflict question ON question.id = candidate.conflict_id
    WHERE candidate.local_id = outbox.local_id AND question.connection = outbox.connection
    AND question.type = outbox.type AND question.state = 'open'
    AND NOT EXISTS (SELECT 1 FROM identity WHERE identity.connection = outbox.connection
      AND identity.type = outbox.type AND identity.local_id = outbox.local_id AND ${isLive('identity.')}))`;
/** The mode may have been changed since the run began, also by another process. docs/sync-spec.md#I20 */
const PUSHED = `NOT EXISTS (SELECT 1 FROM connection_setting WHERE connection_setting.name = outbox.connection
  AND connection_setting.removed = 0 AND connection_setting.mode NOT IN ('push', 'both'))`;

const MARK = `INSERT INTO outbox (id, connection, type, local_id, upto_sequence, state, attempts, next_at, intent_key, at)
  VALUES (?, ?, ?, ?, ?, 'queued', 0, 0, ?, ?)
  ON CONFLICT (connection, type, local_id) WHERE ${LIVE} DO UPDATE SET
    upto_sequence = CASE WHEN excluded.upto_sequence > outbox.upto_sequence
      THEN excluded.upto_sequence ELSE outbox.upto_sequence END,
    attempts = CASE WHEN outbox.state IN (${RESTING}) THEN 0 ELSE outbox.attempts END,
    next_at = CASE WHEN outbox.state IN (${RESTING}) THEN 0 ELSE outbox.next_at END,
    waits_for = CASE outbox.state WHEN 'withheld' THEN NULL ELSE outbox.waits_for END,
    state = CASE WHEN outbox.state IN (${RESTING}) THEN 'queued' ELSE outbox.state END`;

/** Marks a resource as changed up to `sequence` of the log. */
export function mark(connection: string, type: string, localId: string, sequence: number, now: number): Statement {
  return { sql: MARK, params: [randomUUID(), connection, type, localId, sequence, randomUUID(), now] };
}

/** What waits for nothing but time goes at the next push. */
export function hurry(connection: string, type: string, localId: string): Statement {
  const sql = `UPDATE outbox SET next_at = 0 WHERE connection = ? AND type = ? AND local_id = ? AND state = 'queued'
    AND waits_for IS NULL`;
  return { sql, params: [connection, type, localId] };
}

/** The rows that are due longest, at most `limit`; resources in conflict wait for a person. */
export async function nextDue(
  store: Pick<Store, 'query'>,
  connection: string,
  now: number,
  limit: number,
): Promise<OutboxRow[]> {
  const sql = `SELECT ${COLUMNS} FROM outbox WHERE connection = ? AND state IN ('queued', 'sending')
    AND ((state = 'queued' AND next_at <= ?) OR (state = 'sending' AND lease_until <= ?))
    AND ${UNDISPUTED} AND ${PUSHED}
    ORDER BY next_at, upto_sequence LIMIT ?`;
  return (await store.query(sql, [connection, now, now, limit])).map(toRow);
}

/** Whether a row that was due is so still. */
export async function isDue(store: Pick<Store, 'query'>, row: OutboxRow, now: number): Promise<boolean> {
  const sql = `SELECT 1 FROM outbox WHERE id = ?
    AND ((state = 'queued' AND next_at <= ?) OR (state = 'sending' AND lease_until <= ?))
    AND ${UNDISPUTED} AND ${PUSHED}`;
  return (await store.query(sql, [row.id, now, now])).length > 0;
}

/** The newest row of a resource, live or not. */
export async function readOutbox(
  store: Pick<Store, 'query'>,
  connection: string,
  type: string,
  localId: string,
): Promise<OutboxRow | undefined> {
  const sql = `SELECT ${COLUMNS} FROM outbox WHERE connection = ? AND type = ? AND local_id = ?
    ORDER BY CASE WHEN ${LIVE} THEN 0 ELSE 1 END, upto_sequence DESC, at DESC LIMIT 1`;
  const [row] = await store.query(sql, [connection, type, localId]);
  return row && toRow(row);
}

/** Whether an attempt for a row that was withdrawn since may have made the resource there, and nobody has looked. */
export async function mayHaveBeenMade(
  store: Pick<Store, 'query'>,
  { connection, type, localId }: OutboxRow,
): Promise<boolean> {
  const sql = `SELECT 1 FROM outbox WHERE connection = ? AND type = ? AND local_id = ? AND state = 'superseded'
    AND fault_class = 'ambiguous' LIMIT 1`;
  return (await store.query(sql, [connection, type, localId])).length > 0;
}

/** A row for the record of an attempt that the live row of the resource will not tell of any more. */
export function rememberAttempt(
  { connection, type, localId }: Pick<OutboxRow, 'connection' | 'type' | 'localId'>,
  now: number,
): Statement {
  const sql = `INSERT INTO outbox (id, connection, type, local_id, upto_sequence, state, attempts, next_at, intent_key, at,
    fault, fault_class) VALUES (?, ?, ?, ?, 0, 'superseded', 0, 0, ?, ?, 'stood-in-for', 'ambiguous')`;
  return { sql, params: [randomUUID(), connection, type, localId, randomUUID(), now] };
}

export async function readOutboxRow(store: Pick<Store, 'query'>, id: string): Promise<OutboxRow | undefined> {
  const [row] = await store.query(`SELECT ${COLUMNS} FROM outbox WHERE id = ?`, [id]);
  return row && toRow(row);
}

/** Takes the row for this process; the commit fails with a conflict when another one has it. */
export function claim(row: OutboxRow, now: number): { readonly claim: Claim; readonly statement: Statement } {
  const token = newToken();
  const sql = `UPDATE outbox SET state = 'sending', lease_token = ?, lease_until = ?, waits_for = NULL
    WHERE id = ? AND (state = 'queued' OR (state = 'sending' AND lease_until <= ?)) AND ${UNDISPUTED} AND ${PUSHED}`;
  // Not while somebody may still be at it: that one may give it back untouched.
  const interrupted = row.state === 'sending' && row.leaseUntil <= now;
  const claimed: Claim = {
    ...row,
    token,
    state: 'sending',
    leaseUntil: now + LEASE,
    ...(interrupted ? { faultClass: 'ambiguous' as const } : {}),
  };
  return { claim: claimed, statement: { sql, params: [token, claimed.leaseUntil, row.id, now], rows: 1 } };
}

/** Ends a claim. A change that came meanwhile leaves the row queued. Fenced: fails when the lease was lost. */
export function settle(claim: Claim, end: Settlement): Statement {
  if (end.event === 'withheld') return withhold(claim, end);
  const state = OUTBOX.sending[end.event];
  const failed = end.event === 'failed' ? end : undefined;
  const fault = 'fault' in end ? end : undefined;
  const sql = `UPDATE outbox SET state = CASE WHEN upto_sequence > ? THEN 'queued' ELSE ? END, attempts = ?, next_at = ?,
    probed_at = ?, waits_for = ?, fault = ?, fault_class = ?, detail = ?, rebases = ?, replay_of = ?, lease_token = NULL,
    lease_until = NULL WHERE id = ? AND lease_token = ?`;
  return {
    sql,
    params: [
      claim.sequence,
      state,
      failed?.attempts ?? 0,
      failed?.nextAt ?? 0,
      failed?.probedAt ?? null,
      fault?.waitsFor ?? ('without' in end ? end.without : undefined) ?? null,
      fault?.fault ?? null,
      fault?.faultClass ?? null,
      fault?.detail ?? null,
      ('rebases' in end && end.rebases) || 0,
      // Still to be sent again: the person's wish stands.
      OUTBOX.sending[end.event] === 'queued' ? (claim.replayOf ?? null) : null,
      claim.id,
      claim.token,
    ],
    rows: 1,
  };
}

/**
 * Sets a claim aside until a consent changes. When the log went on meanwhile there may have been one, which found nothing
 * to take up: then the row is asked about once more.
 */
function withhold(claim: Claim, end: Extract<Settlement, { event: 'withheld' }>): Statement {
  const isOutdated = '(upto_sequence > ? OR EXISTS (SELECT 1 FROM cursor WHERE name = ? AND sequence > ?))';
  const outdated = [claim.sequence, end.asked.cursor, end.asked.sequence];
  const sql = `UPDATE outbox SET state = CASE WHEN ${isOutdated} THEN 'queued' ELSE '${OUTBOX.sending.withheld}' END,
    next_at = CASE WHEN ${isOutdated} THEN 0 ELSE CAST(? AS BIGINT) END, waits_for = CASE WHEN ${isOutdated} THEN NULL ELSE ? END,
    attempts = 0, fault = ?, fault_class = ?, detail = NULL, lease_token = NULL, lease_until = NULL
    WHERE id = ? AND lease_token = ?`;
  const params = [
    ...outdated,
    ...[...outdated, end.nextAt],
    ...[...outdated, waitsForConsent(end.patient)],
    // What an interrupted attempt may have left there is looked for when the row goes on.
    ...[end.fault, claim.faultClass ?? null, claim.id, claim.token],
  ];
  return { sql, params, rows: 1 };
}

/** Whether the resource waits for a consent. */
export async function isWithheld(
  store: Pick<Store, 'query'>,
  connection: string,
  type: string,
  localId: string,
): Promise<boolean> {
  return (await readOutbox(store, connection, type, localId))?.state === 'withheld';
}

/** Whether the server has refused the resource as it is here. */
export async function isRefused(
  store: Pick<Store, 'query'>,
  connection: string,
  { type, id, sequence }: Pick<StoredVersion, 'type' | 'id' | 'sequence'>,
): Promise<boolean> {
  const row = await readOutbox(store, connection, type, id);
  return row?.state === 'rejected' && row.sequence >= sequence;
}

/** Holds only while nobody is sending the resource. */
export function unlessSending(connection: string, type: string, localId: string): Statement {
  const sql = `UPDATE outbox SET next_at = next_at WHERE connection = ? AND type = ? AND local_id = ? AND state = 'sending'`;
  return { sql, params: [connection, type, localId], rows: 0 };
}

/** What a write for a claim is sent with: afterwards somebody else may have the row. */
export function underClaim({ intentKey, leaseUntil }: Claim): { readonly requestId: string; readonly until: number } {
  return { requestId: intentKey, until: leaseUntil };
}

/** Epoch milliseconds of the moment since which the claim holds, or was extended. */
export const heldSince = ({ leaseUntil }: Claim) => leaseUntil - LEASE;

/** The claim as it is once it has been extended. */
export function extended(claim: Claim, now: number): Claim {
  return { ...claim, leaseUntil: now + LEASE };
}

/** Holds a claim for longer. Fenced: fails when the lease was lost. */
export function extend(claim: Claim, now: number): Statement {
  const sql = "UPDATE outbox SET lease_until = ? WHERE id = ? AND lease_token = ? AND state = 'sending'";
  return { sql, params: [extended(claim, now).leaseUntil, claim.id, claim.token], rows: 1 };
}

/** Gives a claim back untouched; what is known of earlier attempts stays. */
export function unclaim(claim: Claim, nextAt: number): Statement {
  const sql = `UPDATE outbox SET state = '${OUTBOX.sending.again}', next_at = ?, fault_class = ?, lease_token = NULL,
    lease_until = NULL WHERE id = ? AND lease_token = ?`;
  return { sql, params: [nextAt, claim.faultClass ?? null, claim.id, claim.token] };
}

/** Puts a row that nobody works on off until `nextAt`, or until `target` is settled, if it waits for one. */
export function waitFor(row: OutboxRow, target: string | undefined, nextAt: number, now: number): Statement {
  const sql = `UPDATE outbox SET state = 'queued', waits_for = ?, next_at = ?, lease_token = NULL, lease_until = NULL,
    fault_class = CASE state WHEN 'sending' THEN 'ambiguous' ELSE fault_class END
    WHERE id = ? AND (state = 'queued' OR (state = 'sending' AND lease_until <= ?))`;
  return { sql, params: [target ?? null, nextAt, row.id, now] };
}

/** Ends the leases of processes that died, so that what they were sending is looked after at once. */
export async function abandonedClaims(store: Pick<Store, 'query'>, connection: string): Promise<Statement[]> {
  const rows = await store.query(
    "SELECT id, lease_token FROM outbox WHERE connection = ? AND state = 'sending' AND lease_token IS NOT NULL",
    [connection],
  );
  return rows
    .filter(({ lease_token }) => isAbandoned(String(lease_token)))
    .map(({ id, lease_token }) => ({
      sql: 'UPDATE outbox SET lease_until = 0 WHERE id = ? AND lease_token = ?',
      params: [id ?? '', lease_token ?? ''],
    }));
}

/** Lets the rows go on that waited for a resource, or went without it: the newest of each resource, so that one lives at most. */
export function release(connection: string, target: string): Statement {
  const sql = `UPDATE outbox SET waits_for = NULL, next_at = 0, state = CASE state
      WHEN 'parked' THEN '${OUTBOX.parked.arrived}'
      WHEN 'sent' THEN CASE WHEN ${isNewest('outbox')} THEN '${OUTBOX.sent.arrived}' ELSE 'sent' END
      ELSE state END
    WHERE connection = ? AND waits_for = ?`;
  return { sql, params: [connection, target] };
}

/** What is due of a resource whose counterpart is gone there does not go. */
export function withdrawDue({
  connection,
  type,
  localId,
}: Pick<OutboxRow, 'connection' | 'type' | 'localId'>): Statement {
  const sql = `UPDATE outbox SET state = '${OUTBOX.queued.withdrawn}', fault = 'deleted-remotely'
    WHERE connection = ? AND type = ? AND local_id = ? AND state = 'queued'`;
  return { sql, params: [connection, type, localId] };
}

function toRow(row: SqlRow): OutboxRow {
  return {
    id: String(row.id),
    connection: String(row.connection),
    type: String(row.type),
    localId: String(row.local_id),
    sequence: Number(row.upto_sequence),
    state: String(row.state) as OutboxState,
    attempts: Number(row.attempts),
    nextAt: Number(row.next_at),
    intentKey: String(row.intent_key),
    probedAt: row.probed_at == null ? undefined : Number(row.probed_at),
    faultClass: row.fault_class == null ? undefined : (String(row.fault_class) as RetryClass),
    leaseUntil: Number(row.lease_until ?? 0),
    rebases: Number(row.rebases),
    replayOf: row.replay_of == null ? undefined : String(row.replay_of),
    waitsFor: row.waits_for == null ? undefined : String(row.waits_for),
  };
}
