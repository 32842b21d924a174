// Taking up into the plan a need that is known already, e.g. from the problem list of an EHR, or leaving it out.
import type { CarePlan } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { planToExtend, requirePlan } from '../plans/plan-of-case.ts';
import { workableCase } from '../plans/workable-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { requireStanding } from './settle-need.ts';

interface Input {
  readonly caseId: string;
  readonly id: string;
}

/** @throws Fault not-found; unprocessable */
export async function addressNeed(records: Records, caller: Caller, { caseId, id }: Input): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const need = await itemOfCase(records, about, 'Condition', id);
  requireStanding(need);
  const plan = await planToExtend(records, caller, about);
  return { changes: plan.add({ needs: [`Condition/${need.id}`] }), about: 0 };
}

/** The need itself stays as it is. @throws Fault not-found; unprocessable when the plan does not address it */
export async function leaveNeed(records: Records, _caller: Caller, { caseId, id }: Input): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const need = await itemOfCase(records, about, 'Condition', id);
  const plan = await requirePlan(records, caseId);
  const isIt = ({ reference }: { reference?: string }) => reference === `Condition/${need.id}`;
  if (!plan.addresses?.some(isIt)) {
    throw new Fault('unprocessable', 'The plan does not address this need.', { expression: 'CarePlan.addresses' });
  }
  const revise = (current: CarePlan): CarePlan => {
    const { addresses = [], ...rest } = current;
    const left = addresses.filter((one) => !isIt(one));
    return left.length > 0 ? { ...current, addresses: left } : rest;
  };
  return {
    changes: [{ op: 'patch', type: 'CarePlan', id: plan.id, revise: (current) => revise(current as CarePlan) }],
    about: 0,
  };
}
