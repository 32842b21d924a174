// GET /ops/follow-ups: follow-up Tasks as operators look at them, the ones due first on top.
import type { Task } from '@medplum/fhirtypes';
import { IDENTIFIER } from '../../care/systems.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { FhirContext } from '../fhir/context.ts';
import { failingAmong } from './follow-up-failing.ts';
import type { ListPage, ListRequest } from './list-request.ts';

export const FOLLOW_UP_FILTERS = ['status', 'patient', 'owner', 'requester', 'business-status'];

export async function listFollowUps(
  context: Pick<FhirContext, 'store' | 'parameters' | 'base' | 'clock'>,
  { limit, after, filter }: ListRequest,
): Promise<ListPage> {
  const sort = context.parameters.get('Task', 'due') ? 'due' : '_lastUpdated';
  const pairs: [string, string][] = [
    ['identifier', `${IDENTIFIER.followUp}|`],
    ['_sort', sort],
    ['_count', String(limit)],
    ...Object.entries(filter),
    ...(after === undefined ? [] : [['_cursor', after] as [string, string]]),
  ];
  const query = parseSearch(context.parameters, 'Task', pairs, { handling: 'strict', baseUrl: context.base() });
  const { items, next } = await context.store.search(query);
  const tasks = items.map(({ content }) => JSON.parse(content) as Task);
  const failing = await failingAmong(context, tasks);
  const told = tasks.map((task) => ({ ...summary(task), failing: failing.get(task.id ?? '') }));
  return { items: told, ...(next ? { next } : {}) };
}

function summary({ id, status, businessStatus, priority, code, restriction, owner, requester, for: patient }: Task) {
  return {
    task: `Task/${id}`,
    status,
    businessStatus: businessStatus?.coding?.[0]?.code,
    priority,
    step: code?.coding?.[0]?.code,
    from: restriction?.period?.start,
    due: restriction?.period?.end,
    patient: patient?.reference,
    owner: owner?.reference,
    facility: requester?.reference,
  };
}
