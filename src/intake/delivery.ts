// What was received, under sender and control id, with the answer it got: the memory that makes a repeated message
// harmless. Rows live in the store's `delivery` table and are written in the commit of what they caused.
import { createHash } from 'node:crypto';
import type { SqlRow, Statement, Store } from '../store/store.ts';
import type { AckCode, Outcome, Remark } from './refusal.ts';

export type Channel = 'hl7v2' | 'notification';

export interface Delivery {
  readonly body: Uint8Array;
  readonly answer: string;
  readonly outcome: AckCode;
}

export interface FoundDelivery extends Omit<Delivery, 'outcome'> {
  readonly outcome: Outcome;
  readonly received: Temporal.Instant;
}

/** What is known of a delivery without its content; nothing of it tells of a patient. */
export interface DeliveryFacts {
  readonly sender?: string;
  readonly facility?: string;
  readonly event?: string;
  /** The first remark of the answer. */
  readonly remark?: Pick<Remark, 'location' | 'text'> & { readonly condition: string };
  /** Only the beginning came: read as a whole one it would say something else. */
  readonly part?: 'too-long' | 'cut';
  /** Who corrected the content: what was received first is kept beside it. */
  readonly correctedBy?: string;
}

export async function findDelivery(
  store: Pick<Store, 'query'>,
  key: string,
  channel: Channel = 'hl7v2',
): Promise<FoundDelivery | undefined> {
  const sql = 'SELECT body, answer, outcome, received FROM delivery WHERE channel = ? AND key = ?';
  const [row] = await store.query(sql, [channel, key]);
  if (!row) return undefined;
  const received = Temporal.Instant.fromEpochMilliseconds(Number(row.received));
  return { body: bytesOf(row.body), answer: String(row.answer), outcome: String(row.outcome) as Outcome, received };
}

const KEEP = `INSERT INTO delivery
    (channel, key, received, body, answer, outcome, sender, facility, event, condition, location, detail, corrected_by)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (channel, key) DO UPDATE SET received = excluded.received, answer = excluded.answer,
    outcome = excluded.outcome, sender = excluded.sender, facility = excluded.facility, event = excluded.event,
    condition = excluded.condition, location = excluded.location, detail = excluded.detail,
    original = CASE WHEN excluded.corrected_by IS NULL THEN delivery.original
      ELSE COALESCE(delivery.original, delivery.body) END,
    corrected_by = COALESCE(excluded.corrected_by, delivery.corrected_by), dismissed_by = NULL,
    dismissed_because = NULL, body = excluded.body, attempts = delivery.attempts + 1
  WHERE delivery.outcome NOT IN ('AA', 'CA') AND (excluded.condition IS NULL OR excluded.condition NOT IN ('too-long', 'cut')
    OR delivery.condition IN ('too-long', 'cut'))`;

/**
 * Keeps a delivery. One that was answered AA is final, and one that is accepted is settled by who applies it: then no row changes and the commit fails as a conflict, which is
 * how the second of two simultaneous deliveries learns that it is one. AE and AR give way to the next attempt, a whole
 * message not to a part of it.
 */
export function keepDelivery(
  key: string,
  received: Temporal.Instant,
  { body, answer, outcome }: Delivery,
  { sender, facility, event, remark, part, correctedBy }: DeliveryFacts = {},
  channel: Channel = 'hl7v2',
): Statement {
  const facts = [sender, facility, event, part ?? remark?.condition, remark?.location, remark?.text, correctedBy];
  const row = [channel, key, received.epochMilliseconds, body, answer, outcome];
  return { sql: KEEP, params: [...row, ...facts.map((fact) => fact ?? null)], rows: 1 };
}

/** The key of a message that has no control id: its content. */
export function contentKey(body: Uint8Array): string {
  return `unidentified|${createHash('sha256').update(body).digest('hex')}`;
}

export function bytesOf(value: SqlRow[string] | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}
