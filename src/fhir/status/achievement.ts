// How far a Goal has been reached may go any way: patients get better and worse. Only what means nothing is refused: a
// code that the standard's own system does not have, and the achievement of a Goal that nobody works towards.
// https://hl7.org/fhir/R4/valueset-goal-achievement.html
import type { CodeableConcept, Goal, Resource } from '@medplum/fhirtypes';
import { type Json, sameJson } from '../canonical-json.ts';
import type { Refusal } from './machine.ts';

const SYSTEM = 'http://terminology.hl7.org/CodeSystem/goal-achievement';

export const ACHIEVEMENTS = [
  ...(['in-progress', 'improving', 'worsening', 'no-change', 'achieved', 'sustaining', 'not-achieved'] as const),
  ...(['no-progress', 'not-attainable'] as const),
] as const;

/** Whether an achievement can be stated of a Goal at this point of its life. */
const IS_MEASURED: Readonly<Record<Goal['lifecycleStatus'], boolean>> = {
  proposed: false,
  rejected: false,
  planned: true,
  accepted: true,
  active: true,
  'on-hold': true,
  completed: true,
  cancelled: true,
  'entered-in-error': true,
};

/** Undefined: allowed. An achievement that stays as it was is never asked about. */
export function achievementRefusal(before: Resource, after: Resource): Refusal | undefined {
  if (before.resourceType !== 'Goal' || after.resourceType !== 'Goal') return undefined;
  const { achievementStatus, lifecycleStatus } = after;
  if (!achievementStatus || isSame(before.achievementStatus, achievementStatus)) return undefined;
  const expression = 'Goal.achievementStatus';
  const foreign = achievementStatus.coding?.find(({ system, code }) => system === SYSTEM && !isAchievement(code));
  if (foreign) {
    const sentence = `Goal.achievementStatus has a code that ${SYSTEM} lacks; it has ${ACHIEVEMENTS.join(', ')}.`;
    return { expression, next: ACHIEVEMENTS, sentence };
  }
  if (IS_MEASURED[lifecycleStatus] ?? true) return undefined;
  const sentence = `A Goal that is ${lifecycleStatus} has no achievement; nobody works towards it.`;
  return { expression, next: [], sentence };
}

function isSame(left: CodeableConcept | undefined, right: CodeableConcept): boolean {
  return sameJson(left as Json | undefined, right as Json);
}

function isAchievement(code: string | undefined): boolean {
  return ACHIEVEMENTS.some((one) => one === code);
}
