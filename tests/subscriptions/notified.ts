// Subscriptions as a test wishes them, and notifications as their subscriber reads them.
import type { Bundle, Parameters, Subscription } from '@medplum/fhirtypes';
import { BACKPORT } from '../../src/subscriptions/backport.ts';

export interface Wish {
  readonly url: string;
  readonly criteria: string;
  readonly filters?: readonly string[];
  readonly content?: string;
  readonly header?: string[];
  /** Extensions of the channel by their URL. */
  readonly pace?: Readonly<Record<string, number>>;
}

/** By a topic when the criteria are a canonical, else as plain R4 with a payload. */
export function wish({ url, criteria, filters = [], content = 'id-only', header, pace = {} }: Wish): Subscription {
  const isTopic = criteria.startsWith('http');
  const extension = filters.map((valueString) => ({ url: BACKPORT.filter, valueString }));
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'A test',
    criteria,
    ...(extension.length > 0 ? { _criteria: { extension } } : {}),
    channel: {
      type: 'rest-hook',
      endpoint: url,
      payload: 'application/fhir+json',
      ...(isTopic ? { _payload: { extension: [{ url: BACKPORT.content, valueCode: content }] } } : {}),
      ...(header ? { header } : {}),
      ...(Object.keys(pace).length > 0
        ? { extension: Object.entries(pace).map(([of, value]) => ({ url: of, ...numberAs(of, value) })) }
        : {}),
    },
  } as Subscription;
}

const numberAs = (url: string, value: number) =>
  url === BACKPORT.maxCount ? { valuePositiveInt: value } : { valueUnsignedInt: value };

export const GRAVITY = 'http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task';

export interface Notified {
  readonly type: string | undefined;
  readonly status: string | undefined;
  readonly total: number;
  readonly numbers: number[];
  readonly focus: (string | undefined)[];
  readonly bundle: Bundle;
}

/** A notification as its subscriber reads it. */
export function read({ body }: { readonly body: string }): Notified {
  const bundle = JSON.parse(body) as Bundle;
  const parameter = (bundle.entry?.[0]?.resource as Parameters | undefined)?.parameter ?? [];
  const one = (name: string) => parameter.find((each) => each.name === name);
  const events = parameter.filter(({ name }) => name === 'notification-event');
  const partOf = (event: (typeof events)[number], name: string) => event.part?.find((part) => part.name === name);
  return {
    type: one('type')?.valueCode,
    status: one('status')?.valueCode,
    total: Number(one('events-since-subscription-start')?.valueString),
    numbers: events.map((event) => Number(partOf(event, 'event-number')?.valueString)),
    focus: events.map((event) => partOf(event, 'focus')?.valueReference?.reference?.replace(/^.*\/fhir\/R4\//, '')),
    bundle,
  };
}

export const task = (id: string, more: object = {}) => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  intent: 'order',
  ...more,
});
