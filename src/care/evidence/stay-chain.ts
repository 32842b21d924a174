// Stays that HEDIS counts as one: a readmission or direct transfer within 30 days of a discharge extends the episode, which
// has the first admission and the last discharge.
import type { Encounter } from '@medplum/fhirtypes';
import { isStandIn } from '../../fhir/stand-in-end.ts';
import { toFhirDateTime, toInstant } from '../local-time.ts';
import { toldEnd } from '../transition/discharge.ts';
import { type HedisFacts, type Moment, momentOf, toldDischarge } from './evidence-facts.ts';
import type { TrcRules } from './evidence-rules.ts';

interface Stay {
  readonly encounter: Encounter;
  readonly from: Moment;
  /** Undefined while the patient is in. */
  readonly until: Moment | undefined;
  /** The stay is over, but nobody has told since when; `until` is what that is counted as, or when it was recorded. */
  readonly isAssumed: boolean;
}

export interface StayChain {
  /** In their order; the transition's own is one of them. */
  readonly stays: readonly Stay[];
  readonly admitted: Moment | undefined;
  /** Undefined while the patient is in again. */
  readonly discharged: Moment | undefined;
  /** The discharge that began the transition is the last one. */
  readonly isLast: boolean;
  /** Those of whose ends it is not known when they were: what is in the chain, or would be, may depend on them. */
  readonly assumed: readonly Stay[];
}

const REAL: readonly Encounter['status'][] = ['finished', 'in-progress', 'onleave', 'arrived'];

/** The stays around the one of the transition. */
export function chainOf(facts: HedisFacts, { stays: classes, chainDays }: TrcRules): StayChain {
  const own = facts.encounter;
  const all = [...facts.encounters.filter(({ id }) => id !== own.id), own]
    .filter(
      ({ id, status, class: kind }) => id === own.id || (REAL.includes(status) && classes.includes(kind.code ?? '')),
    )
    .flatMap((encounter) => {
      const from = momentOf(encounter.period?.start ?? toldEnd(encounter, facts.zone), facts.zone);
      return from ? [{ encounter, from }] : [];
    })
    .toSorted((a, b) => Temporal.Instant.compare(a.from.at, b.from.at))
    .map((stay, at, sorted): Stay => ({ ...stay, ...endOf(facts, stay.encounter, sorted[at + 1]?.from) }));
  const at = all.findIndex(({ encounter }) => encounter.id === own.id);
  let [first, last] = [at, at];
  while (first > 0 && follows(all[first - 1], all[first], chainDays)) first--;
  while (last >= 0 && last < all.length - 1 && follows(all[last], all[last + 1], chainDays)) last++;
  const stays = at < 0 ? [] : all.slice(first, last + 1);
  const assumed = at < 0 ? [] : all.slice(Math.max(first - 1, 0), last + 1).filter(({ isAssumed }) => isAssumed);
  return { stays, admitted: stays[0]?.from, discharged: stays.at(-1)?.until, isLast: last === at, assumed };
}

/** @param next when the next stay began: the patient had left by then */
function endOf(facts: HedisFacts, encounter: Encounter, next: Moment | undefined): Pick<Stay, 'until' | 'isAssumed'> {
  if (encounter.status !== 'finished') return { until: undefined, isAssumed: false };
  const isOwn = encounter.id === facts.encounter.id;
  const told = momentOf(isOwn ? toldDischarge(facts) : toldEnd(encounter, facts.zone), facts.zone);
  if (told && !isStandIn(encounter.period)) return { until: told, isAssumed: false };
  const counted = isOwn ? facts.discharge : (facts.counted.get(encounter.id ?? '') ?? told?.at ?? heardAt(encounter));
  const isBefore = isOwn || !next || (counted && Temporal.Instant.compare(counted, next.at) < 0);
  const until = isBefore ? counted && momentOf(toFhirDateTime(counted, facts.zone), facts.zone) : next;
  return { until, isAssumed: until !== undefined };
}

/** Without a transition the stay was over when it was last told. */
function heardAt({ meta }: Encounter): Temporal.Instant | undefined {
  return meta?.lastUpdated === undefined ? undefined : toInstant(meta.lastUpdated, 'UTC');
}

function follows(before: Stay | undefined, after: Stay | undefined, days: number): boolean {
  if (!before?.until || !after) return false;
  return before.until.day.until(after.from.day, { largestUnit: 'days' }).days <= days;
}
