// Opens a case: the episode, its one plan and its team, in one commit.
import type { CarePlan, CareTeam, CareTeamParticipant, EpisodeOfCare, Extension } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { conceptOf } from '../coded.ts';
import { concept, roleConcept } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { hasDied, mergedInto } from '../gone.ts';
import { toFhirDateTime, toInstant } from '../local-time.ts';
import { newPlan } from '../plans/new-plan.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM, EXTENSION, PROFILE } from '../systems.ts';
import { newTeam } from '../team/new-team.ts';
import { requireManager } from './case-manager.ts';
import type { OpenCase } from './case-schema.ts';
import { CASE_TYPE, isOver, programmeKey, programmeOf } from './episode.ts';

const SNOMED = 'http://snomed.info/sct';

/**
 * @throws Fault unprocessable when the patient is none that a case can be opened for; conflict when the patient has an open
 * case of the same programme
 */
export async function openCase(records: Records, caller: Caller, input: OpenCase): Promise<Planned> {
  if (input.careManager) await requireManager(records, input.careManager, 'careManager');
  const patient = await patientForCase(records, input);
  const earlier = await casesOfProgramme(records, patient.id, input);
  refuseSecond(earlier);
  // It follows from what it is, so that two who open the same case at the same time collide and do not make two.
  const id = derivedId('case', patient.id, programmeKey(input.programme), String(earlier.length));
  const ids = { case: id, plan: derivedId('case-plan', id, '0'), team: derivedId('case-team', id) };
  const start = startOf(input, caller);
  const parts = { input, caller, ids, start };
  return {
    about: 0,
    changes: [
      { op: 'create', id: ids.case, resource: episodeOf(parts) },
      { op: 'create', id: ids.team, resource: teamOf(parts) },
      { op: 'create', id: ids.plan, resource: planOf(parts) },
    ],
  };
}

interface Parts {
  readonly input: OpenCase;
  readonly caller: Caller;
  readonly ids: { readonly case: string; readonly plan: string; readonly team: string };
  /** FHIR dateTime. */
  readonly start: string;
}

/** @throws Fault unprocessable */
async function patientForCase(records: Records, { patient: reference }: OpenCase): Promise<Kept<'Patient'>> {
  const id = idOf(reference, 'Patient');
  const patient = id === undefined ? undefined : await records.read('Patient', id);
  if (!patient) throw refusal('There is no such patient, or the record is not open to who asks.', 'patient');
  const survivor = mergedInto(patient);
  if (survivor !== undefined) {
    throw refusal(`This record was merged into ${survivor}; open the case for that patient.`, 'patient');
  }
  if (hasDied(patient)) {
    throw refusal('The patient has died; no case can be opened.', 'patient');
  }
  if (patient.active === false) {
    throw refusal('The record of the patient is not active; no case can be opened for it.', 'patient');
  }
  return patient;
}

async function casesOfProgramme(records: Records, patient: string, { programme }: OpenCase) {
  const cases = await records.find('EpisodeOfCare', { patient: `Patient/${patient}`, type: CASE_TYPE });
  const wanted = programmeKey(programme);
  return cases.filter((each) => programmeKey(programmeOf(each)) === wanted);
}

/** @throws Fault conflict */
function refuseSecond(cases: readonly Kept<'EpisodeOfCare'>[]): void {
  const open = cases.find((each) => !isOver(each));
  if (!open) return;
  throw new Fault('conflict', `The patient has an open case of this programme: EpisodeOfCare/${open.id}.`, {
    code: 'duplicate',
    expression: 'programme',
    context: { case: open.id },
  });
}

function startOf({ start, status = 'active' }: OpenCase, { now, zone }: Caller): string {
  if (start === undefined) return toFhirDateTime(now, zone);
  if (status === 'active' && Temporal.Instant.compare(toInstant(start, zone), now) > 0) {
    throw refusal('An active case cannot start in the future; open it as planned.', 'start');
  }
  return start;
}

function episodeOf({ input, ids, start }: Parts): EpisodeOfCare {
  const { programme, status = 'active', priority, reasons = [], diagnoses = [], referral, careManager } = input;
  const extension: Extension[] = [
    ...(priority === undefined ? [] : [{ url: EXTENSION.casePriority, valueCode: priority }]),
    ...reasons.map((reason) => ({ url: EXTENSION.caseReason, valueCodeableConcept: conceptOf(reason) })),
  ];
  return {
    resourceType: 'EpisodeOfCare',
    meta: { profile: [PROFILE.case] },
    ...(extension.length > 0 ? { extension } : {}),
    status,
    statusHistory: [{ status, period: { start } }],
    type: [
      concept(CODE_SYSTEM.episodeType, 'case-management', 'Case management'),
      ...(programme ? [conceptOf(programme)] : []),
    ],
    ...(diagnoses.length > 0 ? { diagnosis: diagnoses.map((condition) => ({ condition })) } : {}),
    patient: input.patient,
    ...(input.organization ? { managingOrganization: input.organization } : {}),
    period: { start },
    ...(referral ? { referralRequest: [referral] } : {}),
    ...(careManager ? { careManager } : {}),
    team: [{ reference: `CareTeam/${ids.team}` }],
  };
}

/** The patient is always on the team, so that there is one also while nobody else is. */
function teamOf({ input, start }: Parts): CareTeam {
  const { careManager, team = [], organization } = input;
  const period = { start };
  const participant: CareTeamParticipant[] = [
    { role: [concept(SNOMED, '116154003', 'Patient')], member: input.patient, period },
    ...(careManager ? [{ role: [roleConcept('case-manager')], member: careManager, period }] : []),
    ...team.map(({ member, role, onBehalfOf }) => ({
      role: [conceptOf(role)],
      member,
      ...(onBehalfOf ? { onBehalfOf } : {}),
      period,
    })),
  ];
  return { ...newTeam({ subject: input.patient, start, organization }), participant };
}

function planOf({ input, caller, ids, start }: Parts): CarePlan {
  const { title = 'Case management plan', diagnoses = [], patient: subject } = input;
  const episode = { id: ids.case, team: [{ reference: `CareTeam/${ids.team}` }] };
  const plan = newPlan({ episode, subject }, { title, period: { start } }, caller);
  return diagnoses.length > 0 ? { ...plan, addresses: [...diagnoses] } : plan;
}

const refusal = (sentence: string, expression: string) =>
  new Fault('unprocessable', sentence, { code: 'business-rule', expression });
