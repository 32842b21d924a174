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
} as const;

export const EXTENSION = {
  timing: `${BASE}/StructureDefinition/follow-up-timing`,
  precedence: `${BASE}/StructureDefinition/protocol-precedence`,
  riskScore: `${BASE}/StructureDefinition/risk-score`,
  transitionEncounter: `${BASE}/StructureDefinition/transition-encounter`,
  transitionReason: `${BASE}/StructureDefinition/transition-reason`,
  casePriority: `${BASE}/StructureDefinition/case-priority`,
  caseReason: `${BASE}/StructureDefinition/case-reason`,
  caseStatusReason: `${BASE}/StructureDefinition/case-status-reason`,
  caseOutcome: `${BASE}/StructureDefinition/case-outcome`,
  exportedVersion: `${BASE}/StructureDefinition/exported-version`,
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
  /** CarePlan: id of the case's EpisodeOfCare; of one case there is one. */
  casePlan: 'urn:baton:case-plan',
  /** Organization: the facility's code. */
  facility: `${BASE}/sid/facility`,
  /** Device (by logical reference): a part of Baton. */
  component: `${BASE}/sid/component`,
  /** Device (by logical reference): an application that writes without a person. */
  application: `${BASE}/sid/application`,
} as const;

/** Profiles that what a case consists of claims, Baton's and those it is compatible with. */
export const PROFILE = {
  case: `${BASE}/StructureDefinition/baton-case`,
  carePlan: `${BASE}/StructureDefinition/baton-care-plan`,
  careTeam: `${BASE}/StructureDefinition/baton-care-team`,
  usCoreCarePlan: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan',
  usCoreCareTeam: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-careteam',
} as const;

export const MAPS = {
  destination: `${BASE}/ConceptMap/discharge-destination`,
  acuteAdmission: `${BASE}/ValueSet/acute-admission`,
} as const;
