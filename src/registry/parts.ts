// What the parts of the registry share.
import type { Logger } from 'pino';
import type { Panels } from '../care/panels/panels.ts';
import type { Clock } from '../clock.ts';
import type { SearchQuery } from '../fhir/search/query.ts';
import type { Actor, Store } from '../store/store.ts';

export interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  /** IANA time zone in which days begin and end. */
  readonly zone: string;
  readonly panels: Panels;
  /** `Type?parameters` as the store's search takes it. */
  readonly parse: (query: string) => SearchQuery;
  readonly log: Logger;
  /** A record was passed over: the rules cannot work with it. */
  readonly failed: () => void;
  /** Aborted when Baton stops: nothing new is begun. */
  readonly signal: AbortSignal;
}

export const ACTOR: Actor = { reference: 'Device/baton-registry', kind: 'service' };
