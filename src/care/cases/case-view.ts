// A case as its EpisodeOfCare tells it, whoever wrote that.
import type { EpisodeOfCare, EpisodeOfCareStatusHistory, Patient, Reference } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { linkedOf } from '../linked.ts';
import { personName } from '../person-name.ts';
import type { Kept } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import type { CaseView } from './case-schema.ts';
import { conceptsAt, extensionOf, priorityOf, programmeOf } from './episode.ts';

export interface CaseParts {
  readonly episode: Kept<'EpisodeOfCare'>;
  /** Absent when the caller may not read it. */
  readonly patient?: Patient | undefined;
  readonly plan?: Kept<'CarePlan'> | undefined;
}

export function caseView({ episode, patient, plan }: CaseParts): CaseView {
  const { id, meta, status, period } = episode;
  const priority = priorityOf(episode);
  return defined({
    id,
    version: meta.versionId,
    status: status as CaseView['status'],
    statusReason: codedOf(extensionOf(episode, EXTENSION.caseStatusReason)?.valueCodeableConcept),
    patient: linkedOf(shown(episode.patient, patient)) ?? {},
    programme: codedOf(programmeOf(episode)),
    priority,
    reasons: conceptsAt(episode, EXTENSION.caseReason).flatMap((each) => codedOf(each) ?? []),
    diagnoses: links(episode.diagnosis?.map(({ condition }) => condition)),
    careManager: linkedOf(episode.careManager),
    organization: linkedOf(episode.managingOrganization),
    referrals: links(episode.referralRequest),
    teams: links(episode.team),
    plan: plan && linkedOf({ reference: `CarePlan/${plan.id}`, ...(plan.title ? { display: plan.title } : {}) }),
    period: period && periodOf(period),
    outcome: codedOf(extensionOf(episode, EXTENSION.caseOutcome)?.valueCodeableConcept),
    statusHistory: (episode.statusHistory ?? []).map(pastStatus),
  });
}

/** The patient is named for display by the patient's own record, where that may be read. */
function shown(reference: Reference, patient: Patient | undefined): Reference {
  const display = patient && personName(patient.name);
  return display === undefined ? reference : { ...reference, display };
}

function pastStatus(past: EpisodeOfCareStatusHistory): CaseView['statusHistory'][number] {
  const reason = codedOf(extensionOf(past, EXTENSION.caseStatusReason)?.valueCodeableConcept);
  return defined({ status: past.status, period: periodOf(past.period), reason });
}

const links = (references: readonly (Reference | undefined)[] | undefined) =>
  (references ?? []).flatMap((each) => linkedOf(each) ?? []);

const periodOf = ({ start, end }: NonNullable<EpisodeOfCare['period']>) => defined({ start, end });

/** Without the members that have no value, as JSON leaves them out. */
function defined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
