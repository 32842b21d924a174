// Finding the plan of a case, and adding to it what was planned.
import type { CarePlan, Reference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import type { CaseAtHand } from '../case-at-hand.ts';
import { derivedId } from '../derived-id.ts';
import { plansOfCase, readablePlansOfCase } from '../plans-of-case.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { newPlan } from './new-plan.ts';

const ENDED = new Set<CarePlan['status']>(['revoked', 'completed', 'entered-in-error']);

export const isCurrent = ({ status }: CarePlan) => !ENDED.has(status);

/** The plan that is worked on, of all that the case has or had; one that is only drafted where none is. */
export function currentAmong(plans: readonly Kept<'CarePlan'>[]): Kept<'CarePlan'> | undefined {
  return plans.findLast(({ status }) => status === 'active' || status === 'on-hold') ?? plans.findLast(isCurrent);
}

/** References to the plans that the case has or had, as far as the caller may see them. */
export async function planReferences(records: Records, caseId: string): Promise<ReadonlySet<string>> {
  const plans = await readablePlansOfCase(records, caseId);
  return new Set(plans.map((plan) => `CarePlan/${plan.id}`));
}

/** Whether something that says what it is based on belongs to the case; what came from elsewhere does not. */
export function belongsTo(basedOn: readonly Reference[] | undefined, plans: ReadonlySet<string>): boolean {
  return basedOn?.some(({ reference = '' }) => plans.has(reference)) ?? false;
}

/** The plan that is going on, when there is one. */
export async function currentPlan(records: Records, caseId: string): Promise<Kept<'CarePlan'> | undefined> {
  return currentAmong(await plansOfCase(records, caseId));
}

/** @throws Fault unprocessable when no plan is going on */
export async function requirePlan(records: Records, caseId: string): Promise<Kept<'CarePlan'>> {
  const plan = await currentPlan(records, caseId);
  if (plan) return plan;
  throw new Fault('unprocessable', 'The case has no plan that is going on; start one first.', {
    expression: 'CarePlan',
    code: 'business-rule',
  });
}

/** Literal references to what a plan is to refer to. */
export interface Additions {
  readonly needs?: readonly string[];
  readonly goals?: readonly string[];
  readonly activities?: readonly string[];
}

export interface ExtendablePlan {
  /** `CarePlan/12`, also of a plan that the same commit makes. */
  readonly reference: string;
  /** What makes the plan refer to them; nothing when there is nothing to add. */
  add(additions: Additions): Change[];
}

/**
 * The plan of the case, to add to; a case that never had one gets it with the first thing that is planned.
 * @throws Fault unprocessable when its plan has ended
 */
export async function planToExtend(records: Records, caller: Caller, about: CaseAtHand): Promise<ExtendablePlan> {
  const plans = await plansOfCase(records, about.episode.id);
  const plan = currentAmong(plans);
  if (plan) return { reference: `CarePlan/${plan.id}`, add: (additions) => addToPlan(plan.id, additions) };
  if (plans.length > 0) {
    throw new Fault('unprocessable', 'The plan of the case has ended; start a new one before you plan more.', {
      expression: 'CarePlan.status',
      code: 'business-rule',
    });
  }
  // Two first commands at once collide on the id instead of making two plans.
  const id = firstPlanId(about.episode.id);
  const empty = newPlan(about, {}, caller);
  return {
    reference: `CarePlan/${id}`,
    add: (additions) => [{ op: 'create', id, resource: withAdded(empty, additions) }],
  };
}

export const firstPlanId = (caseId: string) => derivedId('case-plan', caseId, '0');

/** Inside the commit, so that nurses who plan at the same time do not hinder each other. */
export function addToPlan(id: string, additions: Additions): Change[] {
  const isEmpty = [additions.needs, additions.goals, additions.activities].every((list) => !list?.length);
  if (isEmpty) return [];
  return [{ op: 'patch', type: 'CarePlan', id, revise: (current) => withAdded(current as CarePlan, additions) }];
}

/** The plan with references that it did not have yet. */
export function withAdded(plan: CarePlan, { needs = [], goals = [], activities = [] }: Additions): CarePlan {
  const addresses = missing(plan.addresses, needs);
  const goal = missing(plan.goal, goals);
  const known = (plan.activity ?? []).flatMap(({ reference }) => reference ?? []);
  const activity = missing(known, activities).map((reference) => ({ reference }));
  return {
    ...plan,
    ...(addresses.length > 0 ? { addresses: [...(plan.addresses ?? []), ...addresses] } : {}),
    ...(goal.length > 0 ? { goal: [...(plan.goal ?? []), ...goal] } : {}),
    ...(activity.length > 0 ? { activity: [...(plan.activity ?? []), ...activity] } : {}),
  } as CarePlan;
}

function missing(there: readonly Reference[] | undefined, wanted: readonly string[]): { reference: string }[] {
  const known = new Set(there?.map(({ reference }) => reference));
  return [...new Set(wanted)].filter((reference) => !known.has(reference)).map((reference) => ({ reference }));
}
