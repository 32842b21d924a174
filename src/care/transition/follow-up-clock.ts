// When the next thing happens to a follow-up, kept on the Task itself (StructureDefinition follow-up-clock), so that the store
// alone decides what is due, whatever was restarted in between.
import type { Extension, Task } from '@medplum/fhirtypes';
import type { Anchor, LatePolicy, Window } from '../deadline.ts';
import { toFhirDateTime } from '../local-time.ts';
import { EXTENSION } from '../systems.ts';
import type { ProtocolStep } from './protocol.ts';
import { expireAt, remindAt } from './step-life.ts';

export interface FollowUpClock {
  /** `url|version` of the protocol that planned it. */
  readonly protocol?: string;
  /** FHIR dateTime of the deadline that the rest was counted from. */
  readonly deadline?: string;
  readonly remindAt?: string;
  /** The next step of the ladder; the deadline itself is the first and needs none. */
  readonly escalateAt?: string;
  /** The end of an acknowledgement, which put `escalateAt` off. */
  readonly until?: string;
  readonly expireAt?: string;
  readonly late: LatePolicy;
  /** So many separate attempts in time earn credit; absent: none do. */
  readonly attempts?: number;
  /** Hours between two attempts for them to be separate. */
  readonly apart?: number;
  /** Steps of the ladder that were taken. */
  readonly rung: number;
  /** How often the ladder was begun: a missed follow-up that is given another deadline may be missed again. */
  readonly cycle: number;
  /** Somebody has set the deadline: a corrected discharge leaves it where it is. */
  readonly fixed?: true;
}

/** The clock of a Task; an empty one when it has none. */
export function clockOf({ extension }: Task): FollowUpClock {
  const parts = extension?.find(({ url }) => url === EXTENSION.clock)?.extension ?? [];
  const part = (url: string) => parts.find((one) => one.url === url);
  const [protocol, deadline] = [part('protocol')?.valueCanonical, part('deadline')?.valueDateTime];
  const [remind, escalate, until, expire] = ['remind-at', 'escalate-at', 'until', 'expire-at'].map(
    (url) => part(url)?.valueDateTime,
  );
  const [attempts, apart] = [part('attempts')?.valuePositiveInt, part('apart')?.valuePositiveInt];
  return {
    ...(protocol ? { protocol } : {}),
    ...(deadline ? { deadline } : {}),
    ...(remind ? { remindAt: remind } : {}),
    ...(escalate ? { escalateAt: escalate } : {}),
    ...(until ? { until } : {}),
    ...(expire ? { expireAt: expire } : {}),
    ...(attempts ? { attempts } : {}),
    ...(apart ? { apart } : {}),
    late: (part('late')?.valueCode as LatePolicy | undefined) ?? 'fire',
    rung: part('rung')?.valuePositiveInt ?? 0,
    cycle: part('cycle')?.valuePositiveInt ?? 1,
    ...(part('fixed')?.valueBoolean ? { fixed: true } : {}),
  };
}

/** The Task with another clock and all its other extensions. */
export function withClock(task: Task, clock: FollowUpClock): Task {
  const others = (task.extension ?? []).filter(({ url }) => url !== EXTENSION.clock);
  return { ...task, extension: [...others, writeClock(clock)] };
}

export function writeClock({
  protocol,
  deadline,
  late,
  rung,
  cycle,
  attempts,
  apart,
  fixed,
  ...at
}: FollowUpClock): Extension {
  const moment = (url: string, valueDateTime: string | undefined) => (valueDateTime ? [{ url, valueDateTime }] : []);
  return {
    url: EXTENSION.clock,
    extension: [
      ...(protocol ? [{ url: 'protocol', valueCanonical: protocol }] : []),
      ...moment('deadline', deadline),
      ...moment('remind-at', at.remindAt),
      ...moment('escalate-at', at.escalateAt),
      ...moment('until', at.until),
      ...moment('expire-at', at.expireAt),
      ...(late === 'fire' ? [] : [{ url: 'late', valueCode: late }]),
      ...(attempts ? [{ url: 'attempts', valuePositiveInt: attempts }] : []),
      ...(apart ? [{ url: 'apart', valuePositiveInt: apart }] : []),
      ...(rung > 0 ? [{ url: 'rung', valuePositiveInt: rung }] : []),
      ...(cycle > 1 ? [{ url: 'cycle', valuePositiveInt: cycle }] : []),
      ...(fixed ? [{ url: 'fixed', valueBoolean: true }] : []),
    ],
  };
}

/** The clock of a follow-up that begins: nothing has happened yet. */
export function newClock(
  protocol: string,
  { timing, life }: Pick<ProtocolStep, 'timing' | 'life'>,
  window: Window,
  anchor: Anchor,
): FollowUpClock {
  const { zone } = anchor;
  const remind = remindAt(life, window, zone);
  const expire = expireAt(life, window.due, anchor);
  return {
    protocol,
    deadline: toFhirDateTime(window.due, zone),
    ...(remind ? { remindAt: toFhirDateTime(remind, zone) } : {}),
    ...(expire ? { expireAt: toFhirDateTime(expire, zone) } : {}),
    late: timing.late ?? 'fire',
    ...(life.credit ? { attempts: life.credit.attempts, apart: life.credit.apartHours } : {}),
    rung: 0,
    cycle: 1,
  };
}
