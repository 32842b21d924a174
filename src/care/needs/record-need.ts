// Recording a need: the Condition, and the plan that now addresses it, in one commit.
import { randomUUID } from 'node:crypto';
import { Fault } from '../../fault.ts';
import { type CaseAtHand, workableCase } from '../case-at-hand.ts';
import { requirePast } from '../given-time.ts';
import { EVIDENCE, knownResource, knownResources, PEOPLE } from '../known-resource.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { needOf } from './need.ts';
import type { NeedInput } from './need-schema.ts';

/** @throws Fault not-found; unprocessable naming the member */
export async function recordNeed(
  records: Records,
  caller: Caller,
  { caseId, body }: { readonly caseId: string; readonly body: NeedInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  await checkNeed(records, caller, about, body);
  requireCategory(body.kind, body.category);
  const plan = await planToExtend(records, caller, about);
  const id = randomUUID();
  const changes = plan.add({ needs: [`Condition/${id}`] });
  return { changes: [{ op: 'create', id, resource: needOf(body, about, caller) }, ...changes], about: 0 };
}

/** @throws Fault unprocessable naming the member */
export async function checkNeed(
  records: Records,
  caller: Caller,
  about: CaseAtHand,
  { onset, statedBy, evidence }: Partial<Omit<NeedInput, 'onset'>> & { onset?: string | null | undefined },
): Promise<void> {
  if (onset) requirePast(onset, 'onset', caller);
  if (statedBy) await knownResource(records, about, statedBy.reference, PEOPLE, 'statedBy');
  await knownResources(records, about, evidence, EVIDENCE, 'evidence');
}

/** @throws Fault unprocessable when a social need does not say which */
export function requireCategory(kind: string, category: string | undefined): void {
  if (kind !== 'social-need' || category) return;
  throw new Fault('unprocessable', 'A social need must say which one: category is missing.', {
    expression: 'category',
    code: 'required',
  });
}
