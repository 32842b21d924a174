// Emergency access ("breaking the glass"): a person who may do so opens one patient's record for a short time, with a
// reason. It is kept for ever, and everything the person does meanwhile is flagged in the audit trail.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Statement, Store } from '../store/store.ts';

export interface EmergencyAccess {
  readonly id: string;
  /** Id of the patient whose record is open. */
  readonly patient: string;
  /** Epoch milliseconds. */
  readonly ends: number;
}

export interface EmergencyRequest {
  /** `Practitioner/12` */
  readonly actor: string;
  readonly patient: string;
  /** In the person's own words. */
  readonly reason: string;
  readonly minutes: number;
}

const RUNNING = 'SELECT id, patient, ends FROM emergency_access WHERE actor = ? AND ends > ? ORDER BY ends DESC';
const INSERT = 'INSERT INTO emergency_access (id, actor, patient, reason, begins, ends) VALUES (?, ?, ?, ?, ?, ?)';

/** The machine's clock counts, which the sandbox cannot move. */
export async function runningEmergencies(
  store: Pick<Store, 'query'>,
  clock: Clock,
  actor: string,
): Promise<EmergencyAccess[]> {
  const rows = await store.query(RUNNING, [actor, clock.real().epochMilliseconds]);
  return rows.map(({ id, patient, ends }) => ({ id: String(id), patient: String(patient), ends: Number(ends) }));
}

/** What must be committed so that the access runs. */
export function beginEmergency(
  clock: Clock,
  { actor, patient, reason, minutes }: EmergencyRequest,
): { access: EmergencyAccess; statement: Statement } {
  const begins = clock.real().epochMilliseconds;
  const access = { id: randomUUID(), patient, ends: begins + minutes * 60_000 };
  return {
    access,
    statement: { sql: INSERT, params: [access.id, actor, patient, reason, begins, access.ends], rows: 1 },
  };
}
