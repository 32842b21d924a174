// Tells operators when accepted messages are not applied, or could not be: their senders were told that they are safe and will
// not send them again. docs/operations.md says for each alert what to do.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { CLOCKWORK, readActiveAlerts, turnAlert } from '../store/alert.ts';
import type { Store } from '../store/store.ts';
import { readBacklog } from './accepted.ts';

/** Of the oldest accepted message that is not applied. */
const BEHIND_SECONDS = 5 * 60;

export interface BacklogStatus {
  /** Messages that are accepted and not applied. */
  readonly waiting: number;
  /** Age of the first of them; 0 when there is none. */
  readonly oldestSeconds: number;
  /** Refused when they were applied, and nobody has dealt with them. */
  readonly refused: number;
}

export async function backlogStatus(store: Pick<Store, 'query'>, clock: Clock): Promise<BacklogStatus> {
  const { waiting, oldest, refused } = await readBacklog(store);
  const age = oldest ? clock.now().epochMilliseconds - oldest.epochMilliseconds : 0;
  return { waiting, oldestSeconds: Math.max(0, Math.round(age / 1000)), refused };
}

const CONDITIONS = {
  'intake-behind': {
    begins: 'intake.behind',
    ends: 'intake.caught-up',
    isOn: ({ oldestSeconds }: BacklogStatus) => oldestSeconds > BEHIND_SECONDS,
    tell: ({ waiting, oldestSeconds }: BacklogStatus) =>
      `${waiting} accepted messages wait to be applied, the first since ${oldestSeconds} s.`,
  },
  'intake-refused': {
    begins: 'intake.refused-after-acceptance',
    ends: 'intake.repaired',
    isOn: ({ refused }: BacklogStatus) => refused > 0,
    tell: ({ refused }: BacklogStatus) => `${refused} messages were accepted and could not be applied.`,
  },
} as const;

export interface WatchBacklogOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Has what waits applied. */
  readonly wake: () => void;
}

/** To be called often: raises what has begun or ended, and has applied what another process has left behind. */
export function watchBacklog({ store, clock, log, wake }: WatchBacklogOptions) {
  return {
    async tick(): Promise<void> {
      const now = await backlogStatus(store, clock);
      if (now.waiting > 0) wake();
      const on = await readActiveAlerts(store, CLOCKWORK);
      for (const [condition, { begins, ends, isOn, tell }] of Object.entries(CONDITIONS)) {
        const isOnNow = isOn(now);
        if (isOnNow === on.includes(condition)) continue;
        const alert = { subject: CLOCKWORK, event: isOnNow ? begins : ends, detail: tell(now) };
        if (!(await turnAlert(store, alert, condition, isOnNow, clock.real().epochMilliseconds))) continue;
        log.warn({ alert: alert.event, detail: alert.detail }, 'alert');
      }
    },
  };
}
