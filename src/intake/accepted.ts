// Messages that are in safe storage and not applied yet: rows of `delivery` whose outcome is CA. HL7 v2.9 chapter 2, "Enhanced
// acknowledgment rules".
import type { SqlRow, Statement, Store } from '../store/store.ts';
import { bytesOf, type DeliveryFacts } from './delivery.ts';
import type { AckCode } from './refusal.ts';

/** An accepted message that waits to be applied. */
export interface Accepted {
  readonly key: string;
  readonly body: Uint8Array;
  /** When it came. */
  readonly received: Temporal.Instant;
}

export interface Acceptance extends Accepted {
  /** What the sender is told, in the words of original mode. */
  readonly answer: string;
  /** Its place in the order of acceptance. */
  readonly place: number;
  readonly facts: Pick<DeliveryFacts, 'sender' | 'facility' | 'event'>;
}

const COLUMNS = '(channel, key, received, body, answer, outcome, sender, facility, event, accepted)';
const ACCEPT = `INSERT INTO delivery ${COLUMNS} VALUES ('hl7v2', ?, ?, ?, ?, 'CA', ?, ?, ?, ?) ON CONFLICT (channel, key)`;
const AGAIN = `DO UPDATE SET received = excluded.received, body = excluded.body, answer = excluded.answer, outcome = 'CA',
    sender = excluded.sender, facility = excluded.facility, event = excluded.event, accepted = excluded.accepted,
    condition = NULL, location = NULL, detail = NULL, dismissed_by = NULL, dismissed_because = NULL,
    attempts = delivery.attempts + 1
  WHERE delivery.outcome NOT IN ('AA', 'CA')`;

/**
 * Keeps a message that is to be applied. The commit fails as a conflict when there is one under the key.
 * @param again takes the place of one that was refused; the commit fails as a conflict when there is another one
 */
export function acceptDelivery(
  { key, body, received, answer, place, facts }: Acceptance,
  { again }: { readonly again: boolean },
): Statement {
  const row = [key, received.epochMilliseconds, body, answer, facts.sender, facts.facility, facts.event, place];
  const sql = again ? `${ACCEPT} ${AGAIN}` : `${ACCEPT} DO NOTHING`;
  return { sql, params: row.map((value) => value ?? null), rows: 1 };
}

const SETTLE = `UPDATE delivery SET answer = ?, outcome = ?, condition = ?, location = ?, detail = ?
  WHERE channel = 'hl7v2' AND key = ? AND outcome = 'CA'`;

/**
 * For the commit of what an accepted message caused, or of the reason why it causes nothing. It fails as a conflict when
 * somebody has applied the message meanwhile: so each is applied once.
 */
export function settleDelivery(
  key: string,
  { answer, outcome, remark }: { readonly answer: string; readonly outcome: AckCode } & Pick<DeliveryFacts, 'remark'>,
): Statement {
  const why = [remark?.condition, remark?.location, remark?.text].map((value) => value ?? null);
  return { sql: SETTLE, params: [answer, outcome, ...why, key], rows: 1 };
}

/** In the order of acceptance. */
export async function nextAccepted(store: Pick<Store, 'query'>, limit: number): Promise<Accepted[]> {
  const sql = `SELECT key, body, received FROM delivery WHERE outcome = 'CA' ORDER BY accepted LIMIT ?`;
  return (await store.query(sql, [limit])).map((row) => ({
    key: String(row.key),
    body: bytesOf(row.body),
    received: instantOf(row.received),
  }));
}

export interface Backlog {
  /** Messages that are accepted and not applied. */
  readonly waiting: number;
  /** When the first of them came. */
  readonly oldest?: Temporal.Instant;
  /** Refused when they were applied, after the sender was told that they are safe; nobody has dealt with them. */
  readonly refused: number;
}

const WAITING = `SELECT COUNT(*) AS n FROM delivery WHERE outcome = 'CA'`;
const REFUSED = `SELECT COUNT(*) AS n FROM delivery
  WHERE outcome <> 'AA' AND dismissed_by IS NULL AND outcome <> 'CA' AND accepted IS NOT NULL`;

export async function readBacklog(store: Pick<Store, 'query'>): Promise<Backlog> {
  const count = async (sql: string) => Number((await store.query(sql))[0]?.n ?? 0);
  const [first] = await store.query(`SELECT received FROM delivery WHERE outcome = 'CA' ORDER BY accepted LIMIT 1`);
  return {
    waiting: await count(WAITING),
    ...(first ? { oldest: instantOf(first.received) } : {}),
    refused: await count(REFUSED),
  };
}

const instantOf = (value: SqlRow[string] | undefined) => Temporal.Instant.fromEpochMilliseconds(Number(value));
