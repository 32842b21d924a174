// The course of one transition: its follow-ups are planned, time passes over them, they move, end and take others with them.
// Written from docs/transitions.md and docs/follow-ups.md.
import { windowFrom } from './days.ts';
import { type FollowUp, isOver, NEVER, type Passage, passOver, planned } from './passing.ts';
import type { Place } from './places.ts';
import type { Protocol, Step } from './protocols.ts';
import type { Staffing } from './staffing.ts';
import type { Sweeps } from './sweeps.ts';
import { note, span } from './words.ts';

/** A transition as both sides tell it: what it is, and what became of every follow-up. */
export interface Telling {
  readonly head: string[];
  /** By step. */
  readonly followUps: Map<string, string[]>;
  /** Another history of a step that is as right, where two things happened at one moment. */
  readonly alternatives: Map<string, string[]>;
  /** Who was told what, by step. */
  readonly messages: Map<string, string[]>;
}

export const emptyTelling = (...head: string[]): Telling => ({
  head,
  followUps: new Map(),
  alternatives: new Map(),
  messages: new Map(),
});

export interface Transition {
  readonly name: string;
  readonly protocol: Protocol;
  /** LACE when it began. */
  readonly firstPoints: number;
  discharge: number;
  readonly place: Place;
  readonly staffing: Staffing;
  /** Steps that an earlier transition has seen through. */
  readonly doneBefore: ReadonlySet<string>;
  readonly followUps: FollowUp[];
  live: boolean;
  readonly told: Telling;
}

const ESCALATION = '-escalation';
/** The step whose supervisor's Task this is; undefined for every other. */
export const escalatedBy = (step: string) =>
  step.endsWith(ESCALATION) ? step.slice(0, -ESCALATION.length) : undefined;
/** The deadline has passed and somebody was told; a correction does not take that back. */
const MISSED: ReadonlySet<string> = new Set(['overdue', 'escalated']);
/** People work on the plan, or should have: it is not given up because the risk is another one now. */
export const isUnderWay = ({ followUps }: Transition) =>
  followUps.some(({ status, clock }) => status !== 'requested' || MISSED.has(clock));

export interface Course {
  readonly sweeps: Sweeps;
  complain(line: string): void;
}

export function plan(transition: Transition, followUp: FollowUp): void {
  const { told, followUps } = transition;
  followUps.push(followUp);
  told.followUps.set(followUp.step, followUp.told);
  told.messages.set(followUp.step, followUp.messages);
}

/** Everything that sweeps before `until` did. When the last follow-up expires the transition ends. */
export function passTransition(transition: Transition, until: number, course: Course): void {
  // What is planned on the way, a supervisor's Task, is passed over in its turn.
  for (let at = 0; at < transition.followUps.length; at++) {
    const followUp = transition.followUps[at] as FollowUp;
    const passage = passageOf(transition, followUp, until, course);
    while (passOver(followUp, passage)) if (isOver(followUp)) break;
  }
  const lastEnd = Math.max(...transition.followUps.map(({ from }) => from));
  if (transition.live && transition.followUps.every(isOver)) close(transition, lastEnd);
}

function passageOf(transition: Transition, followUp: FollowUp, until: number, course: Course): Passage {
  const { place, staffing, name } = transition;
  return {
    place,
    staffing,
    sweepAfter(moment) {
      const tick = course.sweeps.first(moment);
      return tick < until ? tick : NEVER;
    },
    swept(due, at) {
      if (course.sweeps.isLate(due, at))
        course.complain(`${name} ${followUp.step}: ${note('due', due, note('swept', at))}.`);
    },
    escalate: (window, now, supervisor) =>
      plan(transition, planned(followUp.step + ESCALATION, window, followUp.discharge, now, supervisor)),
    expire: (now) => endEscalation(transition, followUp.step, now, Math.min(until, now + 1), course),
    isOvertaken: (now) => isOvertaken(transition, followUp, now),
  };
}

/** The supervisor's Task about a follow-up that has ended: it lived until then. */
function endEscalation(transition: Transition, step: string, at: number, until: number, course: Course): void {
  const above = transition.followUps.find((one) => one.step === step + ESCALATION);
  if (!above || isOver(above)) return;
  while (passOver(above, passageOf(transition, above, until, course)));
  end(above, 'cancelled', at);
}

/** Of several follow-ups of one kind that nobody could raise in time the last one is enough, where the protocol says so. */
function isOvertaken({ protocol, followUps }: Transition, followUp: FollowUp, at: number): boolean {
  const stepOf = (name: string) => protocol.steps.find(({ id }) => id === name);
  const step = stepOf(followUp.step);
  if (step?.timing.late !== 'fire-last') return false;
  return followUps.some(
    (other) =>
      stepOf(other.step)?.kind === step.kind &&
      !isOver(other) &&
      other.window.raise > followUp.window.raise &&
      other.window.raise <= at,
  );
}

function close(transition: Transition, at: number): void {
  transition.live = false;
  transition.told.head.push(note('finished', at));
}

/** A corrected discharge: what is not done counts from it. */
export function move(transition: Transition, discharge: number, at: number): void {
  if (transition.discharge === discharge) return;
  transition.discharge = discharge;
  transition.told.head.push(note('moved to', discharge, note('at', at)));
  for (const followUp of transition.followUps) {
    const step = transition.protocol.steps.find(({ id }) => id === followUp.step);
    if (!step || isOver(followUp) || MISSED.has(followUp.clock)) continue;
    const window = windowFrom(step.timing, discharge, transition.place);
    followUp.discharge = discharge;
    if (span(window) === span(followUp.window)) continue;
    // Who was reminded of this very deadline stays so.
    const isSameDeadline = window.due === followUp.window.due;
    followUp.window = window;
    followUp.from = at;
    followUp.told.push(note('moved', at, span(window)));
    if (window.raise > at && followUp.status === 'requested') followUp.clock = 'scheduled';
    else if (followUp.clock === 'reminded' && !isSameDeadline) followUp.clock = 'due';
  }
}

export function withdraw(transition: Transition, reason: string, at: number): void {
  transition.live = false;
  transition.told.head.push(note(reason, at));
  for (const followUp of transition.followUps) {
    if (!isOver(followUp)) end(followUp, 'cancelled', at);
  }
}

/** What a plan that gives way to another one is to leave to it. */
export interface Successor {
  readonly transition: Transition;
  /** Steps of the new plan, those that apply. */
  readonly steps: readonly Step[];
}

/**
 * What stands in both plans goes on under the new one, with all that became of it and was told of it (docs/transitions.md): done
 * it stays done, open it has the new window. What is late and would not be any more begins again, and its supervisor is let off.
 */
export function handOver(from: Transition, { transition: to, steps }: Successor, at: number): void {
  for (const step of steps) {
    const own = from.followUps.filter((one) => one.step === step.id);
    const followUp = own.find((one) => !isOver(one)) ?? own.find(({ status }) => status === 'completed');
    if (!followUp || kindIn(from, step.id) !== step.kind) continue;
    const isOpen = !isOver(followUp);
    if (isOpen) retime(followUp, step, to, at);
    give(from, to, followUp, at);
    for (const above of from.followUps.filter((one) => escalatedBy(one.step) === step.id)) {
      if (isOver(above) || !isOpen || MISSED.has(followUp.clock)) give(from, to, above, at);
    }
  }
}

const kindIn = ({ protocol }: Transition, name: string) => protocol.steps.find(({ id }) => id === name)?.kind;

function retime(followUp: FollowUp, step: Step, { discharge, place }: Transition, at: number): void {
  const window = windowFrom(step.timing, discharge, place);
  const before = followUp.window;
  const told = new Set(followUp.life?.ladder.slice(0, followUp.rungs).map(({ who }) => who));
  Object.assign(followUp, { window, discharge, life: step.life });
  if (span(window) !== span(before)) {
    followUp.told.push(note('moved', at, span(window)));
    followUp.from = at;
  }
  if (MISSED.has(followUp.clock) && window.due <= at) {
    // Who knows that it is late is not told again; the first of the new ladder who does not is next.
    const next = step.life.ladder.findIndex(({ who }) => !told.has(who));
    followUp.rungs = Math.max(1, next < 0 ? step.life.ladder.length : next);
    return;
  }
  if (MISSED.has(followUp.clock)) followUp.rungs = 0;
  if (followUp.clock === 'scheduled') return;
  if (window.raise > at && followUp.status === 'requested') followUp.clock = 'scheduled';
  // Who was reminded of this very deadline stays so.
  else if (followUp.clock !== 'reminded' || window.due !== before.due) followUp.clock = 'due';
}

function give(from: Transition, to: Transition, followUp: FollowUp, at: number): void {
  const { step } = followUp;
  from.followUps.splice(from.followUps.indexOf(followUp), 1);
  from.told.followUps.delete(step);
  from.told.messages.delete(step);
  followUp.told.push(note('taken over', at, to.name));
  plan(to, followUp);
}

function end(followUp: FollowUp, status: 'completed' | 'cancelled', at: number): void {
  followUp.status = status;
  followUp.from = at;
  followUp.told.push(note(status, at));
}

function complete(followUp: FollowUp, at: number): void {
  end(followUp, 'completed', at);
  // A supervisor's Task is judged like any other.
  followUp.told.push(note(at > followUp.window.due ? 'done-late' : 'done-on-time', at));
}

/** What a nurse does with a follow-up. */
export interface Deed {
  readonly step: string;
  readonly act: 'complete' | 'begin';
  /** Whether the nurse was told that it had ended. */
  readonly refused: boolean;
}

/**
 * What nurses do at one moment: each finds the follow-ups as they were before it, and what follows from it comes after. Who
 * ends a follow-up and who works on the supervisor's Task about it may come in either order; both are right.
 */
export function act(transition: Transition, deeds: readonly Deed[], at: number, course: Course): void {
  const { followUps, told, live } = transition;
  const open = live ? followUps.filter((one) => !isOver(one)) : [];
  const completed = new Set(deeds.flatMap(({ step, act: what }) => (what === 'complete' ? [step] : [])));
  for (const { step, act: what, refused } of deeds) {
    const where = `${transition.name} ${step} ${note('at', at)}`;
    const followUp = open.find((one) => one.step === step);
    if (!followUp) {
      if (!refused) course.complain(`${where}: ${what} of what had ended, or was not there.`);
      continue;
    }
    const isContested = completed.has(escalatedBy(step) ?? '');
    if (refused && !isContested) course.complain(`${where}: ${what} was refused.`);
    if (isContested) told.alternatives.set(step, [...followUp.told, note('cancelled', at)]);
    if (what === 'complete') complete(followUp, at);
    else {
      followUp.status = 'in-progress';
      followUp.told.push(note('in-progress', at));
    }
  }
  for (const above of open) {
    if (!isOver(above) && completed.has(escalatedBy(above.step) ?? '')) end(above, 'cancelled', at);
  }
  if (live && followUps.every(isOver)) close(transition, at);
}

/** What was done before the discharge does not count for it. */
export function doneSince(transitions: readonly Transition[], discharge: number): Set<string> {
  const followUps = transitions.flatMap((transition) => transition.followUps);
  return new Set(
    followUps.flatMap(({ step, status, from }) => (status === 'completed' && from >= discharge ? [step] : [])),
  );
}
