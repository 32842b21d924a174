// What the parts of notify share.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Actor, Store } from '../store/store.ts';
import type { NotifySettings } from './settings.ts';
import type { Templates } from './templates.ts';

export const ACTOR: Actor = { reference: 'Device/baton-notify', kind: 'service' };

export interface Parcel {
  /** The same for every attempt at the same content. */
  readonly id: string;
  /** '' where the channel has one address only. */
  readonly address: string;
  /** What it is about, for programs: a code of message-reason, `digest`, or the name of an alert. */
  readonly type: string;
  readonly data: object;
  /** The same for people. */
  readonly subject: string;
  readonly text: string;
}

/** Sends unless this process is ending; what nobody has answered by then is sent again, under the same id. */
export async function sendUnlessEnding(send: Send, parcel: Parcel, ending: AbortSignal): Promise<void> {
  const ended = Promise.withResolvers<never>();
  const give = () => ended.reject(new Error('This process ends and waits no longer.'));
  if (ending.aborted) give();
  ending.addEventListener('abort', give, { once: true });
  try {
    await Promise.race([ended.promise, send(parcel)]);
  } finally {
    ending.removeEventListener('abort', give);
  }
}

/** Resolves when the other side has it. Rejects with an Error whose message is a sentence without patient data. */
export type Send = (parcel: Parcel) => Promise<void>;

export interface Facility {
  /** MSH-4; `*` stands for every other. */
  readonly code: string;
  /** IANA time zone. */
  readonly zone: string;
}

export interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: NotifySettings;
  readonly facilities: readonly Facility[];
  /** By the name of the channel. */
  readonly send: ReadonlyMap<string, Send>;
  readonly templates: Templates;
  readonly linkTo: (task: string) => string;
  /** Aborted when this process ends: nobody's answer is waited for any more. */
  readonly ending: AbortSignal;
}
