// What one run on one connection works with.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { LabelPolicy } from '../fhir/consent/label-policy.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import type { BreakerState } from '../remote/breaker.ts';
import type { Capability } from '../remote/capability.ts';
import type { FhirClient } from '../remote/fhir-client.ts';
import type { Remote } from '../remote/remote.ts';
import type { Statement, Store } from '../store/store.ts';
import type { Meter } from './alerts/meter.ts';
import type { Policies } from './conflicts/policies.ts';
import type { Connection } from './connections/settings.ts';
import type { Hook } from './hints/settings.ts';
import type { MappingContext } from './mapping.ts';
import { auditExchange, type Exchanged } from './messages/audit-exchange.ts';
import { ExchangeLog } from './messages/message-log.ts';
import type { PatientMatching } from './patients/match-rules.ts';

/** What the question whether a resource may go to a recipient is asked with. */
export interface ConsentContext {
  readonly parameters: SearchParameters;
  readonly labels: LabelPolicy;
}

/** Told after the commit that made it true. Ids and types only. */
export interface SyncEvent {
  readonly kind:
    | 'pushed'
    | 'pulled'
    | 'conflict'
    | 'parked'
    | 'rejected'
    | 'withheld'
    | 'quarantined'
    | 'breaker'
    | 'capability'
    | 'refused-type'
    | 'epoch'
    | 'sweep'
    | 'clock'
    /** The connection has another server than the one its links lead to. */
    | 'address'
    | 'merged'
    | 'unmerged'
    /** The store does not let a merge go on. */
    | 'merge-refused'
    /** A Subscription at the remote has stopped. */
    | 'subscription'
    | 'alert';
  readonly connection: string;
  readonly type?: string;
  readonly localId?: string;
  readonly remoteId?: string;
  readonly operation?: 'create' | 'update' | 'delete';
  readonly state?: BreakerState;
  /** What changed, in words; never content of resources. */
  readonly detail?: string;
  /** What was told of before has ended. */
  readonly isOver?: boolean;
  /** Name of an alert, e.g. `lag.exceeded`. */
  readonly alert?: string;
}

/** What a connection has as long as the process lives. */
export interface ConnectionContext {
  readonly connection: Connection;
  readonly remote: Remote;
  readonly mapping: MappingContext;
  readonly store: Store;
  readonly clock: Clock;
  readonly policies: Policies;
  readonly matching: PatientMatching;
  readonly consent: ConsentContext;
  readonly log: Logger;
  readonly emit: (event: SyncEvent) => void;
  readonly meter: Meter;
  readonly random: () => number;
  /** Where the remote may notify; undefined when it is not to be asked to. @throws Fault unavailable */
  readonly hook?: () => Hook | undefined;
  /** Aborted when Baton stops; checked between units of work. */
  readonly signal: AbortSignal;
}

/** What a body is put into the terms of the other side with. */
export type MappedContext = Pick<ConnectionContext, 'store' | 'connection' | 'mapping'>;

export interface RunContext extends ConnectionContext {
  readonly runId: string;
  readonly capability: Capability;
  readonly client: FhirClient;
  readonly exchanges: ExchangeLog;
  /** Tells the state of the server that streams were read from; changes when it was wiped or restored, too. */
  readonly epoch: string;
  /** Of the lease that the run holds, for each of its commits. */
  readonly fence?: Statement;
  /** Remote ids of the patients in scope; undefined when it is all that are linked. */
  readonly scope?: ReadonlySet<string> | undefined;
  /** The message that the run repeats; its messages name it. */
  readonly replayOf?: string;
}

/**
 * The same run for another unit of work, with exchanges of its own.
 * @param about the local resource they are about, if it is one
 */
export function ownExchanges(context: RunContext, about?: Exchanged): RunContext {
  const exchanges = new ExchangeLog((exchange) => auditExchange(context, context.runId, exchange, about));
  return { ...context, exchanges, client: context.remote.session(exchanges.record) };
}

/** The machine's clock, epoch milliseconds: for leases, backoff and the record. */
export function realNow(context: ConnectionContext): number {
  return context.clock.real().epochMilliseconds;
}
