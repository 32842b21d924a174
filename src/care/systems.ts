// The names Baton's case-management resources are known by: code systems, extensions and identifier systems. What they
// mean is in profiles/.

const BASE = 'https://baton.health/fhir';

export const CODE_SYSTEM = {
  followUpStatus: `${BASE}/CodeSystem/follow-up-status`,
  followUpStep: `${BASE}/CodeSystem/follow-up-step`,
  careRole: `${BASE}/CodeSystem/care-role`,
  riskMethod: `${BASE}/CodeSystem/risk-method`,
  comorbidity: `${BASE}/CodeSystem/lace-comorbidity`,
  transitionReason: `${BASE}/CodeSystem/transition-reason`,
  episodeType: `${BASE}/CodeSystem/episode-type`,
  messageReason: `${BASE}/CodeSystem/message-reason`,
  serviceKind: `${BASE}/CodeSystem/case-service-kind`,
  conferencePart: `${BASE}/CodeSystem/conference-part`,
  medicationList: `${BASE}/CodeSystem/medication-list-kind`,
  discrepancy: `${BASE}/CodeSystem/medication-discrepancy-kind`,
  discrepancyResolution: `${BASE}/CodeSystem/medication-discrepancy-resolution`,
  educationPart: `${BASE}/CodeSystem/education-part`,
  teachBackResult: `${BASE}/CodeSystem/teach-back-result`,
  credential: `${BASE}/CodeSystem/credential`,
  incidentKind: `${BASE}/CodeSystem/incident-kind`,
  flagKind: `${BASE}/CodeSystem/flag-kind`,
} as const;

export const EXTENSION = {
  timing: `${BASE}/StructureDefinition/follow-up-timing`,
  precedence: `${BASE}/StructureDefinition/protocol-precedence`,
  riskScore: `${BASE}/StructureDefinition/risk-score`,
  transitionEncounter: `${BASE}/StructureDefinition/transition-encounter`,
  transitionReason: `${BASE}/StructureDefinition/transition-reason`,
  agendaItem: `${BASE}/StructureDefinition/agenda-item`,
  meetingLink: `${BASE}/StructureDefinition/meeting-link`,
  conferencePart: `${BASE}/StructureDefinition/conference-part`,
  pertainsToGoal: 'http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal',
} as const;

export const IDENTIFIER = {
  /** Task: `EPISODE|STEP|OCCURRENCE`. */
  followUp: 'urn:baton:follow-up',
  /** CommunicationRequest: the key of the follow-up it speaks of. */
  reminder: 'urn:baton:reminder',
  /** EpisodeOfCare: `ENCOUNTERID|DISCHARGEINSTANT`. */
  transition: 'urn:baton:transition',
  /** CarePlan: id of the transition's EpisodeOfCare. */
  transitionPlan: 'urn:baton:transition-plan',
  /** CarePlan: id of the case's EpisodeOfCare. */
  casePlan: 'urn:baton:case-plan',
  /** DetectedIssue: `TASK|KIND|LISTS|LINES`, what was found in which reconciliation. */
  discrepancy: 'urn:baton:medication-discrepancy',
  /** Organization: the facility's code. */
  facility: `${BASE}/sid/facility`,
  /** Device (by logical reference): a part of Baton. */
  component: `${BASE}/sid/component`,
} as const;

export const MAPS = {
  destination: `${BASE}/ConceptMap/discharge-destination`,
  acuteAdmission: `${BASE}/ValueSet/acute-admission`,
} as const;
