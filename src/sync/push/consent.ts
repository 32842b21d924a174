// Whether consents and labels let a resource go to the other side of a connection, asked each time just before it is sent.
// What was sent before is not called back. docs/sync-spec.md#I30
import type { Asker } from '../../fhir/consent/asker.ts';
import { knownAs } from '../../fhir/consent/known-as.ts';
import { withheldCondition } from '../../fhir/search/withheld.ts';
import { readCursor } from '../../store/cursor.ts';
import type { Withholding } from '../../store/store.ts';
import { type ConnectionContext, type RunContext, realNow } from '../context.ts';
import type { Ref } from './dependencies.ts';
import { cursorName } from './feed.ts';
import type { Claim } from './outbox.ts';
import { end } from './settle-push.ts';

const FAULT = 'A consent or a security label keeps this resource from the other side.';

/** The other side of the connection, as consents see it. */
async function askerOf({ connection, clock, store }: ConnectionContext): Promise<Asker> {
  const { recipient, purpose = 'TREAT' } = connection;
  const actors = recipient === undefined ? [] : await knownAs(store, [recipient]);
  return { actors, purposes: [purpose], at: clock.now().epochMilliseconds, external: true };
}

export async function withholdingOf(context: ConnectionContext, { type, id }: Ref): Promise<Withholding> {
  const { parameters, labels } = context.consent;
  const asker = await askerOf(context);
  return context.store.withholding(type, id, withheldCondition(parameters, type, asker, labels));
}

/**
 * True when the resource may not be sent: then its row has been set aside.
 * @param about what is asked about, when it is not the resource of the row
 */
export async function keepWithheld(context: RunContext, claim: Claim, about?: Ref): Promise<boolean> {
  const cursor = cursorName(context.connection);
  const sequence = await readCursor(context.store, cursor);
  const asked = about ?? { type: claim.type, id: claim.localId };
  const { withheld, patients, until } = await withholdingOf(context, asked);
  if (!withheld) return false;
  const [patient, another] = patients;
  // Periods are read by Baton's clock, rows wait by the machine's.
  const wait = until === undefined ? undefined : until - context.clock.now().epochMilliseconds;
  await end(context, {
    claim,
    settlement: {
      event: 'withheld',
      fault: FAULT,
      nextAt: wait === undefined ? 0 : realNow(context) + wait,
      asked: { cursor, sequence: sequence ?? 0 },
      ...(patient === undefined || another !== undefined ? {} : { patient }),
    },
    outcome: 'withheld',
    event: { kind: 'withheld' },
  });
  return true;
}
