// What a notification hints at. Pure: only types, ids and numbers are taken from it, never content, whatever form it has:
// nothing at all, a resource, or a Bundle as the Subscriptions R5 Backport has it for R4 and R4B.
// https://hl7.org/fhir/R4/subscription.html https://hl7.org/fhir/uv/subscriptions-backport/notifications.html
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { isFhirId } from '../../fhir/request-url.ts';

/** What arrived at the hook. */
export interface Notice {
  /** Path below the hook: nothing, `Task`, or `Task/12`. */
  readonly path: string;
  /** undefined when there was no body. */
  readonly body: Json | undefined;
}

export interface Target {
  readonly type: string;
  readonly id: string;
}

export interface Hint {
  readonly targets: readonly Target[];
  /** Types whose streams are to be read; `all` when it does not say which. */
  readonly streams: readonly string[] | 'all';
  /** Of a Backport notification. */
  readonly source?: HintedBy;
}

export interface HintedBy {
  /** Id of the Subscription at the remote. */
  readonly subscription: string;
  /** Events that the notification is about, in order. */
  readonly events: readonly number[];
  /** Events so far. */
  readonly total: number | undefined;
  readonly status: 'active' | 'error' | 'off' | undefined;
}

const NOTHING: Hint = { targets: [], streams: [] };
const MOST_EVENTS = 1_000;

/** @param base base URL of the remote; references to anywhere else are not followed */
export function readNotice({ path, body }: Notice, base: string): Hint {
  const named = pathTarget(path);
  if (isJsonObject(body)) {
    if (body.resourceType === 'Bundle') return readBundle(body, base, named?.type);
    const { resourceType, id } = body;
    if (typeof resourceType === 'string' && isFhirId(id)) return { ...NOTHING, targets: [{ type: resourceType, id }] };
    if (typeof resourceType === 'string') return { ...NOTHING, streams: [resourceType] };
  }
  if (named?.id !== undefined) return { ...NOTHING, targets: [{ type: named.type, id: named.id }] };
  return { ...NOTHING, streams: named ? [named.type] : 'all' };
}

function pathTarget(path: string): { type: string; id?: string } | undefined {
  // Some servers put the type and id of the resource behind an endpoint that names the type already.
  const parts = path.split('/').filter((part) => part !== '');
  const [type, id] = parts.length > 2 ? parts.slice(-2) : parts;
  if (type === undefined || !/^[A-Z][A-Za-z]{1,63}$/.test(type)) return undefined;
  if (parts.length === 2 && id === type) return { type };
  return isFhirId(id) ? { type, id } : { type };
}

function readBundle(bundle: JsonObject, base: string, type: string | undefined): Hint {
  const resources = objects(bundle.entry).map(({ resource }) => (isJsonObject(resource) ? resource : {}));
  const status = resources.find(
    ({ resourceType }) => resourceType === 'Parameters' || resourceType === 'SubscriptionStatus',
  );
  const parts = status ? statusOf(status) : undefined;
  if (!parts)
    return { ...NOTHING, targets: targetsOf(resources), ...(resources.length === 0 ? { streams: 'all' } : {}) };
  const events = parts.events.slice(0, MOST_EVENTS);
  const focused = events.flatMap(({ focus }) => target(focus, base) ?? []);
  const targets = [...focused, ...targetsOf(resources)];
  const subscription = target(parts.subscription, base);
  // Events without a focus say that something happened, not to what.
  const unclear = parts.events.length > MOST_EVENTS || (events.length > 0 && targets.length === 0);
  return {
    targets,
    streams: unclear ? (type === undefined ? 'all' : [type]) : [],
    ...(subscription?.type === 'Subscription'
      ? {
          source: {
            subscription: subscription.id,
            events: events.flatMap(({ number }) => number ?? []).sort((a, b) => a - b),
            total: parts.total,
            status: STATUSES.find((known) => known === parts.status),
          },
        }
      : {}),
  };
}

const STATUSES = ['active', 'error', 'off'] as const;

interface StatusParts {
  readonly subscription: Json | undefined;
  readonly status: Json | undefined;
  readonly total: number | undefined;
  readonly events: readonly { readonly number: number | undefined; readonly focus: Json | undefined }[];
}

/** R4 has it as Parameters, R4B as a resource of its own. */
function statusOf(resource: JsonObject): StatusParts {
  if (resource.resourceType === 'SubscriptionStatus') {
    return {
      subscription: resource.subscription,
      status: resource.status,
      total: count(resource.eventsSinceSubscriptionStart),
      events: objects(resource.notificationEvent).map(({ eventNumber, focus }) => ({
        number: count(eventNumber),
        focus,
      })),
    };
  }
  const parameters = objects(resource.parameter);
  const named = (list: readonly JsonObject[], name: string) => list.find((one) => one.name === name);
  const value = (parameter: JsonObject | undefined) =>
    parameter?.valueReference ?? parameter?.valueCode ?? parameter?.valueString ?? parameter?.valueUnsignedInt;
  return {
    subscription: value(named(parameters, 'subscription')),
    status: value(named(parameters, 'status')),
    total: count(value(named(parameters, 'events-since-subscription-start'))),
    events: parameters
      .filter(({ name }) => name === 'notification-event')
      .map(({ part }) => ({
        number: count(value(named(objects(part), 'event-number'))),
        focus: value(named(objects(part), 'focus')),
      })),
  };
}

function targetsOf(resources: readonly JsonObject[]): Target[] {
  return resources.slice(0, MOST_EVENTS).flatMap(({ resourceType, id }) => {
    const isTarget =
      typeof resourceType === 'string' && resourceType !== 'Parameters' && resourceType !== 'SubscriptionStatus';
    return isTarget && isFhirId(id) ? [{ type: resourceType, id }] : [];
  });
}

function target(reference: Json | undefined, base: string): Target | undefined {
  const text = isJsonObject(reference) ? reference.reference : undefined;
  if (typeof text !== 'string') return undefined;
  const literal = parseLiteral(text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text);
  return literal && isFhirId(literal.id) ? { type: literal.type, id: literal.id } : undefined;
}

/** 64-bit numbers of R5 are texts in JSON. */
function count(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
