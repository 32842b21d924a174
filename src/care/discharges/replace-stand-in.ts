// The hospital has told that a patient left but not when; a person knows. What they say counts as a word of the hospital would
// that was as old as the discharge.
import type { Encounter } from '@medplum/fhirtypes';
import { withEnd } from '../../fhir/stand-in-end.ts';
import { standingOf, stayWordsOf, withStayWords } from '../../fhir/stay-words.ts';
import type { Caller } from '../records.ts';
import { timeOfDischarge } from './event-time.ts';

/** The finished stay with the end that is told in place of the one that stands in. */
export function replaceStandIn(stay: Encounter, discharged: string, caller: Caller): Encounter {
  const words = stayWordsOf(stay);
  const back = words.findLast(({ end }) => end === undefined)?.at;
  const own = timeOfDischarge(discharged, caller);
  // The patient was in at that time, which is why nobody can have told of this discharge before.
  const isBefore = back !== undefined && Temporal.Instant.compare(own, back) <= 0;
  const told = { at: isBefore ? back.add({ milliseconds: 1 }) : own, end: discharged };
  const standing = standingOf([...words, told]);
  return {
    ...stay,
    period: withEnd(stay.period, standing.end),
    extension: withStayWords(stay.extension ?? [], standing.words),
  };
}
