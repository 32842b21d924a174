// Cases as they are now: one, or those that fulfil criteria, each with what its view shows beside the episode.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { findReadable } from '../find-readable.ts';
import { isOfSamePatient, readablePlansOfCase } from '../plans-of-case.ts';
import type { Kept, PagedRecords, Records, SearchFor } from '../records.ts';
import { idOf } from '../stored.ts';
import { IDENTIFIER } from '../systems.ts';
import type { CaseList, CaseQuery, CaseView } from './case-schema.ts';
import { caseView } from './case-view.ts';
import { CASE_TYPE, isCase } from './episode.ts';

const PAGE = 50;

/** Undefined when there is no such case, or the caller may not see it. */
export async function readCase(records: Records, id: string): Promise<Kept<'EpisodeOfCare'> | undefined> {
  const episode = await records.read('EpisodeOfCare', id);
  return episode && isCase(episode) ? episode : undefined;
}

/** @throws Fault not-found when there is no such case, or the caller may not see it */
export async function requireCase(records: Records, id: string): Promise<Kept<'EpisodeOfCare'>> {
  const episode = await readCase(records, id);
  if (episode) return episode;
  throw new Fault('not-found', `There is no case ${id}, or it is not open to who asks.`);
}

/** The plan that goes on, else the last one. */
export function currentOf(plans: readonly Kept<'CarePlan'>[]): Kept<'CarePlan'> | undefined {
  return plans.findLast(({ status }) => status === 'active' || status === 'on-hold') ?? plans.at(-1);
}

/** Undefined when the case never had a plan, or the caller may not see it. */
export async function planOfCase(records: Records, id: string): Promise<Kept<'CarePlan'> | undefined> {
  return currentOf(await readablePlansOfCase(records, id));
}

/** The teams that the case names and that are at work. */
export async function teamsOfCase(records: Records, { team = [] }: EpisodeOfCare): Promise<Kept<'CareTeam'>[]> {
  const ids = team.flatMap((reference) => idOf(reference, 'CareTeam') ?? []);
  const teams = await Promise.all(ids.map((id) => records.read('CareTeam', id)));
  return teams.flatMap((each) =>
    each && each.status !== 'inactive' && each.status !== 'entered-in-error' ? each : [],
  );
}

export async function viewCase(records: Records, id: string): Promise<CaseView | undefined> {
  const episode = await readCase(records, id);
  if (!episode) return undefined;
  const patientId = idOf(episode.patient, 'Patient');
  const [patient, plan] = await Promise.all([
    patientId === undefined ? undefined : records.read('Patient', patientId),
    planOfCase(records, id),
  ]);
  return caseView({ episode, patient, plan });
}

/** Newest first. */
export async function listCases(records: PagedRecords, query: CaseQuery): Promise<CaseList> {
  const { patient, careManager, status, limit = PAGE, after } = query;
  const search: SearchFor = {
    type: CASE_TYPE,
    ...(patient === undefined ? {} : { patient }),
    ...(careManager === undefined ? {} : { 'care-manager': careManager }),
    ...(status === undefined ? {} : { status }),
    _sort: '-date',
  };
  const { items, next } = await records.page('EpisodeOfCare', search, { most: limit, after });
  const [patients, plans] = await Promise.all([patientsOf(records, items), plansOf(records, items)]);
  const views = items.map((episode) =>
    caseView({ episode, patient: patients.get(idOf(episode.patient, 'Patient') ?? ''), plan: plans.get(episode.id) }),
  );
  return { items: views, ...(next === undefined ? {} : { next }) };
}

async function patientsOf(records: Records, episodes: readonly Kept<'EpisodeOfCare'>[]) {
  const ids = new Set(episodes.flatMap(({ patient }) => idOf(patient, 'Patient') ?? []));
  if (ids.size === 0) return new Map<string, Kept<'Patient'>>();
  const found = await findReadable(records, 'Patient', { _id: [...ids].join(',') });
  return new Map(found.map((patient) => [patient.id, patient]));
}

async function plansOf(records: Records, episodes: readonly Kept<'EpisodeOfCare'>[]) {
  const values = episodes.map(({ id }) => `${IDENTIFIER.casePlan}|${id}`);
  const found = values.length === 0 ? [] : await findReadable(records, 'CarePlan', { identifier: values.join(',') });
  const byId = new Map(episodes.map((episode) => [episode.id, episode]));
  const own = found.filter((plan) => isOfSamePatient(plan, byId.get(caseOfPlan(plan) ?? '')));
  const byCase = Map.groupBy(own, (plan) => caseOfPlan(plan) ?? '');
  return new Map([...byCase].flatMap(([id, plans]) => [[id, currentOf(plans)] as const]));
}

/** Id of the case whose plan it is. */
export function caseOfPlan(plan: Kept<'CarePlan'>): string | undefined {
  return plan.identifier?.find(({ system }) => system === IDENTIFIER.casePlan)?.value;
}
