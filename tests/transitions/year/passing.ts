// How time passes over one follow-up: raised, reminded, missed, put before others, expired, each by the first sweep after its
// moment. Written from docs/transitions.md.
import {
  businessDayAfter,
  dayOf,
  expiryAt,
  lastSecondOf,
  reminderAt,
  rungAt,
  type StepLife,
  type Window,
} from './days.ts';
import type { Place } from './places.ts';
import type { Staffing } from './staffing.ts';
import { note, span } from './words.ts';

export interface FollowUp {
  readonly step: string;
  window: Window;
  /** Absent for the Task of a supervisor. */
  readonly life?: StepLife;
  clock: 'scheduled' | 'due' | 'reminded' | 'overdue' | 'escalated';
  status: 'requested' | 'in-progress' | 'completed' | 'cancelled' | 'failed';
  /** The discharge it is counted from; what was begun or missed before a correction keeps the old one. */
  discharge: number;
  /** From when on a sweep can act on it. */
  from: number;
  /** Steps of the ladder that were taken. */
  rungs: number;
  /** What became of it, in order. */
  readonly told: string[];
  /** Who was told what of it, in order. */
  readonly messages: string[];
}

/** Why somebody is told: it opens, it is due soon, or it is late and this one is up. */
export type Why = 'due' | 'soon' | 'owner' | 'backup' | 'supervisor';

export interface Passage {
  readonly place: Place;
  /** The first sweep at or after a moment; never, when that is not before `until`. */
  readonly sweepAfter: (moment: number) => number;
  /** This supervisor gets a Task. */
  readonly escalate: (window: Window, at: number, supervisor: string) => void;
  readonly expire: (at: number) => void;
  /** Another one of the same kind has opened since, and is not over. */
  readonly isOvertaken: (at: number) => boolean;
  /** Something due at `due` was done by the sweep at `at`. */
  readonly swept: (due: number, at: number) => void;
  readonly staffing: Staffing;
}

export const NEVER = Number.POSITIVE_INFINITY;
export const isOver = ({ status }: FollowUp) => status === 'completed' || status === 'cancelled' || status === 'failed';

/** @param owner whose it is */
export function planned(
  step: string,
  window: Window,
  discharge: number,
  at: number,
  owner: string,
  life?: StepLife,
): FollowUp {
  const clock = life ? 'scheduled' : 'due';
  const told = [note('made', at, `${span(window)} for ${owner}`)];
  const messages = life ? [] : [note('supervisor', at, owner)];
  const base = { step, window, clock, status: 'requested', discharge, from: at, rungs: 0, told, messages } as const;
  return { ...base, ...(life ? { life } : {}) };
}

/** Does what one sweep does to a follow-up; false when none does anything any more. */
export function passOver(followUp: FollowUp, passage: Passage): boolean {
  if (isOver(followUp)) return false;
  const { place, sweepAfter } = passage;
  const { window, life, clock, discharge } = followUp;
  const sweep = (moment: number | undefined) =>
    moment === undefined ? NEVER : sweepAfter(Math.max(moment, followUp.from));
  const swept = (moment: number | undefined, at: number) => passage.swept(Math.max(moment ?? NEVER, followUp.from), at);
  const expiry = life && expiryAt(life, window.due, discharge, place.zone);
  const expires = sweep(expiry);
  if (clock === 'scheduled') {
    const at = sweep(window.raise);
    if (at === NEVER) return false;
    swept(window.raise, at);
    if (passage.isOvertaken(at)) return skip(followUp, at);
    // Useless by the time it could be raised.
    if (expiry !== undefined && expiry <= at) return end(followUp, passage, at);
    tell(followUp, 'due', at, passage.staffing.owner);
    return become(followUp, 'due', at);
  }
  const isMissed = clock === 'overdue' || clock === 'escalated';
  const next = isMissed ? nextRung(followUp, place) : window.due;
  const climbs = sweep(next);
  const reminder = clock === 'due' && life ? reminderAt(life, window, place.zone) : undefined;
  const reminds = sweep(reminder);
  // By the time that it is missed it is too late to remind.
  if (reminds < climbs && reminds < expires) {
    swept(reminder, reminds);
    tell(followUp, 'soon', reminds, passage.staffing.owner);
    return become(followUp, 'reminded', reminds);
  }
  if (climbs === NEVER && expires === NEVER) return false;
  // Of two things due in one sweep the older one comes first.
  if (expires < climbs || (expires === climbs && (expiry ?? NEVER) < (next ?? NEVER))) {
    swept(expiry, expires);
    return end(followUp, passage, expires);
  }
  swept(next, climbs);
  return climb(followUp, passage, climbs);
}

function nextRung({ life, rungs, window }: FollowUp, place: Place): number | undefined {
  const rung = life?.ladder[rungs];
  return rung && rungAt(rung, window.due, place);
}

/** The owner, a backup, a supervisor: who is to be told by now. */
function climb(followUp: FollowUp, { place, escalate, staffing }: Passage, at: number): true {
  const { life } = followUp;
  const before = followUp.rungs;
  if (!life) return become(followUp, 'overdue', at);
  do {
    const { who } = life.ladder[followUp.rungs] ?? {};
    followUp.rungs += 1;
    if (who === 'owner' || who === 'backup') tell(followUp, who, at, staffing[who]);
    if (who !== 'supervisor') continue;
    const next = businessDayAfter(dayOf(at, place.zone), 1, place);
    escalate({ raise: at, due: lastSecondOf(next, place.zone) }, at, staffing.supervisorAt(at));
  } while ((nextRung(followUp, place) ?? NEVER) <= at);
  return become(followUp, before === 0 && followUp.rungs === 1 ? 'overdue' : 'escalated', at);
}

function tell({ messages }: FollowUp, why: Why, at: number, whom: string): void {
  // That it has opened is said once, whatever is corrected afterwards.
  if (why === 'due' && messages.some((said) => said.startsWith('due '))) return;
  messages.push(note(why, at, whom));
}

function become(followUp: FollowUp, clock: FollowUp['clock'], at: number): true {
  if (followUp.clock !== clock) followUp.told.push(note(clock, at));
  followUp.clock = clock;
  followUp.from = at;
  return true;
}

function end(followUp: FollowUp, passage: Passage, at: number): true {
  followUp.status = 'failed';
  followUp.from = at;
  followUp.told.push(note('failed', at));
  passage.expire(at);
  return true;
}

function skip(followUp: FollowUp, at: number): true {
  followUp.status = 'cancelled';
  followUp.from = at;
  followUp.told.push(note('cancelled', at));
  return true;
}
