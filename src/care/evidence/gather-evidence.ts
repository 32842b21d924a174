// Reads what may prove something about a transition, as far as the caller may see it.
import type { EpisodeOfCare, Practitioner, ResourceType } from '@medplum/fhirtypes';
import { namedAmong } from '../contacts/named-among.ts';
import { findReadable } from '../find-readable.ts';
import { toInstant } from '../local-time.ts';
import type { Kept, Records, SearchFor } from '../records.ts';
import { idOf } from '../stored.ts';
import { IDENTIFIER } from '../systems.ts';
import { dischargeOf, encounterOfEpisode, isTransition } from '../transition/episode.ts';
import { DECISION_MAKING, type EvidenceFacts, type HedisFacts } from './evidence-facts.ts';
import { TCM, TRC } from './evidence-rules.ts';
import type { EvidenceSources } from './evidence-sources.ts';

/** Without these an evidence record would call missed what the caller may not see. */
export const EVIDENCE_READS = ['EpisodeOfCare', 'Encounter', 'Patient', 'Task', 'Communication', 'Procedure'] as const;

/** Stays before the discharge that may belong to its chain, and TCM that was reported before. */
const BEFORE = { days: 400 };

/** What happened that long after the discharge may still prove something or say that it came late. */
const AFTER = { days: 61 };

/** What TCM is judged by. Undefined when it is no transition, or its patient or stay may not be seen. */
export async function gatherEvidence(
  records: Records,
  sources: EvidenceSources,
  episode: Kept<'EpisodeOfCare'>,
  now: Temporal.Instant,
): Promise<EvidenceFacts | undefined> {
  if (!isTransition(episode)) return undefined;
  const id = idOf(episode.patient, 'Patient');
  const patient = id === undefined ? undefined : await records.read('Patient', id);
  const encounter = await records.read('Encounter', encounterOfEpisode(episode) ?? '');
  if (!patient || !encounter) return undefined;
  const { zone, calendar } = await sources.placeOf(episode.managingOrganization);
  const discharge = toInstant(episode.period?.start ?? encounter.period?.end ?? '', zone);
  const notSeen: ResourceType[] = [];
  const look = <K extends ResourceType>(type: K, search: SearchFor) => findReadable(records, type, search, notSeen);
  const of: SearchFor = { patient: `Patient/${patient.id}` };
  const text = (at: Temporal.Instant) => at.toString({ fractionalSecondDigits: 3 });
  // A day more: dates without a time are indexed as UTC's.
  const since = `ge${text(discharge.subtract({ hours: 24 }))}`;
  const until = `le${text(discharge.add({ hours: AFTER.days * 24 }))}`;
  const earlier = `ge${text(discharge.subtract({ hours: BEFORE.days * 24 }))}`;
  const [tasks, encounters, contacts, procedures, appointments, observations] = await Promise.all([
    look('Task', { ...of, 'group-identifier': `${IDENTIFIER.transitionPlan}|${episode.id}` }),
    look('Encounter', { ...of, date: [earlier, until] }),
    look('Communication', of),
    look('Procedure', {
      ...of,
      date: [earlier, until],
      code: [...new Set([...TRC.reconciled, ...TCM.reported])].join(','),
    }),
    look('Appointment', { ...of, date: [since, until] }),
    look('Observation', { ...of, code: DECISION_MAKING, date: [since, until] }),
  ]);
  const named = await namedAmong(records, contacts, notSeen);
  const people = [
    ...encounters.flatMap(({ participant = [] }) => participant.map(({ individual }) => individual)),
    ...procedures.flatMap(({ performer = [] }) => performer.map(({ actor }) => actor)),
    ...tasks.map(({ owner }) => owner),
  ];
  return {
    episode,
    encounter,
    patient,
    destination: sources.destinationOf(encounter),
    ...{ zone, calendar, discharge, now, tasks, encounters, contacts, named, procedures, appointments, observations },
    notSeen,
    practitioners: await practitionersOf(
      records,
      people.flatMap((one) => one?.reference ?? []),
    ),
  };
}

/** And what HEDIS asks for beside. */
export async function gatherForHedis(records: Records, facts: EvidenceFacts): Promise<HedisFacts> {
  const notSeen = [...facts.notSeen];
  const look = <K extends ResourceType>(type: K, search: SearchFor) => findReadable(records, type, search, notSeen);
  const of: SearchFor = { patient: `Patient/${facts.patient.id}` };
  const type = TRC.documents.join(',');
  const [references, summaries, provenances, conditions, episodes] = await Promise.all([
    look('DocumentReference', { ...of, type }),
    look('Composition', { ...of, type }),
    look('Provenance', { target: `Encounter/${facts.encounter.id}` }),
    look('Condition', of),
    look('EpisodeOfCare', of),
  ]);
  const documents = [...references, ...summaries];
  return { ...facts, documents, provenances, conditions, counted: countedBy(episodes), notSeen };
}

/** Also by transitions that were withdrawn or never began: they say as well when the patient left. @param episodes oldest first */
function countedBy(episodes: readonly EpisodeOfCare[]): Map<string, Temporal.Instant> {
  const counted = episodes.filter(isTransition).flatMap((episode): [string, Temporal.Instant][] => {
    const [encounter, discharge] = [encounterOfEpisode(episode), dischargeOf(episode)];
    return encounter !== undefined && discharge ? [[encounter, discharge]] : [];
  });
  return new Map(counted);
}

/** By the reference that names them; roles by the person who has them. */
async function practitionersOf(records: Records, references: readonly string[]): Promise<Map<string, Practitioner>> {
  const found = await Promise.all(
    [...new Set(references)].map(async (reference): Promise<[string, Practitioner][]> => {
      const role = idOf({ reference }, 'PractitionerRole');
      const held = role === undefined ? undefined : (await records.read('PractitionerRole', role))?.practitioner;
      const id = idOf(role === undefined ? { reference } : held, 'Practitioner');
      const practitioner = id === undefined ? undefined : await records.read('Practitioner', id);
      return practitioner ? [[reference, practitioner]] : [];
    }),
  );
  return new Map(found.flat());
}
