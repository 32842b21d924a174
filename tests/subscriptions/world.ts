// A server that tells subscribers, and a web server that is told: both real. Time passes when a test says so.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import type { AuthorizationServer } from '../../src/access/oauth/authorization-server.ts';
import { createSight } from '../../src/server/fhir/sight.ts';
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
  const held = new Map<string, Promise<void>>();
  let arrived = Promise.withResolvers<void>();
  let asked = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    asked.resolve();
    asked = Promise.withResolvers<void>();
    await held.get(url);
    const status = answers.shift() ?? 200;
    // What is refused, the subscriber has not taken.
    if (status < 300) received.push({ method, url, headers: headers as Record<string, string>, body });
    response.writeHead(status, { location: '/elsewhere' }).end();
    arrived.resolve();
    arrived = Promise.withResolvers<void>();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    /** The next answers; 200 afterwards. */
    answer: (...statuses: number[]) => void answers.splice(0, Infinity, ...statuses),
    /** Nothing at the path is answered until what it returns is called. */
    hold(path: string): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(path, promise);
      return resolve;
    },
    /** When the next message has come, answered or not. */
    asked: () => asked.promise,
    /** When the next answer is given. */
    next: () => arrived.promise,
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
