// All needs of a case's patient: those of the plan, and what is known from elsewhere.

import { caseAtHand } from '../case-at-hand.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { currentPlan } from '../plans/plan-of-case.ts';
import type { Kept, Records } from '../records.ts';
import { viewNeed } from './need.ts';
import type { NeedView } from './need-schema.ts';
import { isOpen } from './settle-need.ts';

export interface NeedFilter {
  /** `open`: neither resolved nor refuted; `closed` the others; both when absent. */
  readonly state?: 'open' | 'closed';
  readonly inPlan?: boolean;
}

/** Oldest first, without what was entered in error. @throws Fault not-found */
export async function listNeeds(records: Records, caseId: string, filter: NeedFilter = {}): Promise<NeedView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const [needs, planned] = await Promise.all([
    records.find('Condition', { patient: patient.id }),
    plannedNeeds(records, caseId),
  ]);
  return needs
    .filter((need) => need.verificationStatus?.coding?.[0]?.code !== 'entered-in-error')
    .filter((need) => filter.state === undefined || isOpen(need) === (filter.state === 'open'))
    .filter((need) => filter.inPlan === undefined || planned.has(need) === filter.inPlan)
    .map((need) => viewNeed(need, planned.of(need)));
}

/** @throws Fault not-found */
export async function showNeed(records: Records, caseId: string, id: string): Promise<NeedView> {
  const need = await itemOfCase(records, await caseAtHand(records, caseId), 'Condition', id);
  return viewNeed(need, (await plannedNeeds(records, caseId)).of(need));
}

async function plannedNeeds(records: Records, caseId: string) {
  const plan = await currentPlan(records, caseId);
  const references = new Set(plan?.addresses?.map(({ reference }) => reference));
  const has = ({ id }: Kept<'Condition'>) => references.has(`Condition/${id}`);
  return { has, of: (need: Kept<'Condition'>) => (plan && has(need) ? `CarePlan/${plan.id}` : undefined) };
}
