// Whether a new version of a resource may follow the one before it, as far as its status goes, and which statuses may.
import type { Resource, Task } from '@medplum/fhirtypes';
import { achievementRefusal } from './achievement.ts';
import { type AnyMachine, isReachable, type Refusal } from './machine.ts';
import { machineOf, statusOf } from './machine-of.ts';
import { REFERRAL, SET_BY } from './referral.ts';
import { type Parties, sidesOf } from './sides.ts';
import type { TaskStatus } from './task.ts';

/** What matters of who makes a change. */
export interface ActorFacts {
  readonly parties: Parties;
  /** True where what is written may be the sum of several steps that nobody saw one by one: other servers, Baton itself. */
  readonly mayLeap: boolean;
}

/** Undefined: allowed. The same status again is, and so is everything of a type that has no machine. */
export function refuseStep(before: Resource, after: Resource, actor: ActorFacts): Refusal | undefined {
  const machine = machineOf(before, after);
  if (!machine) return undefined;
  const [from, to] = [statusOf(machine, before), statusOf(machine, after)];
  const ill = actor.mayLeap ? undefined : achievementRefusal(before, after);
  if (from === to || from === undefined || !(from in machine.successors)) return ill;
  const follows = to !== undefined && machine.successors[from]?.includes(to);
  const expression = `${before.resourceType}.${machine.element}`;
  const next = nextOf(machine, from, before, actor);
  if (!follows && !(actor.mayLeap && isReachable(machine, from, to)))
    return { expression, next, sentence: notInTable(machine, from, to) };
  if (machine === REFERRAL && !maySet(before as Task, after as Task, actor))
    return { expression, next, sentence: notTheirs(to as TaskStatus, next) };
  return ill;
}

/** What a resource may become in one step, by this actor; nothing for a type that has no machine. */
export function next(resource: Resource, actor: ActorFacts): readonly string[] {
  const machine = machineOf(resource);
  const from = machine && statusOf(machine, resource);
  if (!machine) return [];
  return from === undefined ? Object.keys(machine.successors) : nextOf(machine, from, resource, actor);
}

function nextOf(machine: AnyMachine, from: string, resource: Resource, { parties }: ActorFacts): readonly string[] {
  const legal = machine.successors[from] ?? [];
  if (machine !== REFERRAL || resource.resourceType !== 'Task') return legal;
  const sides = sidesOf(resource, undefined, parties);
  const isOpen = resource.owner === undefined;
  return legal.filter(
    (to) => (isOpen && to === 'accepted') || SET_BY[to as TaskStatus].some((side) => sides.has(side)),
  );
}

function maySet(before: Task, after: Task, { parties }: ActorFacts): boolean {
  const sides = sidesOf(before, after, parties);
  return SET_BY[after.status].some((side) => sides.has(side));
}

function notInTable({ name, successors }: AnyMachine, from: string, to: string | undefined): string {
  const which = `${/^[AEIOU]/.test(name) ? 'An' : 'A'} ${name} that is ${from}`;
  const wish = to === undefined ? 'cannot be left without a status' : `cannot become ${to}`;
  const legal = successors[from] ?? [];
  return `${which} ${wish}; ${legal.length === 0 ? 'it stays as it is' : `it can become ${list(legal)}`}.`;
}

function notTheirs(to: TaskStatus, open: readonly string[]): string {
  const who = SET_BY[to].join(' or ');
  const rest = open.length === 0 ? 'no other status is yours to set' : `yours to set: ${list(open)}`;
  return `Only the ${who} of a referral Task sets it to ${to}; ${rest}.`;
}

function list(statuses: readonly string[]): string {
  return statuses.length < 2 ? statuses.join('') : `${statuses.slice(0, -1).join(', ')} or ${statuses.at(-1)}`;
}
