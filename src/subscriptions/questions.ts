// What a subscriber asks: how its Subscription stands, and events that it may have missed.
// https://hl7.org/fhir/uv/subscriptions-backport/errors.html
import type { Subscription } from '@medplum/fhirtypes';
import type { Grant } from '../access/grant.ts';
import { hasEverything } from '../access/scopes.ts';
import { Fault } from '../fault.ts';
import type { Content } from './backport.ts';
import { readEvents } from './event-rows.ts';
import { ownerOf } from './hold.ts';
import { notificationBundle, type Standing, statusOf } from './notification.ts';
import type { Parts } from './parts.ts';
import { readRow, type SubscriptionRow } from './subscription-rows.ts';
import { recordsOf, showEvents } from './tell.ts';

export interface Asked {
  /** Numbers of events, both included. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** As the Subscription has it when absent. */
  readonly content?: Content | undefined;
}

/** Events in one answer. */
const MOST_EVENTS = 100;

export async function tellStatus({ store, base }: Parts, subscription: Subscription): Promise<object> {
  const row = await readRow(store, subscription.id ?? '');
  return statusOf(base(), standingIn(subscription, row), 'query-status');
}

/** @throws Fault forbidden for another client's, unless the asker may do everything */
export async function tellAsked(parts: Parts, grant: Grant, subscription: Subscription, asked: Asked): Promise<string> {
  const { store, access, base, clock, meaning } = parts;
  const { id = '' } = subscription;
  const row = await readRow(store, id);
  if (row?.owner !== ownerOf(await access.keep(grant)) && !hasEverything(grant.scopes)) {
    throw new Fault('forbidden', 'Only the client that made the Subscription may ask for its events.');
  }
  const events = row?.events ?? 0;
  const { since = 1, until = events } = asked;
  const found = await readEvents(store, id, since, Math.min(until, events), MOST_EVENTS);
  const shown = await showEvents(parts, grant, id, found);
  const content = asked.content ?? contentOf(() => meaning().wantedBy(row?.content ?? ''));
  for (const record of recordsOf(grant, id, content, shown)) store.audit({ ...record, status: 200 });
  return notificationBundle(base(), standingIn(subscription, row), 'query-event', content, shown, clock.now());
}

function standingIn({ id = '', status, error, criteria }: Subscription, row: SubscriptionRow | undefined): Standing {
  const topic = /^https?:/.test(criteria ?? '') ? criteria : undefined;
  const standing = { id, events: row?.events ?? 0, topic };
  // Its row may know better: a version that is not valid any more cannot say that it is off.
  if (row?.state === 'off' && status !== 'off') return { ...standing, status: 'off', error: row.detail };
  return { ...standing, status, error };
}

/** Of one that cannot be read any more, ids are enough. */
function contentOf(wanted: () => { readonly content: Content }): Content {
  try {
    return wanted().content;
  } catch {
    return 'id-only';
  }
}
