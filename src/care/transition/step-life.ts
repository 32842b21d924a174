// What a protocol says of a step beside its window: when its owner is reminded, how many attempts earn credit, when it is no
// longer useful, and who is told in turn when it is missed (StructureDefinition follow-up-life). A step inherits what the
// protocol's outer action says.
import type { Duration, Extension, PlanDefinitionAction } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { addBusinessDays } from '../business-calendar.ts';
import type { Anchor, FollowUpTiming } from '../deadline.ts';
import { atLocal, endOfDay, localDate } from '../local-time.ts';
import { EXTENSION } from '../systems.ts';

export const TOLD = ['owner', 'backup', 'supervisor'] as const;
export type Told = (typeof TOLD)[number];

/** Whole hours, or days: what they are counted in is said where they are used. */
export interface Span {
  readonly value: number;
  readonly unit: 'h' | 'd';
}

/** One step of the ladder on which a missed follow-up climbs. */
export interface Rung {
  readonly who: Told;
  /** After the deadline; days are business days. */
  readonly after: Span;
  /** Local time of day, with days. */
  readonly at?: Temporal.PlainTime;
}

export interface StepLife {
  /** Before the deadline. */
  readonly remind?: Span;
  /** Absent: attempts earn no credit. */
  readonly credit?: { readonly attempts: number; readonly apartHours: number };
  /** After the discharge, days to the end of the day; absent: it stays open until somebody ends it. */
  readonly expires?: Span;
  /** In order of time; the first is the deadline itself. */
  readonly ladder: readonly Rung[];
}

const OPENING = Temporal.PlainTime.from('09:00');

/** Who is told where a protocol does not say: the owner at once, then on the next business day backup and supervisor. */
export const LADDER: readonly Rung[] = [
  { who: 'owner', after: { value: 0, unit: 'h' } },
  { who: 'backup', after: { value: 1, unit: 'd' }, at: OPENING },
  { who: 'supervisor', after: { value: 1, unit: 'd' }, at: Temporal.PlainTime.from('13:00') },
];

/** Nobody puts the ladder of what is late off for longer at a time. */
export const LONGEST_REST = { days: 7 } as const;

const MOST = { h: 24 * 366, d: 366 } as const;

/** @throws Fault unprocessable, naming protocol and step, when what is said is impossible */
export function readStepLife(
  action: PlanDefinitionAction,
  outer: PlanDefinitionAction,
  timing: FollowUpTiming,
  protocol: string,
): StepLife {
  const refuse = (reason: string): never => {
    throw new Fault('unprocessable', `Protocol ${protocol}, step ${action.id}: follow-up-life.${reason}`);
  };
  const own = partsOf(action);
  const parts = (url: string) => {
    const said = own.filter((part) => part.url === url);
    return said.length > 0 ? said : partsOf(outer).filter((part) => part.url === url);
  };
  const span = (part: Extension | undefined) => part && readSpan(part, refuse);
  const remind = span(parts('remind')[0]);
  const expires = span(parts('expires')[0]);
  const apart = span(parts('apart')[0]);
  if (apart && apart.unit !== 'h') refuse('apart must be in hours (h).');
  const attempts = parts('attempts')[0]?.valuePositiveInt;
  if (expires && hoursOf(expires) < latestHours(timing)) refuse('expires lies before the deadline.');
  const rungs = parts('rung').map((part) => readRung(part, refuse));
  const late = rungs.findIndex((rung, at) => at > 0 && hoursOf(rung.after) < hoursOf(rungs[at - 1]?.after));
  if (late > 0) refuse('rung must be in the order of time.');
  return {
    ...(remind ? { remind } : {}),
    ...(attempts ? { credit: { attempts, apartHours: apart?.value ?? 0 } } : {}),
    ...(expires ? { expires } : {}),
    ladder: rungs.length > 0 ? rungs : LADDER,
  };
}

function partsOf({ extension }: PlanDefinitionAction): readonly Extension[] {
  return extension?.find(({ url }) => url === EXTENSION.life)?.extension ?? [];
}

function readSpan({ url, valueDuration }: Extension, refuse: (reason: string) => never): Span {
  const { value, code }: Duration = valueDuration ?? {};
  if (value === undefined || !Number.isInteger(value) || value < 0 || (code !== 'h' && code !== 'd')) {
    return refuse(`${url} must be a whole number of hours (h) or days (d).`);
  }
  return value > MOST[code] ? refuse(`${url} is longer than a year.`) : { value, unit: code };
}

function readRung({ extension }: Extension, refuse: (reason: string) => never): Rung {
  const part = (url: string) => extension?.find((one) => one.url === url);
  const who = TOLD.find((one) => one === part('who')?.valueCode);
  const after = part('after');
  if (!who || !after) return refuse(`rung must say who (${TOLD.join(', ')}) and after.`);
  const time = part('at')?.valueTime;
  return { who, after: readSpan(after, refuse), ...(time ? { at: Temporal.PlainTime.from(time) } : {}) };
}

const hoursOf = (span: Span | undefined) => (span ? span.value * (span.unit === 'd' ? 24 : 1) : 0);

/** Hours after the discharge that the deadline is at least. */
const latestHours = ({ count, due }: FollowUpTiming) => (count === 'elapsed' ? due : due * 24);

/** When the owner is reminded; undefined when that would not be within the window. */
export function remindAt(
  { remind }: StepLife,
  window: { readonly raise: Temporal.Instant; readonly due: Temporal.Instant },
  zone: string,
): Temporal.Instant | undefined {
  if (!remind) return undefined;
  const { value, unit } = remind;
  const at =
    unit === 'h'
      ? window.due.subtract({ hours: value })
      : window.due.toZonedDateTimeISO(zone).subtract({ days: value }).toInstant();
  return Temporal.Instant.compare(at, window.raise) > 0 ? at : undefined;
}

/** When the step is no longer useful; never before its deadline. */
export function expireAt(
  { expires }: StepLife,
  due: Temporal.Instant,
  { discharge, zone }: Pick<Anchor, 'discharge' | 'zone'>,
): Temporal.Instant | undefined {
  if (!expires) return undefined;
  const { value, unit } = expires;
  const at =
    unit === 'h' ? discharge.add({ hours: value }) : endOfDay(localDate(discharge, zone).add({ days: value }), zone);
  return Temporal.Instant.compare(at, due) < 0 ? due : at;
}

/** When a step of the ladder is taken. */
export function rungAt(
  { after, at = OPENING }: Rung,
  due: Temporal.Instant,
  { zone, calendar }: Pick<Anchor, 'zone' | 'calendar'>,
): Temporal.Instant {
  if (after.unit === 'h') return due.add({ hours: after.value });
  return atLocal(addBusinessDays(calendar, localDate(due, zone), after.value), at, zone);
}
