// What the parts of subscriptions share.
import type { Logger } from 'pino';
import type { Access } from '../access/access.ts';
import type { Grant } from '../access/grant.ts';
import type { Clock } from '../clock.ts';
import type { Matcher } from '../fhir/search/in-memory/matcher.ts';
import type { Actor, Store, StoredVersion } from '../store/store.ts';
import type { SecretBox } from './headers.ts';
import type { SubscriptionSettings } from './settings.ts';
import type { Rules, Wanted } from './wanted.ts';

export const ACTOR: Actor = { reference: 'Device/baton-subscriptions', kind: 'service' };
/** Of alerts; no connection can be called that. */
export const SUBJECT = 'baton/subscriptions';

/** What a grant may see now, as a read at this moment would. */
export interface Sight {
  /** The current version; undefined when it is out of reach, withheld, deleted or never was. */
  read(grant: Grant, type: string, id: string): Promise<StoredVersion | undefined>;
  /** Whether nothing of the type is kept from it, what is deleted included. */
  reachesAll(grant: Grant, type: string): boolean;
  /** @throws Fault forbidden when it may read nothing of the type */
  requireRead(grant: Grant, type: string): void;
}

/** What searches and topics mean now: another object when guides have changed it. */
export interface Meaning {
  readonly matcher: Matcher;
  readonly rules: Rules;
  /** @throws Fault unprocessable */
  wantedBy(content: string): Wanted;
}

export interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: SubscriptionSettings;
  readonly access: Pick<Access, 'keep' | 'renew'>;
  readonly sight: Sight;
  readonly box: SecretBox;
  readonly meaning: () => Meaning;
  /** FHIR base URL without trailing slash. */
  readonly base: () => string;
  readonly fetch: typeof globalThis.fetch;
  /** Aborted when this process ends: nobody's answer is waited for any more. */
  readonly ending: AbortSignal;
}
