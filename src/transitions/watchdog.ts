// Tells operators when follow-ups are not looked after: the heartbeat has stopped, sweeps leave what is due, some fail for
// good, the machine's clock is wrong, or a calendar ends. It has a beat of its own. docs/operations.md says for each what to do.
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { CLOCKWORK, readActiveAlerts, turnAlert } from '../store/alert.ts';
import type { SqlValue, Store } from '../store/store.ts';
import { isFarApart } from './clock-check.ts';
import type { Facilities } from './facilities.ts';
import type { Pulse, PulseStatus } from './pulse.ts';

export interface WatchStatus extends PulseStatus {
  /** Follow-ups that sweeps have failed at several times. */
  readonly failing: number;
  /** Messages that no channel could deliver. */
  readonly undelivered: number;
  /** Messages that ought to have been sent a while ago: a channel hangs, or has no route any more. */
  readonly unsent: number;
  /** What calendars of facilities lack for the deadlines ahead, as sentences. */
  readonly lacks: readonly string[];
}

interface Condition {
  /** It is a matter of one machine; the others do not end it. */
  readonly ofMachine?: true;
  readonly begins: string;
  readonly ends: string;
  isOn(status: WatchStatus): boolean;
  /** One sentence with numbers, without patient data. */
  tell(status: WatchStatus): string;
}

const SILENT_SECONDS = 5 * 60;
const BEHIND_SECONDS = 15 * 60;
/** Failures of one follow-up; a single one may be anybody's. */
const SEVERAL = 3;

export const CONDITIONS: Readonly<Record<string, Condition>> = {
  heartbeat: {
    begins: 'heartbeat.stopped',
    ends: 'heartbeat.resumed',
    isOn: ({ secondsSinceBeat }) => secondsSinceBeat > SILENT_SECONDS,
    tell: ({ secondsSinceBeat }) => `The last heartbeat that ended well was ${secondsSinceBeat} s ago.`,
  },
  behind: {
    begins: 'follow-ups.behind',
    ends: 'follow-ups.caught-up',
    isOn: ({ secondsBehind }) => secondsBehind > BEHIND_SECONDS,
    tell: ({ secondsBehind }) => `Sweeps have left something that is due for ${secondsBehind} s.`,
  },
  failing: {
    begins: 'follow-ups.failing',
    ends: 'follow-ups.recovered',
    isOn: ({ failing }) => failing > 0,
    tell: ({ failing }) => `${failing} follow-ups could not be acted on ${SEVERAL} times or more.`,
  },
  clock: {
    ofMachine: true,
    begins: 'machine-clock.skewed',
    ends: 'machine-clock.agreed',
    isOn: ({ secondsAhead }) => isFarApart(secondsAhead),
    tell: ({ secondsAhead }) => `This machine's clock is ${secondsAhead} s ahead of the database's.`,
  },
  undelivered: {
    begins: 'notifications.undelivered',
    ends: 'notifications.delivered',
    isOn: ({ undelivered }) => undelivered > 0,
    tell: ({ undelivered }) => `${undelivered} messages about follow-ups could not be delivered by any channel.`,
  },
  unsent: {
    begins: 'notifications.stuck',
    ends: 'notifications.moving',
    isOn: ({ unsent }) => unsent > 0,
    tell: ({ unsent }) => `${unsent} messages about follow-ups wait, and nobody has tried to send them for a while.`,
  },
  calendars: {
    begins: 'calendars.ending',
    ends: 'calendars.extended',
    isOn: ({ lacks }) => lacks.length > 0,
    tell: ({ lacks }) => lacks.join(' '),
  },
};

export interface Watchdog {
  status(): Promise<WatchStatus>;
  /** Sentences about what is wrong with this process now; empty when all is well. */
  complaints(): Promise<string[]>;
  /** Raises what has begun or ended. */
  look(): Promise<void>;
}

const FAILING = 'SELECT COUNT(*) AS n FROM sweep_failure WHERE failures >= ?';
const UNDELIVERED = "SELECT COUNT(*) AS n FROM notification WHERE state = 'undelivered'";
const UNSENT = "SELECT COUNT(*) AS n FROM notification WHERE state = 'waiting' AND next_at < ?";

export interface WatchdogOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pulse: Pick<Pulse, 'status'>;
  readonly facilities: Pick<Facilities, 'lacks'>;
}

export function createWatchdog({ store, clock, log, pulse, facilities }: WatchdogOptions): Watchdog {
  async function status(): Promise<WatchStatus> {
    const count = async (sql: string, params: SqlValue[]) => Number((await store.query(sql, params))[0]?.n ?? 0);
    return {
      ...(await pulse.status()),
      failing: await count(FAILING, [SEVERAL]),
      undelivered: await count(UNDELIVERED, []),
      unsent: await count(UNSENT, [clock.real().epochMilliseconds - BEHIND_SECONDS * 1000]),
      lacks: facilities.lacks(clock.now()),
    };
  }
  return {
    status,
    async complaints() {
      const now = await status();
      const here = { ...now, secondsSinceBeat: Math.max(now.secondsSinceBeat, now.ownSecondsSinceBeat) };
      return Object.values(CONDITIONS).flatMap(({ isOn, tell }) => (isOn(here) ? [tell(here)] : []));
    },
    async look() {
      const now = await status();
      const on = new Set(await readActiveAlerts(store, CLOCKWORK));
      for (const [name, { begins, ends, isOn, tell, ofMachine }] of Object.entries(CONDITIONS)) {
        const condition = ofMachine ? `${name}@${hostname()}` : name;
        const isOnNow = isOn(now);
        if (isOnNow === on.has(condition)) continue;
        const alert = { subject: CLOCKWORK, event: isOnNow ? begins : ends, detail: tell(now) };
        if (!(await turnAlert(store, alert, condition, isOnNow, clock.real().epochMilliseconds))) continue;
        log.warn({ alert: alert.event, detail: alert.detail }, 'alert');
      }
    },
  };
}
