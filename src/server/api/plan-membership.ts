// The two commands by which what is there already comes into the plan, or out of it.
import type { ResourceType } from '@medplum/fhirtypes';
import type { Static, TSchema } from 'typebox';
import { leaveOut, takeUp } from '../../care/plans/take-up.ts';
import type { Caller, Records } from '../../care/records.ts';
import { type ApiRoute, command } from './route.ts';

interface Membership<Answer extends TSchema> {
  /** Path of the thing, e.g. `/cases/:id/goals/:item`. */
  readonly path: `/cases/:id/${string}/:item`;
  readonly noun: string;
  readonly tag: string;
  readonly type: 'Condition' | 'Goal' | 'Task';
  readonly reads: readonly ResourceType[];
  readonly answer: Answer;
  readonly show: (records: Records, caller: Caller, caseId: string, id: string) => Promise<Static<Answer>>;
}

export function membershipRoutes<Answer extends TSchema>(of: Membership<Answer>): ApiRoute[] {
  const { path, noun, tag, type, reads, answer, show } = of;
  const shared = { method: 'POST', tag, reads: [...reads, 'CarePlan'], answer } as const;
  return [
    command({
      ...shared,
      path: `${path}/take-up` as '/cases/:id/:item',
      name: `${noun}-take-up`,
      summary: `Take up into the plan a ${noun} that is there already`,
      plan: ({ records, caller, params }) => takeUp(records, caller, { caseId: params.id, type, id: params.item }),
      view: ({ records, caller, params }) => show(records, caller, params.id, params.item),
    }),
    command({
      ...shared,
      path: `${path}/leave-out` as '/cases/:id/:item',
      name: `${noun}-leave-out`,
      summary: `Leave a ${noun} out of the plan; it stays as it is`,
      plan: ({ records, params }) => leaveOut(records, { caseId: params.id, type, id: params.item }),
      view: ({ records, caller, params }) => show(records, caller, params.id, params.item),
    }),
  ];
}
