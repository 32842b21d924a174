// How many follow-ups wait for people and for the sweep, for each facility. Counted along indexes up to a limit: however much
// there is, looking costs the same.
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER } from '../../care/systems.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { FhirContext } from '../fhir/context.ts';

export interface FacilityCounts {
  /** Reference of the Organization; null where none asked for the follow-up. */
  readonly facility: string | null;
  /** MSH-4 of its messages. */
  readonly code: string | null;
  /** Windows have opened, and no sweep has raised them yet. */
  unraised: number;
  /** Wait for somebody, in time. */
  due: number;
  /** Wait for somebody, too late. */
  overdue: number;
  /** Sweeps fail at them. */
  failing: number;
}

export interface FollowUpCounts {
  readonly facilities: readonly FacilityCounts[];
  /** Some counts are what was found when counting stopped. */
  readonly isCut: boolean;
  readonly undelivered: number;
}

type Counted = 'unraised' | 'due' | 'overdue';

const PAGE = 500;
const MOST = 5_000;
const STAGES = {
  due: ['due', 'reminded', 'credited'],
  overdue: ['overdue', 'escalated', 'acknowledged'],
} as const;

export type CountContext = Pick<FhirContext, 'store' | 'parameters' | 'base' | 'clock'>;

export async function countFollowUps(context: CountContext): Promise<FollowUpCounts> {
  const { store, clock } = context;
  const facilities = new Map<string | null, FacilityCounts>();
  for (const { id, content } of await store.find(`Organization?identifier=${IDENTIFIER.facility}|`)) {
    const { identifier } = JSON.parse(content) as { identifier?: { system?: string; value?: string }[] };
    const code = identifier?.find(({ system }) => system === IDENTIFIER.facility)?.value ?? null;
    facilities.set(`Organization/${id}`, empty(`Organization/${id}`, code));
  }
  const of = (task: Task | undefined) => {
    const facility = task?.requester?.reference ?? null;
    const known = facilities.get(facility) ?? empty(facility, null);
    facilities.set(facility, known);
    return known;
  };
  const now = clock.now().toString({ smallestUnit: 'second' });
  const codes = (stages: readonly string[]) => stages.map((code) => `${CODE_SYSTEM.followUpStatus}|${code}`).join(',');
  const asked: readonly [Counted, string, string][] = [
    ['unraised', 'raise-at', `le${now}`],
    ['due', 'business-status', codes(STAGES.due)],
    ['overdue', 'business-status', codes(STAGES.overdue)],
  ];
  let isCut = false;
  for (const [what, parameter, value] of asked) {
    const { tasks, more } = await openTasks(context, parameter, value);
    isCut ||= more;
    for (const task of tasks) of(task)[what] += 1;
  }
  for (const { task } of await store.query('SELECT task FROM sweep_failure LIMIT ?', [PAGE])) {
    const version = await store.read('Task', String(task));
    of(version?.content ? (JSON.parse(version.content) as Task) : undefined).failing += 1;
  }
  const [row] = await store.query("SELECT COUNT(*) AS n FROM notification WHERE state = 'undelivered'");
  return { facilities: [...facilities.values()], isCut, undelivered: Number(row?.n ?? 0) };
}

function empty(facility: string | null, code: string | null): FacilityCounts {
  return { facility, code, unraised: 0, due: 0, overdue: 0, failing: 0 };
}

async function openTasks(context: CountContext, parameter: string, value: string) {
  const pairs: [string, string][] = [
    [parameter, value],
    ['status:not', 'completed,cancelled,failed,rejected,entered-in-error'],
    ['_count', String(PAGE)],
    ['_total', 'none'],
  ];
  const query = parseSearch(context.parameters, 'Task', pairs, { handling: 'strict', baseUrl: context.base() });
  const tasks: Task[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await context.store.search(cursor === undefined ? query : { ...query, cursor });
    tasks.push(...items.map(({ content }) => JSON.parse(content) as Task));
    cursor = next;
  } while (cursor !== undefined && tasks.length < MOST);
  return { tasks, more: cursor !== undefined };
}
