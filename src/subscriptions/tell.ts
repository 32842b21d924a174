// What one Subscription is told next, as a message: a handshake, events, or that there is nothing to tell. Each resource is
// read for the subscriber when it is sent, so that what a consent or a role has taken back meanwhile does not leave.
import type { Subscription } from '@medplum/fhirtypes';
import type { Grant } from '../access/grant.ts';
import type { Sent } from '../notify/post.ts';
import type { AuditRecord } from '../store/store.ts';
import type { Content } from './backport.ts';
import { knows, readEvents, type SubscriptionEvent } from './event-rows.ts';
import { headersOf } from './headers.ts';
import { type NotificationType, notificationBundle, type ShownEvent, type Standing } from './notification.ts';
import type { Parts } from './parts.ts';
import type { SubscriptionRow } from './subscription-rows.ts';
import type { Wanted } from './wanted.ts';

/** One Subscription that is being told. */
export interface Subscriber {
  readonly row: SubscriptionRow;
  readonly subscription: Subscription;
  readonly wanted: Wanted;
  readonly grant: Grant;
  /** `Name: value`, as they are sent. */
  readonly headers: readonly string[];
}

export interface Told {
  /** Absent: the events need no message. */
  readonly message?: Sent;
  /** Number of the last event in it. */
  readonly upTo: number;
  /** Numbers of the events of which the subscriber can see the resource. */
  readonly named: readonly number[];
  /** What it discloses, for the trail once it was sent. */
  readonly records: readonly Omit<AuditRecord, 'status'>[];
}

/** A message without events. */
export function tellStanding(parts: Parts, subscriber: Subscriber, type: NotificationType): Told {
  return {
    message: bundleMessage(parts, subscriber, type, []),
    upTo: subscriber.row.delivered,
    named: [],
    records: [],
  };
}

/** The next events; undefined when all have arrived. */
export async function tellEvents(parts: Parts, subscriber: Subscriber): Promise<Told | undefined> {
  const { row, wanted, grant } = subscriber;
  const most = wanted.topic ? wanted.maxCount : 1;
  const events = await readEvents(parts.store, row.id, row.delivered + 1, row.events, most);
  const last = events.at(-1);
  // What it has not taken for so long is not kept any more.
  if (!last) return row.delivered < row.events ? { upTo: row.events, named: [], records: [] } : undefined;
  const shown = await showEvents(parts, grant, row.id, events);
  const message = wanted.topic
    ? bundleMessage(parts, subscriber, 'event-notification', shown)
    : plainMessage(subscriber, shown[0]);
  const records = message ? recordsOf(grant, row.id, wanted.content, shown) : [];
  const named = message ? shown.filter((event) => event.shown !== undefined).map(({ number }) => number) : [];
  return { ...(message ? { message } : {}), upTo: last.number, named, records };
}

/** What the grant may see of events now. */
export function showEvents(
  { store, sight }: Parts,
  grant: Grant,
  id: string,
  events: readonly SubscriptionEvent[],
): Promise<ShownEvent[]> {
  return Promise.all(
    events.map(async (event): Promise<ShownEvent> => {
      const { type, resource } = event;
      const shown = await sight.read(grant, type, resource);
      if (shown) return { ...event, shown };
      const current = await store.read(type, resource);
      // It is there, and withheld.
      if (current?.operation !== 'delete') return { ...event, shown: undefined };
      const isKnown =
        event.named || sight.reachesAll(grant, type) || (await knows(store, id, { type, id: resource }, event.number));
      return { ...event, shown: isKnown ? 'id' : undefined };
    }),
  );
}

export function standingOf({ row, subscription, wanted }: Omit<Subscriber, 'grant' | 'headers'>): Standing {
  const { id, events } = row;
  const topic = wanted.content === 'empty' ? undefined : wanted.topic?.url;
  return { id, status: subscription.status, events, error: subscription.error, topic };
}

function bundleMessage(
  { base, clock }: Parts,
  subscriber: Subscriber,
  type: NotificationType,
  events: readonly ShownEvent[],
): Sent {
  const { wanted } = subscriber;
  const body = notificationBundle(base(), standingOf(subscriber), type, wanted.content, events, clock.now());
  return messageTo(subscriber, 'POST', wanted.endpoint, body);
}

/** Plain R4: the resource as an update at the endpoint, or an empty POST. Undefined when it may not be seen any more. */
function plainMessage(subscriber: Subscriber, event: ShownEvent | undefined): Sent | undefined {
  const { wanted } = subscriber;
  if (!event?.shown) return undefined;
  if (wanted.mime === undefined) return messageTo(subscriber, 'POST', wanted.endpoint, '');
  if (event.shown === 'id') return undefined;
  const url = new URL(wanted.endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${event.type}/${event.resource}`;
  return messageTo(subscriber, 'PUT', url.href, event.shown.content);
}

function messageTo({ wanted, headers }: Subscriber, method: Sent['method'], url: string, body: string): Sent {
  const sent = headersOf(headers);
  if (wanted.mime !== undefined) sent['content-type'] = `${wanted.mime}; charset=utf-8`;
  return { method, url, body, timeoutMs: wanted.timeout, headers: sent };
}

/** One for each resource that is named, one without patients when none is. */
export function recordsOf(
  { actor }: Pick<Grant, 'actor'>,
  id: string,
  content: Content,
  events: readonly ShownEvent[],
): Told['records'] {
  const record = { actor, interaction: 'subscription-notification', action: 'R', query: `Subscription/${id}` } as const;
  const named = content === 'empty' ? [] : events.filter(({ shown }) => shown !== undefined);
  if (named.length === 0) return [{ ...record, type: 'Subscription', id, patients: [] }];
  const resources = new Map(named.map((event) => [`${event.type}/${event.resource}`, event]));
  return [...resources.values()].map(({ type, resource, shown }) => ({
    ...record,
    type,
    id: resource,
    ...(typeof shown === 'object' ? { version: Number(shown.versionId) } : {}),
  }));
}
