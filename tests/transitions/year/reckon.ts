// What should have happened: from what was told and done and when Baton swept, one patient after the other, written from
// domain.md and docs/transitions.md. Nothing of src is used.
import { dayOf, windowFrom } from './days.ts';
import type { Happening, Record } from './drive.ts';
import { askedOf, destinationOf, hear, hearDeath, lace, type VisitFacts } from './facts.ts';
import { type FollowUp, isOver, NEVER, type Passage, passOver, planned } from './passing.ts';
import { type Place, placeOf } from './places.ts';
import { applies, type Protocol } from './protocols.ts';
import { type Person, patientOf, type Telling as Told } from './story.ts';
import { note, span } from './words.ts';

/** A transition as both sides tell it: what it is, and what became of every follow-up. */
export interface Telling {
  readonly head: string[];
  /** By step. */
  readonly followUps: Map<string, string[]>;
}

/** By `VISIT#n`, the n-th transition of that visit. */
export type Transitions = Map<string, Telling>;

/** Where a Task belongs, as the store says. */
export type AddressOf = (task: string) => { readonly transition: string; readonly step: string } | undefined;

interface Transition {
  readonly name: string;
  readonly protocol: Protocol;
  /** LACE when it began. */
  readonly firstPoints: number;
  discharge: number;
  readonly place: Place;
  readonly followUps: FollowUp[];
  live: boolean;
  readonly told: Telling;
}

const MONTH = 31 * 86_400;
const CHAIN_DAYS = 30;
const ESCALATION = '-escalation';
export interface Reckoning {
  readonly transitions: Transitions;
  /** What people were refused although it was open to them. */
  readonly complaints: string[];
}

export function reckon(
  people: readonly Person[],
  record: Record,
  protocols: readonly Protocol[],
  addressOf: AddressOf,
): Reckoning {
  const transitions: Transitions = new Map();
  const complaints: string[] = [];
  const byPatient = Map.groupBy(record.happenings, (happening) => ownerOf(happening, addressOf) ?? '');
  for (const person of people) {
    const lives = new Map<string, Life>();
    const lifeOf = (id: string) => {
      const life = lives.get(id) ?? createLife(person, record.ticks, protocols, transitions, complaints);
      lives.set(id, life);
      return life;
    };
    for (const happening of byPatient.get(person.id) ?? []) {
      for (const life of lives.values()) life.pass(happening.at);
      if (happening.kind === 'told') {
        const { telling, answer, at } = happening;
        if (telling.kind === 'merge') {
          const { patient, alias } = telling;
          if (lifeOf(alias) !== lifeOf(patient)) lifeOf(patient).absorb(lifeOf(alias), at);
          lives.set(alias, lifeOf(patient));
        } else {
          const alias = telling.kind === 'message' ? telling.visit.alias : undefined;
          lifeOf(alias ?? person.id).hear(telling, answer, at);
        }
      } else {
        const { transition = '', step = '' } = addressOf(happening.task) ?? {};
        const life = [...lives.values()].find((one) => one.has(transition)) ?? lifeOf(person.id);
        life.act(transition, step, happening);
      }
    }
    for (const life of lives.values()) life.pass(NEVER);
  }
  return { transitions, complaints };
}

function ownerOf(happening: Happening, addressOf: AddressOf): string | undefined {
  if (happening.kind === 'told') return patientOf(happening.telling);
  return addressOf(happening.task)?.transition.split('V')[0];
}

type Life = ReturnType<typeof createLife>;

function createLife(
  person: Person,
  ticks: readonly number[],
  protocols: readonly Protocol[],
  transitions: Transitions,
  complaints: string[],
) {
  const visits = new Map<string, VisitFacts>();
  const ofVisit = new Map<string, Transition[]>();
  /** Visits whose transition ran its course. */
  const closed = new Set<string>();
  let death = { dead: false, said: 0 };

  const firstTick = (from: number) => {
    let [low, high] = [0, ticks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ticks[middle] as number) < from) low = middle + 1;
      else high = middle;
    }
    return ticks[low] ?? Number.POSITIVE_INFINITY;
  };

  /** Everything that sweeps before `until` did, in their order: when the last follow-up expires the transition ends. */
  function pass(until: number): void {
    for (const transition of [...ofVisit.values()].flat()) {
      if (transition.live) passTransition(transition, until);
    }
  }

  function passTransition(transition: Transition, until: number): void {
    const sweepAfter = (moment: number) => {
      const tick = firstTick(moment);
      return tick < until ? tick : NEVER;
    };
    for (let at = 0; at < transition.followUps.length; at++) {
      const followUp = transition.followUps[at] as FollowUp;
      const passage: Passage = {
        place: transition.place,
        sweepAfter,
        escalate: (window, now) =>
          void plan(transition, planned(followUp.step + ESCALATION, window, followUp.discharge, now)),
        expire: (now) => settle(transition, followUp, now, until),
        isOvertaken: (now) => isOvertaken(transition, followUp, now),
      };
      while (passOver(followUp, passage)) if (isOver(followUp)) break;
    }
    const lastEnd = Math.max(...transition.followUps.map(({ from }) => from));
    if (transition.live && transition.followUps.every(isOver)) close(transition, lastEnd);
  }

  /** What hung on a follow-up that has ended. */
  function settle(transition: Transition, { step }: FollowUp, at: number, until: number): void {
    const above = transition.followUps.find((one) => one.step === step + ESCALATION);
    if (!above || isOver(above)) return;
    // The supervisor's Task lived until then.
    const sweepAfter = (moment: number) => {
      const tick = firstTick(moment);
      return tick <= at && tick < until ? tick : NEVER;
    };
    const { place } = transition;
    while (
      passOver(above, {
        place,
        sweepAfter,
        escalate: () => undefined,
        expire: () => undefined,
        isOvertaken: () => false,
      })
    );
    end(above, 'cancelled', at);
  }

  function close(transition: Transition, at: number): void {
    transition.live = false;
    closed.add(transition.name.split('#')[0] as string);
    transition.told.head.push(note('finished', at));
  }

  function plan(transition: Transition, followUp: FollowUp): void {
    const { name, told, followUps } = transition;
    if (told.followUps.has(followUp.step)) complaints.push(`${name} has ${followUp.step} twice in the reckoning.`);
    followUps.push(followUp);
    told.followUps.set(followUp.step, followUp.told);
  }

  /** What is known now, as a sequence of stays, decides what goes on. */
  function decide(at: number, because?: string): void {
    for (const stay of visits.values()) {
      if (stay.visit.patientClass === 'O') continue;
      const mine = ofVisit.get(stay.visit.id) ?? [];
      ofVisit.set(stay.visit.id, mine);
      const live = mine.find((transition) => transition.live);
      if (stay.status !== 'finished') {
        closed.delete(stay.visit.id);
        if (live) withdraw(live, 'discharge-cancelled', at);
        continue;
      }
      const reason = reasonAgainst(stay);
      if (reason) {
        if (live) withdraw(live, because ?? reason, at);
        continue;
      }
      const isEmergency = stay.visit.patientClass === 'E';
      const protocol = choose(stay, points(stay));
      if (!protocol) {
        if (live) withdraw(live, destinationOf(stay) === 'died' ? 'died' : 'no-protocol', at);
        continue;
      }
      const discharge = stay.left ?? at;
      if (live && (live.protocol === protocol || staysWith(live, stay))) move(live, discharge, at);
      else if (live) {
        withdraw(live, 'superseded', at);
        begin(stay, protocol, discharge, doneIn(live), at);
      } else if (!closed.has(stay.visit.id) && at - discharge <= MONTH && !(isEmergency && isFollowedUp(stay))) {
        const last = mine.at(-1);
        begin(stay, protocol, discharge, last && RESUMED.has(endOf(last)) ? doneIn(last) : new Set(), at);
      }
    }
  }

  const points = (stay: VisitFacts) => lace(stay, person, [...visits.values()]);

  function choose(stay: VisitFacts, score: number): Protocol | undefined {
    const asked = askedOf(stay, person, score);
    const isEmergency = stay.visit.patientClass === 'E';
    return protocols.find((one) => one.forEmergency === isEmergency && applies(one, asked));
  }

  /** A plan that people work on is not given up because the risk is another one now (docs/transitions.md, Late data). */
  function staysWith({ followUps, protocol, firstPoints }: Transition, stay: VisitFacts): boolean {
    const isBegun = followUps.some(({ status, clock }) => status !== 'requested' || MISSED.has(clock));
    return isBegun && choose(stay, firstPoints) === protocol;
  }

  /** Why nothing goes on from a discharge. */
  function reasonAgainst(stay: VisitFacts): string | undefined {
    const destination = destinationOf(stay);
    // What begins with a death does not end with it.
    if (death.dead && destination !== 'died') return 'died';
    if (destination === 'acute-hospital') return 'transferred';
    return laterStay(stay);
  }

  /**
   * Only the last discharge of a chain counts: a stay that began on the day of the discharge or in the 30 days after it
   * extends it (domain.md 1.2).
   */
  function laterStay(stay: VisitFacts): string | undefined {
    const { left = 0, visit } = stay;
    const { zone } = placeOf(visit.place);
    const later = [...visits.values()].filter((other) => {
      if (other === stay || other.visit.patientClass !== 'I' || other.status === 'cancelled') return false;
      return other.status === 'finished' ? (other.left ?? 0) > left : other.visit.start >= left - 86_400;
    });
    const apart = later.map((other) => daysBetween(dayOf(left, zone), dayOf(other.visit.start, zone)));
    const days = Math.min(...apart);
    if (days > CHAIN_DAYS) return undefined;
    // Stays two or more calendar days apart are distinct (domain.md 7, PCR).
    return days <= 1 ? 'continued' : 'readmitted';
  }

  /** Of several emergency visits within 31 days the first is followed up (domain.md 1.2, FUM). */
  function isFollowedUp({ visit, left = 0 }: VisitFacts): boolean {
    const { zone } = placeOf(visit.place);
    return [...visits.values()].some((other) => {
      const begun = ofVisit.get(other.visit.id)?.some(({ live }) => live) || closed.has(other.visit.id);
      if (other.visit.patientClass !== 'E' || other.visit.id === visit.id || !begun) return false;
      return daysBetween(dayOf(other.left ?? 0, zone), dayOf(left, zone)) <= CHAIN_DAYS;
    });
  }

  function begin(stay: VisitFacts, protocol: Protocol, discharge: number, done: ReadonlySet<string>, at: number): void {
    const mine = ofVisit.get(stay.visit.id) ?? [];
    const name = `${stay.visit.id}#${mine.length + 1}`;
    const told: Telling = {
      head: [note(`${protocol.name} begun`, at), note('discharged', discharge)],
      followUps: new Map(),
    };
    const place = placeOf(stay.visit.place);
    const firstPoints = points(stay);
    const transition: Transition = { name, protocol, firstPoints, discharge, place, followUps: [], live: true, told };
    mine.push(transition);
    transitions.set(name, told);
    const asked = askedOf(stay, person, firstPoints);
    for (const step of protocol.steps) {
      if (done.has(step.id) || !applies(step, asked)) continue;
      plan(transition, planned(step.id, windowFrom(step.timing, discharge, place), discharge, at, step.life));
    }
  }

  /** A corrected discharge: what nobody has begun counts from it. */
  function move(transition: Transition, discharge: number, at: number): void {
    if (transition.discharge === discharge) return;
    transition.discharge = discharge;
    transition.told.head.push(note('moved to', discharge, note('at', at)));
    for (const followUp of transition.followUps) {
      const step = transition.protocol.steps.find(({ id }) => id === followUp.step);
      if (!step || followUp.status !== 'requested' || MISSED.has(followUp.clock)) continue;
      const window = windowFrom(step.timing, discharge, transition.place);
      followUp.discharge = discharge;
      if (span(window) === span(followUp.window)) continue;
      followUp.window = window;
      followUp.from = at;
      followUp.told.push(note('moved', at, span(window)));
      if (window.raise > at) followUp.clock = 'scheduled';
      else if (followUp.clock === 'reminded') followUp.clock = 'due';
    }
  }

  function withdraw(transition: Transition, reason: string, at: number): void {
    transition.live = false;
    transition.told.head.push(note(reason, at));
    for (const followUp of transition.followUps) {
      if (!isOver(followUp)) end(followUp, 'cancelled', at);
    }
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

  function act(name: string, step: string, happening: Extract<Happening, { kind: 'done' }>): void {
    const { at, act: what, answer } = happening;
    const transition = [...ofVisit.values()].flat().find((one) => one.name === name);
    const followUp = transition?.followUps.find((one) => one.step === step);
    const where = `${name} ${step} at ${note('', at)}`;
    if (!transition || !followUp) return void complaints.push(`${where}: there was nothing to do.`);
    // Nurses of one moment work at the same time, and Baton reacts afterwards: what one has ended is still there for another.
    if (answer !== 'ended' && followUp.status === 'cancelled' && followUp.from === at) {
      const cancelled = followUp.told.pop() ?? '';
      if (what === 'begin') followUp.told.push(note('in-progress', at), cancelled);
      else complete(followUp, at);
      return;
    }
    if (isOver(followUp) || !transition.live) {
      if (answer !== 'ended') complaints.push(`${where}: ${what} of what had ended.`);
      return;
    }
    if (answer === 'ended') return void complaints.push(`${where}: ${what} was refused.`);
    if (what === 'begin') {
      followUp.status = 'in-progress';
      followUp.told.push(note('in-progress', at));
      return;
    }
    complete(followUp, at);
    const escalation = transition.followUps.find((one) => one.step === step + ESCALATION);
    if (escalation && !isOver(escalation)) end(escalation, 'cancelled', at);
    if (transition.followUps.every(isOver)) close(transition, at);
  }

  return {
    visits,
    ofVisit,
    closed,
    pass,
    act,
    has: (name: string) => [...ofVisit.values()].flat().some((one) => one.name === name),
    hear(telling: Exclude<Told, { kind: 'merge' }>, answer: string, at: number): void {
      if (answer !== 'AA') complaints.push(`${patientOf(telling)}: a message was answered ${answer}.`);
      death = hearDeath(death, telling);
      if (telling.kind !== 'death') visits.set(telling.visit.id, hear(visits.get(telling.visit.id), telling));
      decide(at);
    },
    /** The other record is the same person's. */
    absorb(other: { visits: typeof visits; ofVisit: typeof ofVisit; closed: typeof closed }, at: number): void {
      for (const [id, facts] of other.visits) visits.set(id, facts);
      for (const [id, transition] of other.ofVisit) ofVisit.set(id, transition);
      for (const id of other.closed) closed.add(id);
      decide(at, 'merged');
    },
  };
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

/** A transition withdrawn for these goes on when that proves wrong, and what was done stays done. */
const RESUMED = new Set(['readmitted', 'continued', 'died', 'merged']);
/** The deadline has passed and somebody was told; a correction does not take that back (docs/transitions.md). */
const MISSED: ReadonlySet<string> = new Set(['overdue', 'escalated']);
const endOf = ({ told }: Transition) => told.head.at(-1)?.split(' ')[0] ?? '';

function doneIn({ followUps }: Transition): Set<string> {
  return new Set(followUps.flatMap(({ step, status }) => (status === 'completed' ? [step] : [])));
}

function daysBetween(first: string, last: string): number {
  return Temporal.PlainDate.from(first).until(last, { largestUnit: 'days' }).days;
}
