// The names Baton's case-management resources are known by: code systems, extensions and identifier systems. What they
// mean is in profiles/.

import { profileUrl } from '../fhir/profile-canonical.ts';

const BASE = 'https://baton.health/fhir';

export const CODE_SYSTEM = {
  followUpStatus: `${BASE}/CodeSystem/follow-up-status`,
  followUpStep: `${BASE}/CodeSystem/follow-up-step`,
  careRole: `${BASE}/CodeSystem/care-role`,
  riskMethod: `${BASE}/CodeSystem/risk-method`,
  riskInput: `${BASE}/CodeSystem/risk-input`,
  comorbidity: `${BASE}/CodeSystem/lace-comorbidity`,
  transitionReason: `${BASE}/CodeSystem/transition-reason`,
  episodeType: `${BASE}/CodeSystem/episode-type`,
  messageReason: `${BASE}/CodeSystem/message-reason`,
  caseEvent: `${BASE}/CodeSystem/case-event`,
  variance: `${BASE}/CodeSystem/variance`,
  serviceKind: `${BASE}/CodeSystem/case-service-kind`,
  conferencePart: `${BASE}/CodeSystem/conference-part`,
  medicationList: `${BASE}/CodeSystem/medication-list-kind`,
  discrepancy: `${BASE}/CodeSystem/medication-discrepancy-kind`,
  discrepancyResolution: `${BASE}/CodeSystem/medication-discrepancy-resolution`,
  educationPart: `${BASE}/CodeSystem/education-part`,
  noticePart: `${BASE}/CodeSystem/notice-part`,
  teachBackResult: `${BASE}/CodeSystem/teach-back-result`,
  credential: `${BASE}/CodeSystem/credential`,
  incidentKind: `${BASE}/CodeSystem/incident-kind`,
  flagKind: `${BASE}/CodeSystem/flag-kind`,
  needKind: `${BASE}/CodeSystem/need-kind`,
  goalProgress: `${BASE}/CodeSystem/goal-progress`,
  planReview: `${BASE}/CodeSystem/plan-review`,
  interventionOutput: `${BASE}/CodeSystem/intervention-output`,
  panel: `${BASE}/CodeSystem/panel`,
  panelCharacteristic: `${BASE}/CodeSystem/panel-characteristic`,
  panelMembership: `${BASE}/CodeSystem/panel-membership`,
  stayClass: `${BASE}/CodeSystem/stay-class`,
  evidencePart: `${BASE}/CodeSystem/evidence-part`,
  stratificationMethod: `${BASE}/CodeSystem/stratification-method`,
} as const;

export const EXTENSION = {
  /** http://hl7.org/fhir/R4/extension-workflow-episodeofcare.html */
  episodeOfCare: 'http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare',
  life: `${BASE}/StructureDefinition/follow-up-life`,
  clock: `${BASE}/StructureDefinition/follow-up-clock`,
  timing: `${BASE}/StructureDefinition/follow-up-timing`,
  dayCount: `${BASE}/StructureDefinition/day-count`,
  pathwayVariable: `${BASE}/StructureDefinition/pathway-variable`,
  precedence: `${BASE}/StructureDefinition/protocol-precedence`,
  riskScore: `${BASE}/StructureDefinition/risk-score`,
  riskMissing: `${BASE}/StructureDefinition/risk-missing-input`,
  localDay: `${BASE}/StructureDefinition/local-day`,
  dischargeTold: `${BASE}/StructureDefinition/discharge-told`,
  transitionContinues: `${BASE}/StructureDefinition/transition-continues`,
  transitionEncounter: `${BASE}/StructureDefinition/transition-encounter`,
  transitionReason: `${BASE}/StructureDefinition/transition-reason`,
  agendaItem: `${BASE}/StructureDefinition/agenda-item`,
  meetingLink: `${BASE}/StructureDefinition/meeting-link`,
  conferencePart: `${BASE}/StructureDefinition/conference-part`,
  casePriority: `${BASE}/StructureDefinition/case-priority`,
  caseReason: `${BASE}/StructureDefinition/case-reason`,
  caseStatusReason: `${BASE}/StructureDefinition/case-status-reason`,
  caseOutcome: `${BASE}/StructureDefinition/case-outcome`,
  exportedVersion: `${BASE}/StructureDefinition/exported-version`,
  caseloadCapacity: `${BASE}/StructureDefinition/caseload-capacity`,
  pertainsToGoal: 'http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal',
  panelData: `${BASE}/StructureDefinition/panel-data`,
  panelCriterion: `${BASE}/StructureDefinition/panel-criterion`,
  panelLeave: `${BASE}/StructureDefinition/panel-leave`,
  panelMethod: `${BASE}/StructureDefinition/panel-method`,
  panelDescription: `${BASE}/StructureDefinition/panel-description`,
  panelBasis: `${BASE}/StructureDefinition/panel-basis`,
  panelCase: `${BASE}/StructureDefinition/panel-case`,
  panelDecline: `${BASE}/StructureDefinition/panel-decline`,
  stratificationScore: `${BASE}/StructureDefinition/stratification-score`,
} as const;

export const IDENTIFIER = {
  /** Task: `EPISODE|STEP|OCCURRENCE`. */
  followUp: 'urn:baton:follow-up',
  /** CommunicationRequest: the key of the follow-up it speaks of. */
  reminder: 'urn:baton:reminder',
  notification: 'urn:baton:notification',
  /** Task, ServiceRequest, Goal…: `CASE|PATHWAY|STEP|OCCURRENCE`, what a pathway planned it as. */
  pathwayStep: 'urn:baton:pathway-step',
  /** EpisodeOfCare: `ENCOUNTERID|DISCHARGEINSTANT`. */
  transition: 'urn:baton:transition',
  /** RiskAssessment: `EPISODE|METHOD`. */
  transitionRisk: 'urn:baton:transition-risk',
  /** CarePlan: id of the transition's EpisodeOfCare. */
  transitionPlan: 'urn:baton:transition-plan',
  /** CarePlan: id of the case's EpisodeOfCare; of one case there is one. */
  casePlan: 'urn:baton:case-plan',
  /** Observation: `RESPONSE|ITEM#NUMBER` of the assessment it was extracted from. */
  assessmentResult: 'urn:baton:assessment-result',
  /** DetectedIssue: `TASK|KIND|LISTS|LINES`, what was found in which reconciliation. */
  discrepancy: 'urn:baton:medication-discrepancy',
  /** Organization: the facility's code. */
  facility: `${BASE}/sid/facility`,
  /** Device (by logical reference): a part of Baton. */
  component: `${BASE}/sid/component`,
  /** Of a message that Baton took in; followed by whose it is. */
  message: `${BASE}/sid/message`,
  /** Device (by logical reference): an application that writes without a person. */
  application: `${BASE}/sid/application`,
  /** RiskAssessment: `METHOD|PATIENT`. */
  stratification: 'urn:baton:stratification',
  /** Group: `PANEL|PATIENT`, the membership of one patient. */
  panelMember: 'urn:baton:panel-member',
  /** Task: `PANEL|CAMPAIGN|PATIENT`. */
  outreach: 'urn:baton:outreach',
  /** Task.groupIdentifier: `PANEL|CAMPAIGN`. */
  outreachCampaign: 'urn:baton:outreach-campaign',
} as const;

/** Profiles that what a case consists of claims, Baton's and those it is compatible with. */
export const PROFILE = {
  case: profileUrl('baton', 'baton-case'),
  careTeam: profileUrl('baton', 'baton-care-team'),
  assessment: profileUrl('baton', 'baton-assessment'),
  usCoreResponse: profileUrl('usCore', 'us-core-questionnaireresponse'),
  usCoreScreening: profileUrl('usCore', 'us-core-observation-screening-assessment'),
  usCoreCareTeam: profileUrl('usCore', 'us-core-careteam'),
} as const;

export const MAPS = {
  destination: `${BASE}/ConceptMap/discharge-destination`,
  payer: `${BASE}/ConceptMap/payer-kind`,
  acuteAdmission: `${BASE}/ValueSet/acute-admission`,
} as const;
