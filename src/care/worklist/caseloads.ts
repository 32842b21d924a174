// How much each case manager has to do. Numbers are counted by the store; nothing is kept beside the cases and tasks.
import type { PractitionerRole } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { CASE_TYPE, OPEN_STATUSES } from '../cases/episode.ts';
import { listCases } from '../cases/find-cases.ts';
import { OPEN_TASKS } from '../cases/open-work.ts';
import { findReadable } from '../find-readable.ts';
import { localDate, toLastInstant } from '../local-time.ts';
import { personName } from '../person-name.ts';
import type { Caller, Kept, PagedRecords, Records } from '../records.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import type { Caseload, CaseloadOfManager, CaseloadQuery, Caseloads } from './caseload-schema.ts';
import { besideTasks } from './list-work.ts';
import { deadlines, isDueBy, isOverdue } from './overdue.ts';
import { workItem } from './work-item.ts';

const PAGE = 50;

/** Everybody who manages an open case. */
export async function listCaseloads(records: PagedRecords, caller: Caller, query: CaseloadQuery): Promise<Caseloads> {
  const managing = { '_has:EpisodeOfCare:care-manager:status': OPEN_STATUSES, _sort: '_id' };
  const { limit = PAGE, after } = query;
  const { items, next } = await records.page('Practitioner', managing, { most: limit, after });
  const loads = await Promise.all(items.map((manager) => caseloadOf(records, caller, manager)));
  return { items: loads, ...(next === undefined ? {} : { next }) };
}

/** Undefined when there is no such person, or the caller may not see them. */
export async function readCaseload(
  records: PagedRecords,
  caller: Caller,
  id: string,
  { limit = PAGE, after }: CaseloadQuery,
): Promise<CaseloadOfManager | undefined> {
  const manager = await records.read('Practitioner', id);
  if (!manager) return undefined;
  const reference = `Practitioner/${id}`;
  const [load, cases, tasks] = await Promise.all([
    caseloadOf(records, caller, manager),
    listCases(records, {
      careManager: reference,
      status: OPEN_STATUSES,
      limit,
      ...(after === undefined ? {} : { after }),
    }),
    findReadable(records, 'Task', { owner: reference, status: OPEN_TASKS, _sort: 'deadline' }),
  ]);
  const beside = await besideTasks(records, tasks);
  const byCase = Map.groupBy(tasks, (task) => workItem(task, beside, caller).case ?? '');
  const items = cases.items.map((each) => {
    const own = byCase.get(each.id) ?? [];
    const nextDue = own[0]?.restriction?.period?.end;
    return {
      case: each,
      open: own.length,
      overdue: own.filter((task) => isOverdue(task, caller)).length,
      ...(nextDue === undefined ? {} : { nextDue }),
    };
  });
  return { ...load, items, ...(cases.next === undefined ? {} : { next: cases.next }) };
}

async function caseloadOf(records: PagedRecords, caller: Caller, manager: Kept<'Practitioner'>): Promise<Caseload> {
  const reference = `Practitioner/${manager.id}`;
  const cases = (status: string) =>
    records.count('EpisodeOfCare', { type: CASE_TYPE, 'care-manager': reference, status });
  const tasks = (...deadline: string[]) => countTasks(records, { owner: reference, status: OPEN_TASKS, deadline });
  const end = endOfToday(caller);
  const near = [deadlines.maybeOpen(caller.now), deadlines.maybeOver(end)];
  const [active, onHold, waiting, over, around, capacity] = await Promise.all([
    cases('active'),
    cases('onhold'),
    cases('planned,waitlist'),
    tasks(deadlines.over(caller.now)),
    findReadable(records, 'Task', { owner: reference, status: OPEN_TASKS, deadline: near }),
    capacityOf(records, reference),
  ]);
  const name = personName(manager.name);
  const overdue = over + around.filter((task) => isOverdue(task, caller)).length;
  const dueToday = around.filter((task) => isDueBy(task, end, caller)).length;
  return {
    manager: { reference, ...(name === undefined ? {} : { display: name }) },
    ...{ active, onHold, waiting, overdue, dueToday },
    ...(capacity === undefined ? {} : { capacity, free: capacity - active }),
  };
}

/** Who may see no tasks counts none. */
async function countTasks(records: PagedRecords, search: Record<string, string | string[]>): Promise<number> {
  try {
    return await records.count('Task', search);
  } catch (error) {
    if (error instanceof Fault && error.kind === 'forbidden') return 0;
    throw error;
  }
}

const endOfToday = ({ now, zone }: Caller) => toLastInstant(localDate(now, zone).toString(), zone);

/** The most that one of the person's roles as case manager says. */
async function capacityOf(records: Records, practitioner: string): Promise<number | undefined> {
  const roles = await findReadable(records, 'PractitionerRole', {
    practitioner,
    role: `${CODE_SYSTEM.careRole}|case-manager`,
  });
  const said = roles.filter(({ active }) => active !== false).flatMap((role) => capacityIn(role) ?? []);
  return said.length === 0 ? undefined : Math.max(...said);
}

const capacityIn = ({ extension }: PractitionerRole) =>
  extension?.find(({ url }) => url === EXTENSION.caseloadCapacity)?.valuePositiveInt;
