// A notification -> one commit with everything it says and with the message itself, once, however often it comes.
import type { Bundle } from '@medplum/fhirtypes';
import type { Clock } from '../../clock.ts';
import { asFault } from '../../fault.ts';
import { type Json, sameJson } from '../../fhir/canonical-json.ts';
import type { Actor, Store } from '../../store/store.ts';
import { contentKey, findDelivery, keepDelivery } from '../delivery.ts';
import { createKnownShared } from '../known-shared.ts';
import { planChanges } from '../plan.ts';
import type { Compartment } from '../plan-merge.ts';
import { Refusal } from '../refusal.ts';
import { isLostRace, isTransient, refusalOf } from '../refusal-of.ts';
import { draftNotification, SHARED } from './draft-notification.ts';
import { keyOf, readNotification } from './read-message.ts';

export interface NotificationParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly parameters: Compartment;
}

const CHANNEL = 'notification';
const ATTEMPTS = 5;

/**
 * Stores what the message says; one that was taken in already changes nothing.
 * @throws Refusal for a message that is kept and not taken in, Fault when the store cannot take it now
 */
export async function takeNotification(parts: NotificationParts, actor: Actor, bundle: Bundle): Promise<void> {
  const body = Buffer.from(JSON.stringify(bundle));
  try {
    await take(parts, actor, bundle, body);
  } catch (error) {
    if (isTransient(error)) throw error;
    const refusal = refusalOf(error);
    await keepRefused(parts, actor, bundle, body, refusal);
    throw refusal;
  }
}

async function take({ store, clock, parameters }: NotificationParts, actor: Actor, bundle: Bundle, body: Uint8Array) {
  const notification = readNotification(bundle, clock.now());
  const { key, source: sender, event } = notification;
  const known = createKnownShared(clock);
  let isKept = false;
  for (let attempt = 1; ; attempt += 1) {
    if (!isKept && (await isTaken(store, key, bundle))) return;
    const { changes } = await planChanges(store, parameters, known, draftNotification(notification));
    const row = keepDelivery(key, clock.now(), { body, answer: '200', outcome: 'AA' }, { sender, event }, CHANNEL);
    try {
      const outcomes = await store.commit(actor, changes, isKept ? [] : [row]);
      isKept = true;
      // Somebody created the same patient or visit in between: what this message says is joined with that.
      if (attempt >= ATTEMPTS || outcomes.every(({ written, type }) => written || SHARED.has(type))) return;
    } catch (error) {
      if (!isLostRace(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** @throws Refusal AR 205 when the same message said something else */
async function isTaken(store: Store, key: string, bundle: Bundle): Promise<boolean> {
  const before = await findDelivery(store, key, CHANNEL);
  if (before?.outcome !== 'AA') return false;
  const same = sameJson(JSON.parse(Buffer.from(before.body).toString()) as Json, bundle as unknown as Json);
  if (same) return true;
  throw new Refusal(
    'AR',
    '205',
    'Another message with this identifier was taken in; nothing was changed.',
    'Bundle.identifier',
  );
}

/** For people to look at; a store that cannot is no reason not to answer. */
async function keepRefused(
  { store, clock }: NotificationParts,
  actor: Actor,
  bundle: Bundle,
  body: Uint8Array,
  { code, remark }: Refusal,
): Promise<void> {
  const key = keyOf(bundle) ?? contentKey(body);
  const row = keepDelivery(key, clock.now(), { body, answer: code, outcome: code }, { remark }, CHANNEL);
  await store.commit(actor, [], [row]).catch((error) => void asFault(error));
}
