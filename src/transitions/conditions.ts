// What the watchdog tells operators of: each begins and ends. docs/operations.md says for each what to do.
import { isFarApart } from './clock-check.ts';
import type { PulseStatus } from './pulse.ts';

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

export interface Condition {
  /** It is a matter of one machine; the others do not end it. */
  readonly ofMachine?: true;
  readonly begins: string;
  readonly ends: string;
  isOn(status: WatchStatus): boolean;
  /** One sentence with numbers, without patient data. */
  tell(status: WatchStatus): string;
}

const SILENT_SECONDS = 5 * 60;
export const BEHIND_SECONDS = 15 * 60;
/** Failures of one follow-up; a single one may be anybody's. */
export const SEVERAL = 3;

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
