// Gathers from the store what a decision about a discharge rests on. What the encounter names but the store does not
// have is left out, so that a plan never points at nothing.

import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { findResources, idOf, readResource } from '../care/stored.ts';
import { isReal } from '../care/transition/comorbidity.ts';
import { isLive, isOfStay, isTransition } from '../care/transition/episode.ts';
import type { RiskData } from '../care/transition/risk-inputs.ts';
import type { CaseManager, TransitionContext } from '../care/transition/transition-context.ts';
import { parseLiteral } from '../fhir/references.ts';
import { type KnownBy, knownDischarge } from './known-discharge.ts';
import type { Parts } from './parts.ts';
import { readRiskData } from './risk-data.ts';

export interface DischargeFacts {
  readonly context: TransitionContext;
  readonly riskData: RiskData;
}

/**
 * @param by what a transition under way is counted from, and what does not count
 * @returns undefined when the patient is not stored
 */
export async function gatherFacts(
  parts: Parts,
  encounter: Encounter,
  by: Omit<KnownBy, 'zone'> = {},
): Promise<DischargeFacts | undefined> {
  const { store, facilities, rules, clock } = parts;
  const patient = await readResource(store, 'Patient', idOf(encounter.subject, 'Patient'));
  if (!patient) return undefined;
  const place = await facilities.placeOf(encounter.serviceProvider);
  const of = { patient: `Patient/${patient.id}` };
  const [conditions, caregivers, episodes, coverages, orders, pending, primaryCare, [facility]] = await Promise.all([
    findResources(store, 'Condition', of),
    findResources(store, 'RelatedPerson', of),
    findResources(store, 'EpisodeOfCare', { ...of, status: 'active' }),
    findResources(store, 'Coverage', { ...of, status: 'active' }),
    findResources(store, 'DeviceRequest', { ...of, status: 'active,on-hold' }),
    findResources(store, 'DiagnosticReport', { ...of, status: 'registered,partial,preliminary' }),
    keepStored(parts, patient.generalPractitioner ?? []),
    keepStored(parts, encounter.serviceProvider ? [encounter.serviceProvider] : []),
  ]);
  const managers = await keepStored(parts, episodes.filter(isCase).flatMap(managerOf));
  const discharge = await knownDischarge(store, encounter, { zone: place.zone, ...by });
  const context: TransitionContext = {
    encounter,
    patient,
    conditions: conditions.filter(isReal),
    caregivers: caregivers.filter(({ active }) => active !== false),
    primaryCare,
    ...(facility ? { facility } : {}),
    ...(managers[0] ? { caseManager: managers[0] } : {}),
    destination: rules.destinationOf(encounter),
    payers: rules.payersOf(coverages, { discharge, zone: place.zone }),
    ...(place.code ? { facilityCode: place.code } : {}),
    orders,
    pendingResults: pending.filter((report) => idOf(report.encounter, 'Encounter') === encounter.id),
    anchor: { zone: place.zone, calendar: place.calendar, discharge },
    now: clock.now(),
  };
  return { context, riskData: await readRiskData(store, context, rules.methods) };
}

/**
 * What a stay that goes on is judged by: who is in, where, since when, and who pays. Conditions, orders and results are left out.
 * @returns undefined when the patient is not stored
 */
export async function gatherStay(
  { store, facilities, rules, clock }: Parts,
  encounter: Encounter,
): Promise<TransitionContext | undefined> {
  const patient = await readResource(store, 'Patient', idOf(encounter.subject, 'Patient'));
  if (!patient) return undefined;
  const place = await facilities.placeOf(encounter.serviceProvider);
  const coverages = await findResources(store, 'Coverage', { patient: `Patient/${patient.id}`, status: 'active' });
  const admission = toInstant(encounter.period?.start ?? encounter.meta?.lastUpdated ?? '', place.zone);
  return {
    encounter,
    patient,
    conditions: [],
    caregivers: [],
    primaryCare: [],
    destination: rules.destinationOf(encounter),
    payers: rules.payersOf(coverages, { discharge: admission, zone: place.zone }),
    ...(place.code ? { facilityCode: place.code } : {}),
    orders: [],
    pendingResults: [],
    anchor: { zone: place.zone, calendar: place.calendar, discharge: admission },
    now: clock.now(),
  };
}

/** The same with the people who are there for the patient. */
export async function withPeople(parts: Parts, context: TransitionContext): Promise<TransitionContext> {
  const of = { patient: `Patient/${context.patient.id}` };
  const { serviceProvider } = context.encounter;
  const [caregivers, episodes, [facility]] = await Promise.all([
    findResources(parts.store, 'RelatedPerson', of),
    findResources(parts.store, 'EpisodeOfCare', { ...of, status: 'active' }),
    keepStored(parts, serviceProvider ? [serviceProvider] : []),
  ]);
  const [caseManager] = await keepStored(parts, episodes.filter(isCase).flatMap(managerOf));
  return {
    ...context,
    caregivers: caregivers.filter(({ active }) => active !== false),
    ...(facility ? { facility } : {}),
    ...(caseManager ? { caseManager } : {}),
  };
}

/** What holds the notices of a stay names a manager of its own, who is no case manager for that. */
const isCase = (episode: EpisodeOfCare) => !isTransition(episode) && !isOfStay(episode);

/** Notices of a patient's stays that are under way. */
export async function liveNotices(parts: Parts, patient: string): Promise<EpisodeOfCare[]> {
  const open = await findResources(parts.store, 'EpisodeOfCare', { patient, status: 'active,onhold,planned,waitlist' });
  return open.filter((episode) => isOfStay(episode) && isLive(episode));
}

/** Live transitions of a patient. */
export async function liveTransitions(parts: Parts, patient: string): Promise<EpisodeOfCare[]> {
  const open = await findResources(parts.store, 'EpisodeOfCare', { patient, status: 'active,onhold,planned,waitlist' });
  return open.filter((episode) => isTransition(episode) && isLive(episode));
}

const managerOf = ({ careManager }: EpisodeOfCare): CaseManager[] => (careManager ? [careManager] : []);

/** Those references whose target is stored, as bare references. */
export async function keepStored<R extends { readonly reference?: string }>(
  { store }: Pick<Parts, 'store'>,
  references: readonly R[],
): Promise<{ reference: string }[]> {
  const kept = await Promise.all(
    references.map(async ({ reference }) => {
      const target = parseLiteral(reference ?? '');
      if (!reference || !target || target.version !== undefined) return [];
      const version = await store.read(target.type, target.id);
      return version && version.operation !== 'delete' ? [{ reference }] : [];
    }),
  );
  return kept.flat();
}
