// Tells people of follow-ups: reads the log for reminders, and sends what is due by the channels of the configuration.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { createConsumer } from '../store/consumer.ts';
import { beginCursor } from '../store/cursor.ts';
import type { Store } from '../store/store.ts';
import { deliver } from './deliver.ts';
import { emailSender } from './email.ts';
import { onRequest } from './on-request.ts';
import { ACTOR, type Facility, type Parts, type Send } from './parts.ts';
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
}

const CURSOR = 'notify';

export function createNotify(options: NotifyOptions): Notify {
  const { store, clock, log, settings, facilities, templates, baseUrl, fetch } = options;
  const link = settings.link ?? `${baseUrl}/fhir/R4/Task/{task}`;
  const senderOf = (channel: Channel): Send =>
    channel.kind === 'email' ? emailSender(channel, templates) : webhookSender(channel, clock, fetch);
  const parts: Parts = {
    ...{ store, clock, log, settings, facilities },
    send: new Map(settings.channels.map((channel) => [channel.name, senderOf(channel)])),
    linkTo: (task) => link.replace('{task}', task),
  };
  const handle = onRequest.bind(undefined, parts);
  const consumer = createConsumer({ store, name: CURSOR, handle, log });
  return {
    async tick() {
      if (settings.routes.length === 0) return;
      // Who is told from today on was not to be told of yesterday's.
      await beginCursor(store, ACTOR, CURSOR, await store.head());
      await consumer.run();
      await deliver(parts);
    },
  };
}
