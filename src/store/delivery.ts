// What arrived from outside, kept with the answer it was given, so that the same message twice changes nothing and is
// answered the same.
import type { Actor, Statement, Store } from './store.ts';

export interface Delivery {
  /** Where it came in, e.g. `hl7v2`. */
  readonly channel: string;
  /** What makes it the same message, e.g. sending facility and MSH-10. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly received: number;
  /** The message as it arrived. */
  readonly body: Uint8Array;
  /** The answer as it was sent. */
  readonly answer: string;
  /** One word for operators: accepted, refused, ignored… */
  readonly outcome: string;
}

const SELECT = `SELECT channel, key, received, body, answer, outcome FROM delivery WHERE channel = ? AND key = ?`;
const INSERT = `INSERT INTO delivery (channel, key, received, body, answer, outcome) VALUES (?, ?, ?, ?, ?, ?)`;

/** The message that came in before under this key, if it did. */
export async function findDelivery(
  store: Pick<Store, 'query'>,
  channel: string,
  key: string,
): Promise<Delivery | undefined> {
  const [row] = await store.query(SELECT, [channel, key]);
  return (
    row && {
      channel,
      key,
      received: Number(row.received),
      body: row.body as Uint8Array,
      answer: String(row.answer),
      outcome: String(row.outcome),
    }
  );
}

/** Keeps the message, for `alongside`. The commit fails with a conflict when the key is known already. */
export function deliveryStatement(delivery: Delivery): Statement {
  const { channel, key, received, body, answer, outcome } = delivery;
  return { sql: INSERT, params: [channel, key, received, body, answer, outcome], rows: 1 };
}

/**
 * Keeps a message that changes nothing else, e.g. one that was refused.
 * @throws Fault conflict when the key is known already
 */
export async function recordDelivery(store: Pick<Store, 'commit'>, actor: Actor, delivery: Delivery): Promise<void> {
  await store.commit(actor, [], [deliveryStatement(delivery)]);
}
