// Stays that HEDIS counts as one: a readmission or direct transfer within 30 days of a discharge extends the episode, which
// has the first admission and the last discharge.
import type { Encounter } from '@medplum/fhirtypes';
import { MOST_AHEAD } from '../transition/discharge.ts';
import { type EvidenceFacts, type Moment, momentOf } from './evidence-facts.ts';
import type { TrcRules } from './evidence-rules.ts';

interface Stay {
  readonly encounter: Encounter;
  readonly from: Moment;
  /** Undefined while the patient is in. */
  readonly until: Moment | undefined;
}

export interface StayChain {
  /** In their order; the transition's own is one of them. */
  readonly stays: readonly Stay[];
  readonly admitted: Moment | undefined;
  /** Undefined while the patient is in again. */
  readonly discharged: Moment | undefined;
  /** The discharge that began the transition is the last one. */
  readonly isLast: boolean;
}

const REAL: readonly Encounter['status'][] = ['finished', 'in-progress', 'onleave', 'arrived'];

export function chainOf(facts: EvidenceFacts, { stays: classes, chainDays }: TrcRules): StayChain {
  const own = facts.encounter;
  const all = [...facts.encounters.filter(({ id }) => id !== own.id), own]
    .filter(
      ({ id, status, class: kind }) => id === own.id || (REAL.includes(status) && classes.includes(kind.code ?? '')),
    )
    .flatMap((encounter): Stay[] => {
      const from = momentOf(encounter.period?.start ?? encounter.period?.end, facts.zone);
      const end = momentOf(encounter.period?.end, facts.zone);
      const left = encounter.id === own.id ? countedEnd(facts, end) : end;
      const until = encounter.status === 'finished' ? left : undefined;
      return from ? [{ encounter, from, until }] : [];
    })
    .toSorted((a, b) => Temporal.Instant.compare(a.from.at, b.from.at));
  const at = all.findIndex(({ encounter }) => encounter.id === own.id);
  let [first, last] = [at, at];
  while (first > 0 && follows(all[first - 1], all[first], chainDays)) first--;
  while (last >= 0 && last < all.length - 1 && follows(all[last], all[last + 1], chainDays)) last++;
  const stays = at < 0 ? [] : all.slice(first, last + 1);
  return { stays, admitted: stays[0]?.from, discharged: stays.at(-1)?.until, isLast: last === at };
}

/** As it is told, unless that was a day still to come: the follow-ups are not counted from one. */
function countedEnd({ discharge, zone }: EvidenceFacts, told: Moment | undefined): Moment | undefined {
  const isCounted = told && Temporal.Instant.compare(told.at.subtract(MOST_AHEAD), discharge) <= 0;
  return isCounted ? told : momentOf(discharge.toString(), zone);
}

function follows(before: Stay | undefined, after: Stay | undefined, days: number): boolean {
  if (!before?.until || !after) return false;
  return before.until.day.until(after.from.day, { largestUnit: 'days' }).days <= days;
}
