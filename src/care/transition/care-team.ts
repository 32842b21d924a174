// The people of a transition: the patient, caregivers, primary care and the case manager, as a US Core CareTeam.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-careteam
import type { CareTeam, CareTeamParticipant } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { concept, roleConcept } from '../concept.ts';
import { toFhirDateTime } from '../local-time.ts';
import { referenceTo } from '../reference-to.ts';
import type { TransitionContext } from './transition-context.ts';

const SNOMED = 'http://snomed.info/sct';
const PATIENT = concept(SNOMED, '116154003', 'Patient');
const CAREGIVER = concept(SNOMED, '133932002', 'Caregiver');
const PRIMARY_CARE = concept(SNOMED, '453231000124104', 'Primary care provider');

/** While no case manager is assigned, the facility stands in for one, so that nobody is answerable to no one. */
export function assembleCareTeam(context: TransitionContext): CareTeam {
  const { patient, caregivers, caseManager, facility, encounter, anchor } = context;
  const manager = caseManager ?? facility;
  const participant: CareTeamParticipant[] = [
    { role: [PATIENT], member: referenceTo(patient) },
    ...caregivers.map((caregiver) => ({ role: [CAREGIVER], member: referenceTo(caregiver) })),
    ...context.primaryCare.map((member) => ({ role: [PRIMARY_CARE], member })),
    ...(manager ? [{ role: [roleConcept('case-manager')], member: manager }] : []),
  ];
  return {
    resourceType: 'CareTeam',
    meta: { profile: [profileUrl('usCore', 'us-core-careteam')] },
    status: 'active',
    category: [concept('http://loinc.org', 'LA27977-0', 'Episode of care-focused care team')],
    name: 'Transition of care team',
    subject: referenceTo(patient),
    encounter: referenceTo(encounter),
    period: { start: toFhirDateTime(anchor.discharge, anchor.zone) },
    participant,
    ...(facility ? { managingOrganization: [facility] } : {}),
  };
}
