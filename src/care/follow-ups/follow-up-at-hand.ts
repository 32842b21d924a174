// The transition and the follow-up that a command or a question is about.
import type { Patient, Reference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { isOfStay, isTransition } from '../transition/episode.ts';
import { isEscalation } from '../transition/escalation.ts';
import { followUpKey } from '../transition/follow-up.ts';

export interface TransitionAtHand {
  readonly episode: Kept<'EpisodeOfCare'>;
  /** `Patient/12`. */
  readonly subject: Reference<Patient> & { readonly reference: string };
}

export interface FollowUpAtHand extends TransitionAtHand {
  readonly task: Kept<'Task'>;
}

/** A command on one follow-up. */
export interface OnFollowUp<Body> {
  readonly transition: string;
  readonly task: string;
  readonly body: Body;
}

/** @throws Fault not-found when there is no such transition, or the caller may not see it */
export async function transitionAtHand(records: Records, id: string): Promise<TransitionAtHand> {
  const episode = await records.read('EpisodeOfCare', id);
  const patient = idOf(episode?.patient, 'Patient');
  if (!episode || !(isTransition(episode) || isOfStay(episode)) || !patient) {
    throw new Fault('not-found', `There is no transition ${id}, or you may not see it.`);
  }
  return { episode, subject: { reference: `Patient/${patient}` } };
}

/** @throws Fault not-found when the transition has no such follow-up */
export async function followUpAtHand(
  records: Records,
  { transition, task: id }: Pick<OnFollowUp<unknown>, 'transition' | 'task'>,
): Promise<FollowUpAtHand> {
  const found = await transitionAtHand(records, transition);
  const task = await records.read('Task', id);
  const key = task && followUpKey(task);
  if (task && key && key.episode === transition && !isEscalation(key)) return { ...found, task };
  throw new Fault('not-found', `The transition has no follow-up ${id}, or you may not see it.`);
}
