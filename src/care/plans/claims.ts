// The profiles that resources of the plan claim, which they all satisfy.
import { profileUrl } from '../../fhir/profile-canonical.ts';

export const CLAIMS = {
  need: [profileUrl('baton', 'baton-need'), profileUrl('usCore', 'us-core-condition-problems-health-concerns')],
  goal: [profileUrl('baton', 'baton-goal'), profileUrl('usCore', 'us-core-goal'), profileUrl('mcc', 'MCCGoal')],
  progress: [profileUrl('baton', 'baton-goal-progress')],
  plan: [
    profileUrl('baton', 'baton-care-plan'),
    profileUrl('usCore', 'us-core-careplan'),
    profileUrl('mcc', 'mccCarePlan'),
  ],
  /** Of a plan that is no case's: MCC lets a plan rest on neither the RiskAssessment nor the EpisodeOfCare of a transition. */
  otherPlan: [profileUrl('usCore', 'us-core-careplan')],
  intervention: [profileUrl('baton', 'baton-intervention')],
} as const;

/** Claimed as well by what is about a social need, or is for the patient to do. */
export const GRAVITY_CLAIMS = {
  need: profileUrl('gravity', 'SDOHCC-Condition'),
  goal: profileUrl('gravity', 'SDOHCC-Goal'),
  taskForPatient: profileUrl('gravity', 'SDOHCC-TaskForPatient'),
} as const;
