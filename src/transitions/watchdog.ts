// Tells operators when follow-ups are not looked after: the heartbeat has stopped, sweeps leave what is due, some fail for
// good, the machine's clock is wrong, or a calendar ends. It has a beat of its own, and needs no store to tell of a heartbeat
// that stopped because there is none.
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault } from '../fault.ts';
import { type AlertRow, CLOCKWORK, readActiveAlerts, turnAlert, writeAlert } from '../store/alert.ts';
import { BATON, type SqlValue, type Store } from '../store/store.ts';
import { BEHIND_SECONDS, CONDITIONS, type Condition, SEVERAL, type WatchStatus } from './conditions.ts';
import type { Facilities } from './facilities.ts';
import type { Pulse, PulseStatus } from './pulse.ts';

export interface Watchdog {
  status(): Promise<WatchStatus>;
  /** How beats go; what this process knows by itself when the store cannot be asked. */
  pulse(): Promise<PulseStatus>;
  /** Sentences about what is wrong with this process now; empty when all is well. */
  complaints(): Promise<string[]>;
  /** Raises what has begun or ended. */
  look(): Promise<void>;
}

const FAILING = 'SELECT COUNT(*) AS n FROM sweep_failure WHERE failures >= ?';
const UNDELIVERED = "SELECT COUNT(*) AS n FROM notification WHERE state = 'undelivered'";
const UNSENT = "SELECT COUNT(*) AS n FROM notification WHERE state = 'waiting' AND next_at < ?";

/**
 * Takes an alert that the store cannot keep to the operators.
 * @param at when it began, epoch milliseconds: with its name what it is known by when it is told again
 * @returns false when no channel has taken it
 */
export type TellDirectly = (alert: AlertRow, at: number) => Promise<boolean>;

export interface WatchdogOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pulse: Pick<Pulse, 'status' | 'own'>;
  readonly facilities: Pick<Facilities, 'lacks'>;
  readonly tellDirectly: TellDirectly;
}

/** An alert that has begun and that the store could not keep so far. */
interface Unkept {
  readonly alert: AlertRow;
  /** Epoch milliseconds. */
  readonly at: number;
}

export function createWatchdog({ store, clock, log, pulse, facilities, tellDirectly }: WatchdogOptions): Watchdog {
  const unkept = new Map<string, Unkept>();
  let lastKept: readonly string[] = [];
  const now = () => clock.real().epochMilliseconds;

  async function status(): Promise<WatchStatus> {
    const count = async (sql: string, params: SqlValue[]) => Number((await store.query(sql, params))[0]?.n ?? 0);
    return {
      ...(await pulse.status()),
      failing: await count(FAILING, [SEVERAL]),
      undelivered: await count(UNDELIVERED, []),
      unsent: await count(UNSENT, [now() - BEHIND_SECONDS * 1000]),
      lacks: facilities.lacks(clock.now()),
    };
  }

  /** What can be told without the store: nothing of what is counted there. */
  function statusAlone(): WatchStatus {
    return { ...pulse.own(), failing: 0, undelivered: 0, unsent: 0, lacks: facilities.lacks(clock.now()) };
  }

  async function begin(condition: string, alert: AlertRow): Promise<void> {
    const before = unkept.get(condition);
    try {
      const isFirst = await turnAlert(store, before?.alert ?? alert, condition, true, now());
      unkept.delete(condition);
      if (isFirst && !before) log.warn({ alert: alert.event, detail: alert.detail }, 'alert');
    } catch (error) {
      if (!before) log.warn({ alert: alert.event, detail: alert.detail }, 'alert');
      log.error(
        { err: asFault(error), alert: alert.event },
        'an alert could not be kept; it is told without the store',
      );
      const { alert: first, at } = before ?? { alert, at: now() };
      unkept.set(condition, { alert: { ...first, isTold: first.isTold || (await tellDirectly(first, at)) }, at });
    }
  }

  async function end(condition: string, alert: AlertRow): Promise<void> {
    const before = unkept.get(condition);
    // Nobody but this process knows that it had begun.
    if (before) await store.commit(BATON, [], [writeAlert(before.alert, before.at), writeAlert(alert, now())]);
    else if (!(await turnAlert(store, alert, condition, false, now()))) return;
    unkept.delete(condition);
    log.warn({ alert: alert.event, detail: alert.detail }, 'alert');
  }

  async function turn(name: string, rule: Condition, seen: WatchStatus, kept: readonly string[] | undefined) {
    const condition = rule.ofMachine ? `${name}@${hostname()}` : name;
    const isOn = rule.isOn(seen);
    const alert = { subject: CLOCKWORK, event: isOn ? rule.begins : rule.ends, detail: rule.tell(seen) };
    const isKept = lastKept.includes(condition);
    if (isOn && !isKept) return begin(condition, alert);
    // What the store counts says nothing while it cannot be asked.
    if (!isOn && kept && (isKept || unkept.has(condition))) return end(condition, alert);
  }

  return {
    status,
    pulse: () => pulse.status().catch(pulse.own),
    async complaints() {
      const seen = await status().catch(statusAlone);
      const here = { ...seen, secondsSinceBeat: Math.max(seen.secondsSinceBeat, seen.ownSecondsSinceBeat) };
      return Object.values(CONDITIONS).flatMap(({ isOn, tell }) => (isOn(here) ? [tell(here)] : []));
    },
    async look() {
      const [seen, kept] = await Promise.all([status(), readActiveAlerts(store, CLOCKWORK)]).catch(
        () => [statusAlone(), undefined] as const,
      );
      lastKept = kept ?? lastKept;
      for (const [name, rule] of Object.entries(CONDITIONS)) {
        await turn(name, rule, seen, kept).catch((error) =>
          log.error(
            { err: asFault(error), alert: rule.ends },
            'an alert could not be ended; tried again at the next beat',
          ),
        );
      }
    },
  };
}
