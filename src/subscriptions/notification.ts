// Notifications of the backport guide: Bundles of type history whose first entry says how the Subscription stands.
// https://hl7.org/fhir/uv/subscriptions-backport/notifications.html
import { randomUUID } from 'node:crypto';
import type { ParametersParameter } from '@medplum/fhirtypes';
import type { StoredVersion } from '../store/store.ts';
import { BACKPORT, type Content } from './backport.ts';
import type { SubscriptionEvent } from './event-rows.ts';

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

export interface Standing {
  readonly id: string;
  readonly status: string;
  /** Of all, arrived or not. */
  readonly events: number;
  readonly error?: string | undefined;
  /** Canonical; left out of what must tell nothing. */
  readonly topic?: string | undefined;
}

/** An event with what its subscriber may see of it now. */
export interface ShownEvent extends SubscriptionEvent {
  /** The resource as it is now; 'id' when it may be named, undefined when it may not. */
  readonly shown: StoredVersion | 'id' | undefined;
}

/** SubscriptionStatus in R4's clothes. */
export function statusOf(
  base: string,
  { id, status, events, error, topic }: Standing,
  type: NotificationType,
  about: readonly ParametersParameter[] = [],
): object {
  const parameter: ParametersParameter[] = [
    { name: 'subscription', valueReference: { reference: `${base}/Subscription/${id}` } },
    ...(topic === undefined ? [] : [{ name: 'topic', valueCanonical: topic }]),
    { name: 'status', valueCode: status },
    { name: 'type', valueCode: type },
    { name: 'events-since-subscription-start', valueString: String(events) },
    ...about,
    ...(error === undefined ? [] : [{ name: 'error', valueCodeableConcept: { text: error } }]),
  ];
  return { resourceType: 'Parameters', id: randomUUID(), meta: { profile: [BACKPORT.status] }, parameter };
}

/** @returns JSON text; the resources in it are those of the store, to the letter */
export function notificationBundle(
  base: string,
  standing: Standing,
  type: NotificationType,
  content: Content,
  events: readonly ShownEvent[],
  now: Temporal.Instant,
): string {
  const status = statusOf(
    base,
    standing,
    type,
    events.map((event) => eventPart(base, event, content)),
  );
  const { id } = status as { id: string };
  const first = entryText(
    `urn:uuid:${id}`,
    JSON.stringify(status),
    'GET',
    `Subscription/${standing.id}/$status`,
    '200',
  );
  const head = JSON.stringify({
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [BACKPORT.notification] },
    type: 'history',
    timestamp: now.toString({ smallestUnit: 'millisecond' }),
  });
  const entries = [first, ...(content === 'empty' ? [] : focusEntries(base, events, content))];
  return `${head.slice(0, -1)},"entry":[${entries.join(',')}]}`;
}

function eventPart(
  base: string,
  { number, at, type, resource, shown }: ShownEvent,
  content: Content,
): ParametersParameter {
  const isNamed = content !== 'empty' && shown !== undefined;
  const timestamp = Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'millisecond' });
  return {
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: String(number) },
      { name: 'timestamp', valueInstant: timestamp },
      ...(isNamed ? [{ name: 'focus', valueReference: { reference: `${base}/${type}/${resource}` } }] : []),
    ],
  };
}

const METHODS = { create: 'POST', update: 'PUT', delete: 'DELETE' } as const;
const STATUS = { create: '201', update: '200', delete: '204' } as const;

/** One for each resource that may be named, as its last event left it. */
function focusEntries(base: string, events: readonly ShownEvent[], content: Content): string[] {
  const last = new Map(events.filter(({ shown }) => shown).map((event) => [`${event.type}/${event.resource}`, event]));
  return [...last].map(([reference, { shown, operation, type }]) => {
    const text = content === 'full-resource' && typeof shown === 'object' ? shown.content : undefined;
    const url = operation === 'create' ? type : reference;
    return entryText(`${base}/${reference}`, text, METHODS[operation], url, STATUS[operation]);
  });
}

function entryText(fullUrl: string, resource: string | undefined, method: string, url: string, status: string): string {
  const request = JSON.stringify({ method, url });
  const told = resource === undefined ? '' : `"resource":${resource},`;
  return `{"fullUrl":${JSON.stringify(fullUrl)},${told}"request":${request},"response":{"status":"${status}"}}`;
}
