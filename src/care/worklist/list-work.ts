// The worklist: tasks by priority, then by deadline. Each priority is a search of its own, sorted by deadline in the store, so
// that a page costs what it shows.

import { Fault } from '../../fault.ts';
import { OPEN_TASKS } from '../cases/open-work.ts';
import { findReadable } from '../find-readable.ts';
import { readablePlansOfCase } from '../plans-of-case.ts';
import type { Caller, Kept, PagedRecords, Records, SearchFor } from '../records.ts';
import { idOf } from '../stored.ts';
import { deadlines, isPastDeadline } from './overdue.ts';
import { type Beside, planIdOf, workItem } from './work-item.ts';
import type { Worklist, WorklistQuery } from './worklist-schema.ts';

const PAGE = 50;
/** Most urgent first; without a priority a task is routine. */
const PRIORITIES: readonly SearchFor[] = [
  { priority: 'stat' },
  { priority: 'asap' },
  { priority: 'urgent' },
  { 'priority:not': 'stat,asap,urgent' },
];

/** @throws Fault invalid for a cursor that is none, or `mine` of an application */
export async function listWork(records: PagedRecords, caller: Caller, query: WorklistQuery): Promise<Worklist> {
  const { limit = PAGE } = query;
  const search = await searchFor(records, caller, query);
  if (search === 'nothing') return { items: [] };
  let at: Position | undefined = query.after === undefined ? { priority: 0 } : readPosition(query.after);
  const tasks: Kept<'Task'>[] = [];
  while (at && tasks.length < limit) {
    const within: SearchFor = { ...search, ...PRIORITIES[at.priority], _sort: 'deadline' };
    const page: Page = await records.page('Task', within, { most: limit - tasks.length, after: at.after });
    const { items, next } = page;
    const { overdue } = query;
    tasks.push(...items.filter((task) => overdue === undefined || isPastDeadline(task, caller) === overdue));
    const { priority }: Position = at;
    at =
      next !== undefined
        ? { priority, after: next }
        : priority + 1 < PRIORITIES.length
          ? { priority: priority + 1 }
          : undefined;
  }
  const beside = await besideTasks(records, tasks);
  const items = tasks.map((task) => workItem(task, beside, caller));
  return { items, ...(at === undefined ? {} : { next: `${at.priority}~${at.after ?? ''}` }) };
}

interface Page {
  readonly items: Kept<'Task'>[];
  readonly next?: string;
}

interface Position {
  /** Index in PRIORITIES. */
  readonly priority: number;
  /** Cursor within it. */
  readonly after?: string;
}

function readPosition(text: string): Position {
  const [, priority, after] = /^([0-3])~(.*)$/.exec(text) ?? [];
  if (priority === undefined)
    throw new Fault('invalid', 'after is `next` of an earlier page.', { expression: 'after' });
  return { priority: Number(priority), ...(after ? { after } : {}) };
}

async function searchFor(records: Records, caller: Caller, query: WorklistQuery): Promise<SearchFor | 'nothing'> {
  const { patient, status = OPEN_TASKS, kind, overdue, dueBefore } = query;
  const owners = await ownersOf(records, caller, query);
  const plans = query.case === undefined ? undefined : await readablePlansOfCase(records, query.case);
  if (plans?.length === 0) return 'nothing';
  const deadline = [
    ...(overdue === undefined ? [] : [overdue ? deadlines.maybeOver(caller.now) : deadlines.maybeOpen(caller.now)]),
    ...(dueBefore === undefined ? [] : [`eb${dueBefore}`]),
  ];
  return {
    status,
    ...(owners === undefined ? {} : { owner: owners.join(',') }),
    ...(patient === undefined ? {} : { patient }),
    ...(kind === undefined ? {} : { code: kind }),
    ...(plans ? { 'based-on': plans.map(({ id }) => `CarePlan/${id}`).join(',') } : {}),
    ...(deadline.length > 0 ? { deadline } : {}),
  };
}

/** Undefined: whoever it is. */
async function ownersOf(records: Records, { who }: Caller, { mine, owner, team }: WorklistQuery) {
  if (mine === true && who.reference === undefined) {
    throw new Fault('invalid', 'An application has no tasks of its own; name an owner.', { expression: 'mine' });
  }
  const whose = owner ?? (mine === true ? who.reference : undefined);
  const owners = whose === undefined ? [] : [whose, ...(await rolesOf(records, whose))];
  if (team === undefined) return whose === undefined ? undefined : owners;
  const found = await records.read('CareTeam', idOf({ reference: team }, 'CareTeam') ?? '');
  const members = (found?.participant ?? [])
    .filter(({ period }) => period?.end === undefined)
    .flatMap(({ member }) => member?.reference ?? []);
  return [...owners, team, ...members];
}

/** A person also does what their roles are to do. */
async function rolesOf(records: Records, owner: string): Promise<string[]> {
  if (idOf({ reference: owner }, 'Practitioner') === undefined) return [];
  const roles = await findReadable(records, 'PractitionerRole', { practitioner: owner });
  return roles.map(({ id }) => `PractitionerRole/${id}`);
}

export async function besideTasks(records: Records, tasks: readonly Kept<'Task'>[]): Promise<Beside> {
  const [patients, plans] = await Promise.all([
    findReadable(records, 'Patient', {
      _id: listOf(tasks.map((task) => idOf(task.for, 'Patient'))),
    }),
    findReadable(records, 'CarePlan', { _id: listOf(tasks.map(planIdOf)) }),
  ]);
  return {
    patients: new Map(patients.map((each) => [each.id, each])),
    plans: new Map(plans.map((each) => [each.id, each])),
  };
}

/** Each once; of none, an id that nothing has. */
function listOf(ids: readonly (string | undefined)[]): string {
  const wanted = new Set(ids.flatMap((id) => id ?? []));
  return wanted.size === 0 ? '-' : [...wanted].join(',');
}
