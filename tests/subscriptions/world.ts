// A server that tells subscribers, and a web server that is told: both real. Time passes when a test says so.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Bundle, Parameters, Subscription } from '@medplum/fhirtypes';
import { pino } from 'pino';
import type { AuthorizationServer } from '../../src/access/oauth/authorization-server.ts';
import { createSight } from '../../src/server/fhir/sight.ts';
import { BACKPORT } from '../../src/subscriptions/backport.ts';
import type { SubscriptionSettings } from '../../src/subscriptions/settings.ts';
import { createSubscriptions, type Subscriptions } from '../../src/subscriptions/subscriptions.ts';
import { FHIR, LABELS, type Made, PARAMETERS, serve, type TestServer } from '../server/serve.ts';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export async function startReceiver() {
  const received: Received[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    const status = answers.shift() ?? 200;
    // What is refused, the subscriber has not taken.
    if (status < 300) received.push({ method, url, headers: headers as Record<string, string>, body });
    response.writeHead(status, { location: '/elsewhere' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    /** The next answers; 200 afterwards. */
    answer: (...statuses: number[]) => void answers.splice(0, Infinity, ...statuses),
    /** What came since it was asked last. */
    take: () => received.splice(0, Infinity),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const TOPICS = join(import.meta.dirname, '../../profiles/subscription-topics');
export const SETTINGS: SubscriptionSettings = { hosts: [], perClient: 100, errorAfter: 3, offHours: 24, keepDays: 14 };
const installed = {};

/** @param real what the machine's clock says */
export function subscriptionsOn(
  { temp, access }: Pick<Made, 'temp' | 'access'>,
  real: () => Temporal.Instant,
  settings: Partial<SubscriptionSettings> = {},
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Subscriptions {
  const { store } = temp;
  const clock = { now: real, real };
  const seen = { parameters: PARAMETERS, labelPolicy: LABELS, base: () => FHIR, clock, tokenSets: () => undefined };
  return createSubscriptions({
    ...{ store, clock, access, fetch, parameters: PARAMETERS, topics: TOPICS },
    log: pino({ level: 'silent' }),
    settings: { ...SETTINGS, ...settings },
    sight: createSight(seen as never, store),
    generation: () => installed,
    base: () => FHIR,
    secret: 'of the test',
    loopback: true,
  });
}

export interface World extends TestServer {
  readonly subscriptions: Subscriptions;
  readonly authorization: AuthorizationServer;
  readonly receiver: Receiver;
  later(minutes: number): void;
  now(): Temporal.Instant;
}

export async function openWorld(settings: Partial<SubscriptionSettings> = {}): Promise<World> {
  const receiver = await startReceiver();
  let passed = Temporal.Duration.from({ minutes: 0 });
  let made: { subscriptions: Subscriptions; authorization: AuthorizationServer } | undefined;
  const now = () => Temporal.Now.instant().add(passed);
  const server = await serve({}, (parts) => {
    const subscriptions = subscriptionsOn(parts, now, settings);
    made = { subscriptions, authorization: parts.authorization };
    return { subscriptions };
  });
  if (!made) throw new Error('Nothing was made.');
  return {
    ...server,
    ...made,
    receiver,
    now,
    later: (minutes) => {
      passed = passed.add({ minutes });
    },
    async close() {
      await made?.subscriptions.stop();
      await server.close();
      await receiver.close();
    },
  };
}

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
export function read({ body }: Pick<Received, 'body'>): Notified {
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
    focus: events.map((event) => partOf(event, 'focus')?.valueReference?.reference?.replace(`${FHIR}/`, '')),
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
