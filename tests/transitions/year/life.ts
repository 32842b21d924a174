// What should have happened to one record of a patient: what is told of stays and deaths decides what is followed up.
// domain.md 1.2 and 4, docs/transitions.md.
import {
  act,
  type Course,
  type Deed,
  doneSince,
  emptyTelling,
  handOver,
  isUnderWay,
  move,
  passTransition,
  plan,
  type Transition,
  withdraw,
} from './course.ts';
import { dayOf, daysBetween, windowFrom } from './days.ts';
import { askedOf, destinationOf, hear, hearDeath, lace, leftBy, type VisitFacts } from './facts.ts';
import { laterStay } from './later-stay.ts';
import { planned } from './passing.ts';
import { placeOf } from './places.ts';
import { applies, type Protocol } from './protocols.ts';
import { staffingOf } from './staffing.ts';
import { type Person, patientOf, type Telling as Told } from './story.ts';
import { note, OR } from './words.ts';

const MONTH = 31 * 86_400;
/** Of several emergency visits within 31 days the first is followed up (domain.md 1.2, FUM). */
const EMERGENCY_DAYS = 30;
/** A transition withdrawn for these goes on when that proves wrong, and what was done stays done. */
const RESUMED = new Set(['readmitted', 'continued', 'died']);
const endOf = ({ told }: Transition) => told.head.at(-1)?.split(' ')[0]?.split(OR)[0] ?? '';

export type Life = ReturnType<typeof createLife>;

/** What is known of one record. */
interface Known {
  readonly visits: ReadonlyMap<string, VisitFacts>;
  readonly ofVisit: ReadonlyMap<string, Transition[]>;
  readonly reopened: ReadonlySet<string>;
  readonly death: () => Death;
}

type Death = ReturnType<typeof hearDeath>;

/** @param begun hears of every transition that begins */
export function createLife(
  person: Person,
  protocols: readonly Protocol[],
  course: Course,
  begun: (transition: Transition) => void,
) {
  const visits = new Map<string, VisitFacts>();
  const ofVisit = new Map<string, Transition[]>();
  /** Visits whose discharge was taken back after their transition had run its course. */
  const reopened = new Set<string>();
  let death: Death = { dead: false, said: 0 };

  const transitionsOf = (id: string) => ofVisit.get(id) ?? [];
  const ranItsCourse = (id: string) => {
    const last = transitionsOf(id).at(-1);
    return last !== undefined && endOf(last) === 'finished' && !reopened.has(id);
  };

  /** What is known now, as a sequence of stays, decides what goes on. */
  function decide(at: number, isMerge = false): void {
    for (const stay of visits.values()) {
      if (stay.visit.patientClass !== 'O') decideStay(stay, at, isMerge);
    }
  }

  function decideStay(stay: VisitFacts, at: number, isMerge: boolean): void {
    const { id, patientClass } = stay.visit;
    const live = transitionsOf(id).find((transition) => transition.live);
    if (stay.status !== 'finished') {
      if (ranItsCourse(id)) reopened.add(id);
      if (live) withdraw(live, 'discharge-cancelled', at);
      return;
    }
    // Corrected to a day long ago it would have begun nothing; one in its last days anyway is not cut short by a small correction.
    const left = leftBy(stay);
    if (live && at - left > MONTH && (at - live.discharge <= MONTH || live.discharge - left > MONTH)) {
      withdraw(live, 'discharge-cancelled', at);
      return;
    }
    const reason = reasonAgainst(stay);
    if (reason) {
      // Which of two transitions of one person goes on is certain; what that is called is not.
      if (live) withdraw(live, isMerge ? `${reason}${OR}superseded` : reason, at);
      return;
    }
    const protocol = choose(stay, points(stay));
    if (!protocol) {
      if (live) withdraw(live, destinationOf(stay) === 'died' ? 'died' : 'no-protocol', at);
      return;
    }
    const discharge = stay.left ?? at;
    if (live && (live.protocol === protocol || staysWith(live, stay))) move(live, discharge, at);
    else if (live) {
      begin(stay, protocol, discharge, live.doneBefore, at, live);
      withdraw(live, 'superseded', at);
    } else if (!ranItsCourse(id) && at - left <= MONTH && !(patientClass === 'E' && isFollowedUp(stay))) {
      const last = transitionsOf(id).at(-1);
      reopened.delete(id);
      begin(
        stay,
        protocol,
        discharge,
        last && RESUMED.has(endOf(last)) ? doneSince(transitionsOf(id), discharge) : new Set(),
        at,
      );
    }
  }

  const points = (stay: VisitFacts) => lace(stay, person, [...visits.values()]);

  function choose(stay: VisitFacts, score: number): Protocol | undefined {
    const asked = askedOf(stay, person, score);
    const isEmergency = stay.visit.patientClass === 'E';
    return protocols.find((one) => one.forEmergency === isEmergency && applies(one, asked));
  }

  /** A plan that people work on is not given up because the risk is another one now (docs/transitions.md, Late data). */
  const staysWith = (live: Transition, stay: VisitFacts) =>
    isUnderWay(live) && choose(stay, live.firstPoints) === live.protocol;

  /** Why nothing goes on from a discharge. */
  function reasonAgainst(stay: VisitFacts): string | undefined {
    const destination = destinationOf(stay);
    // What begins with a death does not end with it.
    if (death.dead && destination !== 'died') return 'died';
    if (destination === 'acute-hospital') return 'transferred';
    return laterStay(stay, visits.values());
  }

  function isFollowedUp({ visit, left = 0 }: VisitFacts): boolean {
    const { zone } = placeOf(visit.place);
    return [...visits.values()].some((other) => {
      const isBegun = transitionsOf(other.visit.id).some(({ live }) => live) || ranItsCourse(other.visit.id);
      if (other.visit.patientClass !== 'E' || other.visit.id === visit.id || !isBegun) return false;
      return daysBetween(dayOf(other.left ?? 0, zone), dayOf(left, zone)) <= EMERGENCY_DAYS;
    });
  }

  /** @param before the transition whose plan gives way to this one's */
  function begin(
    stay: VisitFacts,
    protocol: Protocol,
    discharge: number,
    done: ReadonlySet<string>,
    at: number,
    before?: Transition,
  ): void {
    const { visit } = stay;
    const mine = transitionsOf(visit.id);
    const place = placeOf(visit.place);
    const firstPoints = points(stay);
    const transition: Transition = {
      name: `${visit.id}#${mine.length + 1}`,
      protocol,
      firstPoints,
      discharge,
      place,
      staffing: staffingOf(person, visit.id, place),
      doneBefore: done,
      followUps: [],
      live: true,
      told: emptyTelling(note(`${protocol.name} begun`, at), note('discharged', discharge)),
    };
    ofVisit.set(visit.id, [...mine, transition]);
    begun(transition);
    const asked = askedOf(stay, person, firstPoints);
    const { owner } = transition.staffing;
    const steps = protocol.steps.filter((step) => applies(step, asked));
    if (before) handOver(before, { transition, steps }, at);
    for (const { id, timing, life } of steps) {
      if (done.has(id) || transition.followUps.some(({ step }) => step === id)) continue;
      plan(transition, planned(id, windowFrom(timing, discharge, place), discharge, at, owner, life));
    }
  }

  return {
    visits,
    ofVisit,
    reopened,
    death: () => death,
    /** Everything that sweeps before `until` did. */
    pass(until: number): void {
      for (const transition of [...ofVisit.values()].flat()) {
        if (transition.live) passTransition(transition, until, course);
      }
    },
    /** @param deeds everything that is done about it at this moment */
    act(name: string, deeds: readonly Deed[], at: number): boolean {
      const transition = [...ofVisit.values()].flat().find((one) => one.name === name);
      if (transition) act(transition, deeds, at, course);
      return transition !== undefined;
    },
    hear(telling: Exclude<Told, { kind: 'merge' }>, answer: string, at: number): void {
      if (answer !== 'AA') course.complain(`${patientOf(telling)}: a message was answered ${answer}.`);
      death = hearDeath(death, telling);
      if (telling.kind !== 'death') visits.set(telling.visit.id, hear(visits.get(telling.visit.id), telling, at));
      decide(at);
    },
    /** The other record is the same person's. */
    absorb(other: Known, at: number): void {
      if (other.death().said > death.said) death = other.death();
      for (const [id, facts] of other.visits) visits.set(id, facts);
      for (const [id, transitions] of other.ofVisit) ofVisit.set(id, transitions);
      for (const id of other.reopened) reopened.add(id);
      decide(at, true);
    },
  };
}
