// The plans of a case: those that name it and are about its patient. Anybody who may write a plan of another patient could
// name the case in it; what is planned for one patient must not land in the record of another.
import type { CarePlan, EpisodeOfCare } from '@medplum/fhirtypes';
import { findReadable } from './find-readable.ts';
import type { Kept, Records } from './records.ts';
import { idOf } from './stored.ts';
import { IDENTIFIER } from './systems.ts';

/** All that the case has or had, oldest first. @throws Fault forbidden when the caller may see no plans */
export async function plansOfCase(records: Records, id: string): Promise<Kept<'CarePlan'>[]> {
  const [episode, plans] = await Promise.all([
    records.read('EpisodeOfCare', id),
    records.find('CarePlan', { identifier: `${IDENTIFIER.casePlan}|${id}` }),
  ]);
  return plans.filter((plan) => isOfSamePatient(plan, episode));
}

/** The same; none when the caller may see no plans. */
export function readablePlansOfCase(records: Records, id: string): Promise<Kept<'CarePlan'>[]> {
  return plansOfCase({ ...records, find: (type, search) => findReadable(records, type, search) }, id);
}

export function isOfSamePatient({ subject }: CarePlan, episode: EpisodeOfCare | undefined): boolean {
  return episode !== undefined && idOf(subject, 'Patient') === idOf(episode.patient, 'Patient');
}
