// A notification -> one commit with everything it says and with the message itself, once, however often it comes.
import type { Bundle } from '@medplum/fhirtypes';
import type { Clock } from '../../clock.ts';
import { asFault, Fault } from '../../fault.ts';
import { type Json, sameJson } from '../../fhir/canonical-json.ts';
import type { Change } from '../../fhir/change.ts';
import { stringifyExact } from '../../fhir/exact-json.ts';
import type { Validator } from '../../fhir/validation/validator.ts';
import type { Actor, Store } from '../../store/store.ts';
import { contentKey, findDelivery, keepDelivery } from '../delivery.ts';
import { createKnownShared } from '../known-shared.ts';
import { requireNotAhead } from '../not-ahead-of.ts';
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
  /** Says what is wrong with a message that cannot be read. */
  readonly validate: Validator['validate'];
}

/** A message that is kept already, to be taken in from its own row. */
export interface KeptAs {
  readonly key?: string;
  readonly correctedBy?: string;
}

const CHANNEL = 'notification';
const ATTEMPTS = 12;

/**
 * Stores what the message says; one that was taken in already changes nothing.
 * @returns what it changed
 * @throws Refusal for a message that is kept and not taken in, Fault when the store cannot take it now or Baton failed
 */
export async function takeNotification(
  parts: NotificationParts,
  actor: Actor,
  bundle: Bundle,
  kept: KeptAs = {},
): Promise<readonly Change[]> {
  const body = Buffer.from(stringifyExact(bundle));
  try {
    return await take(parts, actor, bundle, body, kept);
  } catch (error) {
    if (isTransient(error)) throw error;
    const refusal = refusalOf(error);
    await keepRefused(parts, actor, bundle, body, refusal, kept);
    // A failure of ours is nothing that the sender could correct.
    throw error !== refusal && asFault(error).status >= 500 ? error : refusal;
  }
}

/** What taking it in would change; writes nothing. @throws Refusal | Fault */
export async function foreseeNotification(parts: NotificationParts, bundle: Bundle): Promise<readonly Change[]> {
  const { content } = readContent(parts, bundle);
  return (await planChanges(parts.store, parts.parameters, createKnownShared(parts.clock), content)).changes;
}

async function take(
  parts: NotificationParts,
  actor: Actor,
  bundle: Bundle,
  body: Uint8Array,
  { key: keptAs, correctedBy }: KeptAs,
): Promise<readonly Change[]> {
  const { store, clock, parameters } = parts;
  const { notification, content } = readContent(parts, bundle);
  const { key: own, source: sender, event } = notification;
  const key = keptAs ?? own;
  const facts = { sender, event, ...(correctedBy ? { correctedBy } : {}) };
  const known = createKnownShared(clock);
  let made: readonly Change[] | undefined;
  for (let attempt = 1; ; attempt += 1) {
    if (!made && (await isTaken(store, key, bundle))) return [];
    const { changes, heard, manner } = await planChanges(store, parameters, known, content);
    const row = keepDelivery(key, clock.now(), { body, answer: '200', outcome: 'AA' }, facts, CHANNEL);
    try {
      const outcomes = await store.commit(actor, changes, made ? heard : [row, ...heard], manner);
      made ??= changes;
      // Somebody created the same patient or visit in between: what this message says is joined with that.
      if (attempt >= ATTEMPTS || outcomes.every(({ written, type }) => written || SHARED.has(type))) return made;
    } catch (error) {
      if (!isLostRace(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** @throws Refusal, or Fault unprocessable with the elements that are no FHIR */
function readContent({ clock, validate }: NotificationParts, bundle: Bundle) {
  try {
    const now = clock.now();
    const notification = readNotification(bundle, now);
    const content = draftNotification(notification);
    requireNotAhead(
      now,
      content.drafts.map(({ resource }) => resource),
      'Encounter.period.end',
    );
    return { notification, content };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const issues = validate(bundle).filter(({ severity, code }) => severity === 'error' && code === 'structure');
    if (issues.length === 0) throw error;
    throw new Fault('unprocessable', 'The message is not made as FHIR says.', { issues, cause: error });
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
  { key = keyOf(bundle) ?? contentKey(body), correctedBy }: KeptAs,
): Promise<void> {
  const facts = { remark, ...(correctedBy ? { correctedBy } : {}) };
  const row = keepDelivery(key, clock.now(), { body, answer: code, outcome: code }, facts, CHANNEL);
  await store.commit(actor, [], [row]).catch((error) => void asFault(error));
}
