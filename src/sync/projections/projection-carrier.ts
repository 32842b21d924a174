// Plans whose document carries a goal or a task, so that these need none of their own.
import type { CarePlan } from '@medplum/fhirtypes';
import { parseBody, resourceOf } from '../body.ts';
import type { RunContext } from '../context.ts';
import { projectionTarget } from './projection-target.ts';

const CARRIED_BY: Readonly<Record<string, string>> = { Goal: 'goal', Task: 'activity-reference' };

/** The plans that a goal or task is in, those that were a mistake left out. */
export async function plansWith(context: RunContext, type: string, id: string): Promise<(CarePlan & { id: string })[]> {
  const parameter = CARRIED_BY[type];
  if (parameter === undefined) return [];
  const found = await context.store.find(`CarePlan?${parameter}=${type}/${id}`);
  return found
    .map(({ content }) => resourceOf(parseBody(content)) as CarePlan & { id: string })
    .filter(({ status }) => status !== 'entered-in-error');
}

/** True when plans go to the connection as documents. */
export function plansAreDocuments(context: RunContext): boolean {
  return projectionTarget(context, 'CarePlan', false) === 'DocumentReference';
}
