// What should have happened: from what was told and done and when Baton swept, one patient after the other, written from
// domain.md and docs/transitions.md. Nothing of src is used, and nothing that Baton says about itself but whether a nurse was
// told that a follow-up had ended already, which is checked.
import type { Course, Deed, Telling } from './course.ts';
import type { Happening, Record } from './drive.ts';
import { createLife, type Life } from './life.ts';
import type { Outage } from './outages.ts';
import { NEVER } from './passing.ts';
import type { Protocol } from './protocols.ts';
import { type Person, patientOf, type Telling as Told } from './story.ts';
import { createSweeps } from './sweeps.ts';

/** By `VISIT#n`, the n-th transition of that visit. */
export type Transitions = Map<string, Telling>;

/** Where a Task belongs, as the store says; where it belonged at a moment, before another transition took it over. */
export type AddressOf = (
  task: string,
  at?: number,
) => { readonly transition: string; readonly step: string } | undefined;

export interface Reckoning {
  readonly transitions: Transitions;
  /** What was refused although it was open to somebody, done although it had ended, or swept too late. */
  readonly complaints: string[];
}

export interface Lived {
  readonly people: readonly Person[];
  readonly record: Record;
  readonly outages: readonly Outage[];
}

export function reckon(
  { people, record, outages }: Lived,
  protocols: readonly Protocol[],
  addressOf: AddressOf,
): Reckoning {
  const transitions: Transitions = new Map();
  const complaints: string[] = [];
  const course: Course = {
    sweeps: createSweeps(record, outages),
    complain: (line) => void complaints.push(line),
  };
  const byPatient = Map.groupBy(record.happenings, (happening) => ownerOf(happening, addressOf) ?? '');
  for (const person of people) {
    const records = createRecords(() =>
      createLife(person, protocols, course, ({ name, told }) => void transitions.set(name, told)),
    );
    for (const moment of momentsOf(byPatient.get(person.id) ?? [])) {
      const [first] = moment;
      if (!first) continue;
      for (const life of records.all()) life.pass(first.at);
      if (first.kind === 'told') hear(records, person, first);
      else for (const line of work(records, moment, addressOf)) complaints.push(line);
    }
    for (const life of records.all()) life.pass(NEVER);
  }
  return { transitions, complaints };
}

/** Everything that nurses do at one moment is one; everything that is told is one of its own. */
function momentsOf(happenings: readonly Happening[]): Happening[][] {
  const moments: Happening[][] = [];
  for (const happening of happenings) {
    const last = moments.at(-1);
    const isSame = last?.[0]?.at === happening.at && last[0].kind === 'done' && happening.kind === 'done';
    if (isSame) last.push(happening);
    else moments.push([happening]);
  }
  return moments;
}

type Records = ReturnType<typeof createRecords>;

/** The records of one person: each a life of its own until they are merged. */
function createRecords(create: () => Life) {
  const lives = new Map<string, Life>();
  const get = (id: string): Life => {
    const life = lives.get(id) ?? create();
    lives.set(id, life);
    return life;
  };
  return {
    get,
    all: () => new Set(lives.values()),
    merge(into: string, from: string, at: number): void {
      const [stays, goes] = [get(into), get(from)];
      if (stays !== goes) stays.absorb(goes, at);
      lives.set(from, stays);
    },
  };
}

function hear(records: Records, { id }: Person, { telling, answer, at }: Extract<Happening, { kind: 'told' }>): void {
  if (telling.kind === 'merge') records.merge(telling.patient, telling.alias, at);
  else records.get(aliasOf(telling) ?? id).hear(telling, answer, at);
}

const aliasOf = (telling: Exclude<Told, { kind: 'merge' }>) =>
  telling.kind === 'message' ? telling.visit.alias : undefined;

/** @returns what is wrong with it */
function work(records: Records, moment: readonly Happening[], addressOf: AddressOf): string[] {
  const at = moment[0]?.at ?? 0;
  const deeds = moment.flatMap((happening): (Deed & { transition: string })[] => {
    if (happening.kind !== 'done') return [];
    const address = addressOf(happening.task, happening.at) ?? { transition: '', step: '' };
    return [{ ...address, act: happening.act, refused: happening.answer === 'ended' }];
  });
  const byTransition = Map.groupBy(deeds, ({ transition }) => transition);
  return [...byTransition].flatMap(([name, group]) =>
    [...records.all()].some((life) => life.act(name, group, at)) ? [] : [`${name} should not be there to work on.`],
  );
}

function ownerOf(happening: Happening, addressOf: AddressOf): string | undefined {
  if (happening.kind === 'told') return patientOf(happening.telling);
  return addressOf(happening.task)?.transition.split('V')[0];
}
