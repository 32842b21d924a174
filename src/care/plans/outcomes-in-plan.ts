// What came of an activity, as the plan says it: MCC reads outcomes there.
import type { CarePlan } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';

/** @param task reference of the activity; @param shown references to what came of it. Nothing when the plan has no such activity */
export function outcomesInPlan(planId: string, task: string, shown: readonly string[]): Change {
  const revise = (plan: CarePlan): CarePlan => {
    const at = (plan.activity ?? []).findIndex(({ reference }) => reference?.reference === task);
    const activity = plan.activity?.[at];
    if (!activity) return plan;
    const known = new Set(activity.outcomeReference?.map(({ reference }) => reference));
    const added = shown.filter((reference) => !known.has(reference)).map((reference) => ({ reference }));
    const next = { ...activity, outcomeReference: [...(activity.outcomeReference ?? []), ...added] };
    return { ...plan, activity: plan.activity?.with(at, next) } as CarePlan;
  };
  return { op: 'patch', type: 'CarePlan', id: planId, revise: (current) => revise(current as CarePlan) };
}
