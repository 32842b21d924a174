// The life of a follow-up as data: at every stage, what may happen and what it becomes. What a row does not name cannot
// happen. docs/transitions.md shows the table; the sweep, the doors and the tests read it from here.
import type { CodeableConcept, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { isTerminal } from '../../fhir/status/task.ts';
import { concept } from '../concept.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { creditedAt } from './credit.ts';

/** CodeSystem follow-up-status: where a follow-up stands (Task.businessStatus), in words. */
export const STAGES = {
  scheduled: 'Scheduled',
  due: 'Due',
  reminded: 'Reminded',
  credited: 'Credited',
  overdue: 'Overdue',
  escalated: 'Escalated',
  acknowledged: 'Acknowledged',
  'done-on-time': 'Done on time',
  'done-late': 'Done late',
  'done-by-credit': 'Done by credit',
  'not-done': 'Not done',
  withdrawn: 'Withdrawn',
  expired: 'Expired',
} as const;
export type Stage = keyof typeof STAGES;

/** What can happen to a follow-up, as a sentence about it says so: "… cannot be …". */
export const EVENTS = {
  open: 'opened',
  remind: 'reminded of',
  attempt: 'attempted',
  credit: 'credited with its attempts',
  uncredit: 'left without credit',
  miss: 'missed',
  escalate: 'escalated',
  acknowledge: 'acknowledged',
  reassign: 'given to somebody else',
  reschedule: 'rescheduled',
  'complete-on-time': 'completed',
  'complete-late': 'completed late',
  fail: 'given up',
  withdraw: 'withdrawn',
  expire: 'expired',
} as const;
export type LifeEvent = keyof typeof EVENTS;

const ENDS = {
  'complete-on-time': 'done-on-time',
  'complete-late': 'done-late',
  fail: 'not-done',
  withdraw: 'withdrawn',
  expire: 'expired',
} as const;

type Row = Readonly<Partial<Record<LifeEvent, Stage>>>;

export const LIFE: Readonly<Record<Stage, Row>> = {
  scheduled: {
    open: 'due',
    attempt: 'scheduled',
    credit: 'credited',
    reassign: 'scheduled',
    reschedule: 'scheduled',
    ...ENDS,
  },
  due: {
    remind: 'reminded',
    attempt: 'due',
    credit: 'credited',
    miss: 'overdue',
    reassign: 'due',
    reschedule: 'scheduled',
    ...ENDS,
  },
  reminded: {
    attempt: 'reminded',
    credit: 'credited',
    miss: 'overdue',
    reassign: 'reminded',
    reschedule: 'scheduled',
    ...ENDS,
  },
  // Its deadline is met by two attempts; somebody is to be reached all the same, until it expires.
  credited: {
    attempt: 'credited',
    uncredit: 'due',
    reassign: 'credited',
    reschedule: 'credited',
    ...ENDS,
    expire: 'done-by-credit',
  },
  // Attempts that were made in time and are told late still earn the credit.
  overdue: {
    attempt: 'overdue',
    credit: 'credited',
    escalate: 'escalated',
    acknowledge: 'acknowledged',
    reassign: 'overdue',
    reschedule: 'scheduled',
    ...ENDS,
  },
  escalated: {
    attempt: 'escalated',
    credit: 'credited',
    escalate: 'escalated',
    acknowledge: 'acknowledged',
    reassign: 'escalated',
    reschedule: 'scheduled',
    ...ENDS,
  },
  acknowledged: {
    attempt: 'acknowledged',
    credit: 'credited',
    escalate: 'escalated',
    acknowledge: 'acknowledged',
    reassign: 'acknowledged',
    reschedule: 'scheduled',
    ...ENDS,
  },
  'done-on-time': {},
  'done-late': {},
  'done-by-credit': {},
  'not-done': {},
  withdrawn: {},
  expired: {},
};

/** Stages that people may set as Task.businessStatus by themselves; every other must show in what they did. */
export const SET_BY_PEOPLE: ReadonlySet<Stage> = new Set(['acknowledged']);

/** Undefined when the Task does not say, or says it in other words. */
export function stageOf({ businessStatus }: Pick<Task, 'businessStatus'>): Stage | undefined {
  const code = businessStatus?.coding?.find(({ system }) => system === CODE_SYSTEM.followUpStatus)?.code;
  return code !== undefined && Object.hasOwn(STAGES, code) ? (code as Stage) : undefined;
}

const MISSED: ReadonlySet<Stage | undefined> = new Set(['overdue', 'escalated', 'acknowledged']);

/** Its deadline has passed and somebody was told. */
export const isMissed = (task: Pick<Task, 'businessStatus'>): boolean => MISSED.has(stageOf(task));

export function stageConcept(stage: Stage): CodeableConcept {
  return concept(CODE_SYSTEM.followUpStatus, stage, STAGES[stage]);
}

/** What happens to a follow-up at a stage. @throws Fault unprocessable naming what may happen instead */
export function stageAfter(stage: Stage, event: LifeEvent): Stage {
  const next = LIFE[stage][event];
  if (next !== undefined) return next;
  throw new Fault('unprocessable', refusal(stage, EVENTS[event], Object.keys(LIFE[stage]).map(wordsOf)), {
    expression: 'Task.businessStatus',
    code: 'business-rule',
  });
}

const wordsOf = (event: string) => EVENTS[event as LifeEvent];

/**
 * Why somebody may not change where a follow-up stands; undefined when they may. Taking Baton's code away is allowed:
 * the follow-up is then raised again.
 */
export function refuseStage(before: Task, after: Task): string | undefined {
  const [from, to] = [stageOf(before), stageOf(after)];
  if (from === to || to === undefined) return undefined;
  const legal = new Set(from === undefined ? [to] : Object.values(LIFE[from]));
  if (legal.has(to) && isShownBy(after, to)) return undefined;
  if (from === undefined)
    return `Where a follow-up stands follows from what is done about it; nobody sets it to ${to}.`;
  const open = [...SET_BY_PEOPLE].filter((stage) => legal.has(stage));
  if (open.includes(to)) return undefined;
  return refusal(from, `set to ${to}`, open);
}

/** What the Task itself says beside: it has ended, or its attempts earned credit. */
function isShownBy(task: Task, stage: Stage): boolean {
  return Object.keys(LIFE[stage]).length === 0
    ? isTerminal(task.status)
    : stage === 'credited' && creditedAt(task) !== undefined;
}

function refusal(stage: Stage, wish: string, legal: readonly string[]): string {
  const can = legal.length === 0 ? 'nothing more happens to it' : `it can be ${[...new Set(legal)].join(', ')}`;
  return `A follow-up that is ${stage} cannot be ${wish}; ${can}.`;
}
