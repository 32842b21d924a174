// What operators are told of: conditions that begin and end, each told once at its beginning and once at its end, and
// things that happen. docs/operations.md says for each what to do. docs/sync-spec.md#I23

import type { Connection } from '../connections/settings.ts';
import type { SyncEvent } from '../context.ts';
import type { ConnectionHealth } from '../status.ts';

export interface AlertThresholds {
  /** A change may wait so long before it is on its way. */
  readonly lagSeconds: number;
  /** A connection may be silent so long, and three intervals at least, or so long after the time of its schedule. */
  readonly stalledSeconds: number;
  /** How long after the last quarantined resource the alert is on. */
  readonly quarantineSeconds: number;
}

export const THRESHOLDS: AlertThresholds = {
  lagSeconds: 300,
  stalledSeconds: 3_600,
  quarantineSeconds: 86_400,
};

export type Condition = 'breaker' | 'lag' | 'stalled' | 'parked' | 'rejected' | 'conflict' | 'quarantine' | 'unshown';

interface ConditionKind {
  /** Names of the events at its beginning and its end. */
  readonly begins: string;
  readonly ends: string;
  /** `as-it-was`: what there is to see neither begins nor ends it. */
  isOn(status: ConnectionHealth, connection: Connection, thresholds: AlertThresholds): boolean | 'as-it-was';
  /** One sentence with numbers, without patient data. */
  tell(status: ConnectionHealth): string;
}

export const CONDITIONS: Readonly<Record<Condition, ConditionKind>> = {
  breaker: {
    begins: 'breaker.opened',
    ends: 'breaker.closed',
    isOn: ({ breaker }) => breaker.state !== 'closed',
    tell: ({ breaker }) =>
      `The breaker is ${breaker.state}; the server was given up ${breaker.openings} times in a row.`,
  },
  lag: {
    begins: 'lag.exceeded',
    ends: 'lag.recovered',
    isOn: (status, { mode }, { lagSeconds }) => sends(mode) && lagOf(status) > lagSeconds,
    tell: (status) => `The oldest change that is not there has waited for ${lagOf(status)} s.`,
  },
  stalled: {
    begins: 'pull.stalled',
    ends: 'pull.resumed',
    isOn({ oldestRunSeconds, missedPullSeconds, atWorkSeconds }, connection, { stalledSeconds }) {
      const { mode, pullEverySeconds, schedule } = connection;
      const hasSchedule = schedule?.pull !== undefined;
      const limit = hasSchedule ? stalledSeconds : Math.max(stalledSeconds, 3 * pullEverySeconds);
      const silence = (hasSchedule ? missedPullSeconds : oldestRunSeconds) ?? 0;
      if ((mode !== 'both' && mode !== 'pull') || silence <= limit) return false;
      // Whether a type has its turn yet is seen when the pull that is getting on has ended.
      return atWorkSeconds !== null && atWorkSeconds <= limit ? 'as-it-was' : true;
    },
    tell: ({ oldestRunSeconds, missedPullSeconds }) =>
      missedPullSeconds === null
        ? `A type was last read ${oldestRunSeconds ?? 0} s ago, or never since it was to be.`
        : `A type should have been read ${missedPullSeconds} s ago.`,
  },
  parked: {
    begins: 'parked.first',
    ends: 'parked.cleared',
    isOn: ({ parked }) => parked > 0,
    tell: ({ parked }) => `${parked} outbox entries are parked.`,
  },
  rejected: {
    begins: 'rejected.first',
    ends: 'rejected.cleared',
    isOn: ({ rejected }) => rejected > 0,
    tell: ({ rejected }) => `${rejected} resources were refused by the server and have not changed since.`,
  },
  conflict: {
    begins: 'conflict.first',
    ends: 'conflict.cleared',
    isOn: ({ openConflicts }) => openConflicts > 0,
    tell: ({ openConflicts }) => `${openConflicts} conflicts wait for a person.`,
  },
  quarantine: {
    begins: 'quarantine.first',
    ends: 'quarantine.quiet',
    isOn: ({ lastQuarantinedSeconds }, _connection, { quarantineSeconds }) =>
      lastQuarantinedSeconds !== null && lastQuarantinedSeconds < quarantineSeconds,
    tell: ({ quarantined }) => `${quarantined} received resources are kept aside.`,
  },
  unshown: {
    begins: 'unshown.first',
    ends: 'unshown.cleared',
    isOn: ({ unshown }) => unshown > 0,
    tell: ({ unshown }) =>
      `${unshown} received resources wait, because the server fails to show a record that they name.`,
  },
};

/** Events that are an alert by themselves. Where they have an end, the event itself tells it. */
export const HAPPENINGS: Readonly<Partial<Record<SyncEvent['kind'], Happening>>> = {
  capability: { event: 'capability.changed', detail: () => 'The server can do something more, or less, than before.' },
  epoch: { event: 'server.replaced', detail: () => 'The server is not the one it was; everything is read again.' },
  address: { event: 'address.changed', detail: () => 'The links lead to another server than the one it has now.' },
  clock: { event: 'clock.skewed', ends: 'clock.agreed', detail: () => "The server's clock and ours are apart." },
  'refused-type': {
    event: 'type.refused',
    ends: 'type.given',
    detail: ({ type }) => `The server refuses ${type ?? 'a type'}.`,
  },
  subscription: {
    event: 'subscription.stopped',
    detail: ({ type }) => `The Subscription for ${type || 'all types'} has stopped there.`,
  },
  'merge-refused': { event: 'merge.refused', detail: () => 'Two patients cannot be merged yet.' },
  sweep: { event: 'sweep.implausible', detail: ({ type }) => `A sweep of ${type ?? 'a type'} misses too much.` },
};

export interface Happening {
  readonly event: string;
  readonly ends?: string;
  /** When the event has no words of its own. */
  detail(event: SyncEvent): string;
}

/** Seconds that the oldest change has waited for, in the log or in the outbox. */
export function lagOf({ feedLagSeconds, oldestQueuedSeconds }: ConnectionHealth): number {
  return Math.max(feedLagSeconds, oldestQueuedSeconds);
}

function sends(mode: Connection['mode']): boolean {
  return mode === 'both' || mode === 'push';
}
