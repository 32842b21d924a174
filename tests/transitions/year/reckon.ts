// What should have happened: from what was told and done and when Baton swept, one patient after the other, written from
// domain.md and docs/transitions.md. Nothing of src is used.
import { businessDayAfter, dayOf, lastSecondOf, type Window, windowFrom } from './days.ts';
import type { Happening, Record } from './drive.ts';
import { askedOf, destinationOf, hear, hearDeath, type VisitFacts } from './facts.ts';
import { type Place, placeOf } from './places.ts';
import { applies, type Protocol } from './protocols.ts';
import { type Person, patientOf, type Story } from './story.ts';
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

interface FollowUp {
  readonly step: string;
  window: Window;
  clock: 'scheduled' | 'due' | 'overdue';
  status: 'requested' | 'in-progress' | 'completed' | 'cancelled';
  /** From when on a tick can act on it. */
  from: number;
  readonly told: string[];
}

interface Transition {
  readonly name: string;
  readonly protocol: Protocol;
  discharge: number;
  readonly place: Place;
  readonly followUps: FollowUp[];
  live: boolean;
  readonly told: Telling;
}

const MONTH = 31 * 86_400;
const ESCALATION = '-escalation';
const isOver = ({ status }: FollowUp) => status === 'completed' || status === 'cancelled';

export interface Reckoning {
  readonly transitions: Transitions;
  /** What people were refused although it was open to them. */
  readonly complaints: string[];
}

export function reckon(story: Story, record: Record, protocols: readonly Protocol[], addressOf: AddressOf): Reckoning {
  const transitions: Transitions = new Map();
  const complaints: string[] = [];
  const byPatient = Map.groupBy(record.happenings, (happening) => ownerOf(happening, addressOf) ?? '');
  for (const person of story.people) {
    const life = createLife(person, record.ticks, protocols, transitions, complaints);
    for (const happening of byPatient.get(person.id) ?? []) life.happen(happening, addressOf);
    life.pass(Number.POSITIVE_INFINITY);
  }
  return { transitions, complaints };
}

function ownerOf(happening: Happening, addressOf: AddressOf): string | undefined {
  if (happening.kind === 'told') return patientOf(happening.telling);
  return addressOf(happening.task)?.transition.split('V')[0];
}

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

  /** Everything that sweeps before `until` did. */
  function pass(until: number): void {
    for (const transition of [...ofVisit.values()].flat()) {
      if (!transition.live) continue;
      for (const followUp of transition.followUps) sweepOver(transition, followUp, until);
    }
  }

  function sweepOver(transition: Transition, followUp: FollowUp, until: number): void {
    if (isOver(followUp)) return;
    if (followUp.clock === 'scheduled') {
      const tick = firstTick(Math.max(followUp.window.raise, followUp.from));
      if (tick >= until) return;
      followUp.clock = 'due';
      followUp.from = tick;
      followUp.told.push(note('due', tick));
    }
    if (followUp.clock !== 'due') return;
    const tick = firstTick(Math.max(followUp.window.due, followUp.from));
    if (tick >= until) return;
    followUp.clock = 'overdue';
    followUp.told.push(note('overdue', tick));
    if (followUp.step.endsWith(ESCALATION)) return;
    const { place } = transition;
    const next = businessDayAfter(dayOf(tick, place.zone), 1, place);
    const window = { raise: tick, due: lastSecondOf(next, place.zone) };
    const escalation = plan(transition, followUp.step + ESCALATION, window, 'due', tick);
    escalation.from = tick;
  }

  function plan(transition: Transition, step: string, window: Window, clock: FollowUp['clock'], at: number): FollowUp {
    const told = [note('made', at, span(window))];
    const followUp: FollowUp = { step, window, clock, status: 'requested', from: at, told };
    transition.followUps.push(followUp);
    if (transition.told.followUps.has(step)) complaints.push(`${transition.name} has ${step} twice in the reckoning.`);
    transition.told.followUps.set(step, told);
    return followUp;
  }

  /** What is known now, as a sequence of stays, decides what goes on. */
  function decide(at: number): void {
    for (const stay of visits.values()) {
      if (stay.visit.patientClass !== 'I') continue;
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
        if (live) withdraw(live, reason, at);
        continue;
      }
      const asked = askedOf(stay, person, [...visits.values()]);
      const protocol = protocols.find((one) => applies(one, asked));
      if (!protocol) {
        if (live) withdraw(live, 'no-protocol', at);
        continue;
      }
      const discharge = stay.left ?? at;
      if (live && live.protocol.url === protocol.url) move(live, discharge, at);
      else if (live) {
        withdraw(live, 'superseded', at);
        begin(stay, protocol, discharge, doneIn(live), at);
      } else if (!closed.has(stay.visit.id) && at - discharge <= MONTH) {
        const last = mine.at(-1);
        begin(stay, protocol, discharge, last && RESUMED.has(endOf(last)) ? doneIn(last) : new Set(), at);
      }
    }
  }

  /** Why nothing goes on from a discharge. */
  function reasonAgainst(stay: VisitFacts): string | undefined {
    const destination = destinationOf(stay);
    if (destination === 'died' || death.dead) return 'died';
    if (destination === 'acute-hospital') return 'transferred';
    return isBackInHospital(stay) ? 'readmitted' : undefined;
  }

  /** Only the last discharge of a chain counts (domain.md 1.2). */
  function isBackInHospital(stay: VisitFacts): boolean {
    const left = stay.left ?? 0;
    return [...visits.values()].some((other) => {
      if (other === stay || other.visit.patientClass !== 'I' || other.status === 'cancelled') return false;
      return other.status === 'finished' ? (other.left ?? 0) > left : other.visit.start >= left - 86_400;
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
    const transition: Transition = { name, protocol, discharge, place, followUps: [], live: true, told };
    mine.push(transition);
    transitions.set(name, told);
    const asked = askedOf(stay, person, [...visits.values()]);
    for (const step of protocol.steps) {
      if (done.has(step.id) || !applies(step, asked)) continue;
      plan(transition, step.id, windowFrom(step.timing, discharge, place), 'scheduled', at);
    }
  }

  /** A corrected discharge: what nobody has begun counts from it. */
  function move(transition: Transition, discharge: number, at: number): void {
    if (transition.discharge === discharge) return;
    transition.discharge = discharge;
    transition.told.head.push(note('moved to', discharge, note('at', at)));
    for (const followUp of transition.followUps) {
      const step = transition.protocol.steps.find(({ id }) => id === followUp.step);
      if (!step || followUp.status !== 'requested' || followUp.clock === 'overdue') continue;
      const window = windowFrom(step.timing, discharge, transition.place);
      if (span(window) === span(followUp.window)) continue;
      followUp.window = window;
      followUp.from = at;
      followUp.told.push(note('moved', at, span(window)));
      if (window.raise > at) followUp.clock = 'scheduled';
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
    followUp.told.push(note(status, at));
  }

  function act(name: string, step: string, happening: Extract<Happening, { kind: 'done' }>): void {
    const { at, act: what, answer } = happening;
    const transition = [...ofVisit.values()].flat().find((one) => one.name === name);
    const followUp = transition?.followUps.find((one) => one.step === step);
    const where = `${name} ${step} at ${note('', at)}`;
    if (!transition || !followUp) return void complaints.push(`${where}: there was nothing to do.`);
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
    end(followUp, 'completed', at);
    const escalation = transition.followUps.find((one) => one.step === step + ESCALATION);
    if (escalation && !isOver(escalation)) end(escalation, 'cancelled', at);
    if (!transition.followUps.every(isOver)) return;
    transition.live = false;
    closed.add(name.split('#')[0] as string);
    transition.told.head.push(note('finished', at));
  }

  return {
    pass,
    happen(happening: Happening, addressOf: AddressOf): void {
      pass(happening.at);
      if (happening.kind === 'done') {
        const { transition = '', step = '' } = addressOf(happening.task) ?? {};
        act(transition, step, happening);
        return;
      }
      const { telling, answer } = happening;
      if (answer !== 'AA') return void complaints.push(`${patientOf(telling)}: a message was answered ${answer}.`);
      death = hearDeath(death, telling);
      if (telling.kind !== 'death') visits.set(telling.visit.id, hear(visits.get(telling.visit.id), telling));
      decide(happening.at);
    },
  };
}

/** A transition withdrawn for these goes on when that proves wrong, and what was done stays done. */
const RESUMED = new Set(['readmitted', 'died']);
const endOf = ({ told }: Transition) => told.head.at(-1)?.split(' ')[0] ?? '';

function doneIn({ followUps }: Transition): Set<string> {
  return new Set(followUps.flatMap(({ step, status }) => (status === 'completed' ? [step] : [])));
}
