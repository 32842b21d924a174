// Tells people of follow-ups, and operators of alerts: reads the log for reminders, and sends what is due by the channels of
// the configuration.
import type { Logger } from 'pino';
import { readResource } from '../care/stored.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { type AlertRow, CLOCKWORK } from '../store/alert.ts';
import { createConsumer } from '../store/consumer.ts';
import { beginCursor } from '../store/cursor.ts';
import { createPassing } from '../store/pass-over.ts';
import type { Actor, Store } from '../store/store.ts';
import { deliver } from './deliver.ts';
import { emailSender } from './email.ts';
import { forgetFailed, insertRow } from './notification-rows.ts';
import { onRequest } from './on-request.ts';
import { tellOperator, tellOperators } from './operators.ts';
import { ACTOR, type Facility, type Parts, type Send } from './parts.ts';
import { rowsOf } from './route-of.ts';
import type { Channel, NotifySettings } from './settings.ts';
import type { Templates } from './templates.ts';
import { webhookSender } from './webhook.ts';

export interface NotifyOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: NotifySettings;
  readonly facilities: readonly Facility[];
  readonly templates: Templates;
  /** Without trailing slash. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
}

export interface Notify {
  /** Takes what the log has and sends what is due. Nothing without channels. */
  tick(): Promise<void>;
  /** Nobody's answer is waited for longer than a second from now on. */
  stop(): void;
  /** Tells operators of an alert that the store could not keep. Resolves to whether they have it, or are not to be told. */
  tellDirectly(alert: AlertRow, at: number): Promise<boolean>;
  /**
   * Begins anew with a request that channels have failed at.
   * @returns how many messages wait now
   * @throws Fault not-found when there is no such request, conflict when nobody is to be told of it any more
   */
  retry(actor: Actor, request: string): Promise<number>;
}

const CURSOR = 'notify';
const LAST_MOMENT_MS = 1_000;

export function createNotify(options: NotifyOptions): Notify {
  const { store, clock, log, settings, facilities, templates, baseUrl, fetch } = options;
  const link = settings.link ?? `${baseUrl}/fhir/R4/Task/{task}`;
  const senderOf = (channel: Channel): Send =>
    channel.kind === 'email' ? emailSender(channel) : webhookSender(channel, clock, fetch);
  const ending = new AbortController();
  const parts: Parts = {
    ...{ store, clock, log, settings, facilities, templates },
    send: new Map(settings.channels.map((channel) => [channel.name, senderOf(channel)])),
    linkTo: (task) => link.replace('{task}', task),
    ending: ending.signal,
  };
  const handle = onRequest.bind(undefined, parts);
  const passing = createPassing({ store, clock, log, name: CURSOR, subject: CLOCKWORK });
  const consumer = createConsumer({ store, name: CURSOR, handle, passing, log });
  return {
    tellDirectly: (alert, at) => tellOperator(parts, alert, at),
    async tick() {
      await tellOperators(parts);
      if (settings.routes.length === 0) return;
      // Who is told from today on was not to be told of yesterday's.
      await beginCursor(store, ACTOR, CURSOR, await store.head());
      await consumer.run();
      await deliver(parts);
    },
    stop() {
      // Who answers within a moment is not told again after the restart.
      setTimeout(() => ending.abort(), LAST_MOMENT_MS).unref();
    },
    async retry(actor, request) {
      const asked = await readResource(store, 'CommunicationRequest', request);
      if (!asked) throw new Fault('not-found', `There is no CommunicationRequest/${request}.`);
      if (asked.status !== 'active') {
        throw new Fault(
          'conflict',
          `CommunicationRequest/${request} is ${asked.status}: nobody is to be told any more.`,
        );
      }
      const rows = await rowsOf(parts, asked, 0);
      const now = clock.real().epochMilliseconds;
      await store.commit(actor, [], [forgetFailed(request), ...rows.map((row) => insertRow(row, now))]);
      return rows.filter(({ state }) => state === 'waiting').length;
    },
  };
}
