// Who is told of a patient's follow-ups, as the story has it: a case manager or else the team of the transition, a backup and
// a supervisor or else the facility.
import { dayOf } from './days.ts';
import type { Place } from './places.ts';
import type { Person } from './story.ts';

export interface Staffing {
  readonly owner: string;
  readonly backup: string;
  /** By the day of the facility. */
  readonly supervisorAt: (at: number) => string;
}

/** @param visit id of the stay that the transition began with */
export function staffingOf({ staff }: Person, visit: string, place: Place): Staffing {
  return {
    owner: staff?.manager ?? teamOf(visit),
    backup: staff?.backup ?? place.code,
    supervisorAt(at) {
      if (!staff) return place.code;
      return dayOf(at, place.zone) <= staff.lastDay ? staff.supervisor : staff.nextSupervisor;
    },
  };
}

/** The team that is formed for a transition. */
export const teamOf = (visit: string) => `team-of-${visit}`;
