// A visit of the emergency department while the patient is in elsewhere is part of that stay and followed up with it. When the
// stay proves to have been over before, or to have been none, the visit is looked at again.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { findResources } from '../care/stored.ts';
import { EMERGENCY, isStay } from '../care/transition/discharge.ts';
import { isLive, isTransition } from '../care/transition/episode.ts';
import { begin, isFollowedUp, TOO_OLD } from './begin.ts';
import { decide } from './decide.ts';
import { gatherFacts } from './facts.ts';
import { readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { completedSteps } from './revise.ts';
import { isEndedByStay, laterStay } from './stays.ts';

/**
 * What begins now that `stay` is over or called off: of several visits the first, because one within a month is enough (FUM).
 * @param isVoid it was no stay
 */
export async function emergenciesAgain(parts: Parts, stay: Encounter, isVoid = false): Promise<Reaction> {
  const { store, clock } = parts;
  const patient = stay.subject?.reference;
  if (!patient || !isStay(stay)) return NOTHING;
  const date = `ge${clock.now().subtract(TOO_OLD).toString({ smallestUnit: 'second' })}`;
  const visits = await findResources(store, 'Encounter', { patient, class: EMERGENCY, status: 'finished', date });
  for (const visit of visits.toSorted((one, other) => beganAt(one) - beganAt(other))) {
    const reaction = await lookAgain(parts, visit, isVoid ? stay.id : undefined);
    if (reaction.changes.length > 0) return reaction;
  }
  return NOTHING;
}

/** @param voided id of an encounter that does not count */
async function lookAgain(parts: Parts, visit: Encounter, voided: string | undefined): Promise<Reaction> {
  if (!isFollowedUp(parts, visit)) return NOTHING;
  const begun = await findResources(parts.store, 'EpisodeOfCare', { encounter: `Encounter/${visit.id}` });
  const transitions = begun.filter(isTransition);
  // Those that a stay had ended which was none are resumed with what else that had ended.
  if (transitions.length > 0 && (voided || !isEndedOnly(transitions))) return NOTHING;
  const facts = await gatherFacts(parts, visit, { voided });
  if (!facts) return NOTHING;
  const later = await laterStay(parts, facts.context, { stay: voided });
  const plans = await Promise.all(transitions.map((episode) => readLivePlan(parts.store, episode)));
  const done = completedSteps(plans, facts.context);
  return begin(parts, facts, decide(facts, parts.rules, later), transitions, done);
}

function isEndedOnly(transitions: readonly EpisodeOfCare[]): boolean {
  const last = transitions.at(-1);
  return last !== undefined && isEndedByStay(last) && !transitions.some(isLive);
}

const beganAt = ({ period }: Encounter) => (period?.start ? toInstant(period.start, 'UTC').epochMilliseconds : 0);
