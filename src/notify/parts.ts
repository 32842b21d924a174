// What the parts of notify share.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Actor, Store } from '../store/store.ts';
import type { Notice } from './message.ts';
import type { NotifySettings } from './settings.ts';

export const ACTOR: Actor = { reference: 'Device/baton-notify', kind: 'service' };

export interface Parcel {
  /** The same for every attempt at the same notices. */
  readonly id: string;
  /** '' where the channel has one address only. */
  readonly address: string;
  readonly notices: readonly Notice[];
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
  readonly linkTo: (task: string) => string;
}
