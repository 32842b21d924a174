// Planning what is to be done: Tasks, and the plan that now refers to them and to their goals, in one commit.
import { randomUUID } from 'node:crypto';
import { Fault } from '../../fault.ts';
import { type CaseAtHand, workableCase } from '../case-at-hand.ts';
import { requireAhead, requireOrder } from '../given-time.ts';
import { knownResource, knownResources, OWNERS } from '../known-resource.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { roleInCase } from '../role-in-case.ts';
import { interventionOf } from './intervention.ts';
import type { InterventionInput, InterventionRevision, SeveralInterventions } from './intervention-schema.ts';
import { isPatients } from './patient-task.ts';

/** @throws Fault not-found; unprocessable naming the member */
export async function planIntervention(
  records: Records,
  caller: Caller,
  { caseId, body }: { readonly caseId: string; readonly body: InterventionInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  return { changes: await plannedFrom(records, caller, about, [body], () => ''), about: 0 };
}

/** All of them or none; the command is about the plan. @throws Fault not-found; unprocessable naming `items[i].member` */
export async function planInterventions(
  records: Records,
  caller: Caller,
  { caseId, body }: { readonly caseId: string; readonly body: SeveralInterventions },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const changes = await plannedFrom(records, caller, about, body.items, (at) => `items[${at}].`);
  return { changes, about: changes.length - 1 };
}

/** The Tasks, then the plan. */
async function plannedFrom(
  records: Records,
  caller: Caller,
  about: CaseAtHand,
  inputs: readonly InterventionInput[],
  prefix: (at: number) => string,
): Promise<Planned['changes']> {
  await Promise.all(inputs.map((input, at) => checkInput(records, caller, about, input, prefix(at))));
  const plan = await planToExtend(records, caller, about);
  const role = inputs.some(({ owner }) => isPatients(owner)) ? await roleInCase(records, caller, about) : undefined;
  const tasks = inputs.map((input) => ({
    id: randomUUID(),
    resource: interventionOf(input, { ...about, role }, plan.reference, caller),
  }));
  return [
    ...tasks.map(({ id, resource }) => ({ op: 'create', id, resource }) as const),
    ...plan.add({
      activities: tasks.map(({ id }) => `Task/${id}`),
      goals: inputs.flatMap(({ goals = [] }) => goals.map(({ reference }) => reference)),
      needs: inputs.flatMap(({ need }) => (need ? [need.reference] : [])),
    }),
  ];
}

async function checkInput(
  records: Records,
  caller: Caller,
  about: CaseAtHand,
  input: InterventionInput,
  prefix: string,
): Promise<void> {
  const { code, description, start, due, owner } = input;
  if (!code && !description) {
    throw new Fault('unprocessable', 'Say what is to be done, by a code or in words: description is missing.', {
      expression: `${prefix}description`,
      code: 'required',
    });
  }
  if (due) requireAhead(due, `${prefix}due`, caller);
  requireOrder(start, due, [`${prefix}start`, `${prefix}due`], caller);
  if (owner) await knownResource(records, about, owner.reference, OWNERS, `${prefix}owner`);
  await checkLinks(records, about, input, prefix);
}

/** @throws Fault unprocessable naming the member */
export async function checkLinks(
  records: Records,
  about: CaseAtHand,
  { goals, need }: Pick<InterventionRevision, 'goals' | 'need'>,
  prefix = '',
): Promise<void> {
  await knownResources(records, about, goals, ['Goal'], `${prefix}goals`);
  if (need) await knownResource(records, about, need.reference, ['Condition'], `${prefix}need`);
}
