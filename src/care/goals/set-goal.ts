// Setting a goal: the Goal, and the plan that now has it and addresses what it addresses, in one commit.
import { randomUUID } from 'node:crypto';
import { type CaseAtHand, workableCase } from '../case-at-hand.ts';
import { knownResource, knownResources, PEOPLE } from '../known-resource.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { goalOf } from './goal.ts';
import type { GoalInput, GoalRevision } from './goal-schema.ts';
import { checkTargets } from './target-check.ts';

const ADDRESSED = [
  'Condition',
  'Observation',
  'RiskAssessment',
  'ServiceRequest',
  'MedicationStatement',
  'NutritionOrder',
] as const;

/** @throws Fault not-found; unprocessable naming the member */
export async function setGoal(
  records: Records,
  caller: Caller,
  { caseId, body }: { readonly caseId: string; readonly body: GoalInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  checkTargets(body.targets ?? [], caller, { start: body.start });
  await checkLinks(records, about, body);
  const plan = await planToExtend(records, caller, about);
  const id = randomUUID();
  const changes = plan.add({ goals: [`Goal/${id}`], needs: needsIn(body) });
  return { changes: [{ op: 'create', id, resource: goalOf(body, about, caller) }, ...changes], about: 0 };
}

/** @throws Fault unprocessable naming the member */
export async function checkLinks(
  records: Records,
  about: CaseAtHand,
  { expressedBy, addresses }: Pick<GoalRevision, 'expressedBy' | 'addresses'>,
): Promise<void> {
  if (expressedBy) await knownResource(records, about, expressedBy.reference, PEOPLE, 'expressedBy');
  await knownResources(records, about, addresses, ADDRESSED, 'addresses');
}

/** Only conditions are needs that a plan can address. */
export function needsIn({ addresses = [] }: Pick<GoalRevision, 'addresses'>): string[] {
  return addresses.map(({ reference }) => reference).filter((reference) => reference.startsWith('Condition/'));
}
