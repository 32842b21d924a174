// What was received, under sender and control id, with the answer it got: the memory that makes a repeated message
// harmless. Rows live in the store's `delivery` table and are written in the commit of what they caused.
import { createHash } from 'node:crypto';
import type { SqlRow, Statement, Store } from '../store/store.ts';
import type { AckCode } from './refusal.ts';

const CHANNEL = 'hl7v2';

export interface Delivery {
  readonly body: Uint8Array;
  readonly answer: string;
  readonly outcome: AckCode;
}

export async function findDelivery(store: Store, key: string): Promise<Delivery | undefined> {
  const sql = 'SELECT body, answer, outcome FROM delivery WHERE channel = ? AND key = ?';
  const [row] = await store.query(sql, [CHANNEL, key]);
  return row && { body: bytesOf(row), answer: String(row.answer), outcome: String(row.outcome) as AckCode };
}

/**
 * Keeps a delivery. One that was answered AA is final: then no row changes and the commit fails as a conflict, which is
 * how the second of two simultaneous deliveries learns that it is one. AE and AR give way to the next attempt.
 */
export function keepDelivery(key: string, received: Temporal.Instant, delivery: Delivery): Statement {
  return {
    sql:
      'INSERT INTO delivery (channel, key, received, body, answer, outcome) VALUES (?, ?, ?, ?, ?, ?) ' +
      'ON CONFLICT (channel, key) DO UPDATE SET received = excluded.received, body = excluded.body, ' +
      "answer = excluded.answer, outcome = excluded.outcome WHERE delivery.outcome <> 'AA'",
    params: [CHANNEL, key, received.epochMilliseconds, delivery.body, delivery.answer, delivery.outcome],
    rows: 1,
  };
}

/** The key of a message that has no control id: its content. */
export function contentKey(body: Uint8Array): string {
  return `unidentified|${createHash('sha256').update(body).digest('hex')}`;
}

function bytesOf(row: SqlRow): Uint8Array {
  return row.body instanceof Uint8Array ? row.body : new Uint8Array();
}
