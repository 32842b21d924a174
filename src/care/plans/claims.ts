// The profiles that resources of the plan claim, which they all satisfy. Unversioned: what is installed decides.

const BATON = 'https://baton.health/fhir/StructureDefinition';
const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';
const MCC = 'http://hl7.org/fhir/us/mcc/StructureDefinition';
const GRAVITY = 'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition';

export const CLAIMS = {
  need: [`${BATON}/baton-need`, `${US_CORE}/us-core-condition-problems-health-concerns`],
  goal: [`${BATON}/baton-goal`, `${US_CORE}/us-core-goal`, `${MCC}/MCCGoal`],
  progress: [`${BATON}/baton-goal-progress`],
  plan: [`${BATON}/baton-care-plan`, `${US_CORE}/us-core-careplan`, `${MCC}/mccCarePlan`],
  intervention: [`${BATON}/baton-intervention`],
} as const;

/** Claimed as well by what is about a social need, or is for the patient to do. */
export const GRAVITY_CLAIMS = {
  need: `${GRAVITY}/SDOHCC-Condition`,
  goal: `${GRAVITY}/SDOHCC-Goal`,
  taskForPatient: `${GRAVITY}/SDOHCC-TaskForPatient`,
} as const;
