// Everything in which a lived year differs from what should have happened, for people to read.
import type { Telling } from './course.ts';
import type { Happening, Record } from './drive.ts';
import type { Entry, LivedYear } from './kept-year.ts';
import { type Observation, observe } from './observe.ts';
import { OUTAGES } from './outages.ts';
import { readShippedProtocols } from './protocols.ts';
import { type Reckoning, reckon, type Transitions } from './reckon.ts';
import { note, says } from './words.ts';

export interface YearReport {
  readonly told: number;
  readonly done: number;
  readonly ticks: number;
  readonly kills: number;
  readonly transitions: number;
  readonly followUps: number;
  readonly raised: number;
  readonly escalated: number;
  /** Sentences about what is not as it should be, by patient. */
  readonly damage: ReadonlyMap<string, readonly string[]>;
  /** Everything that happened to a patient, for people. */
  readonly story: (patient: string) => string[];
}

/** Everything in which a lived year differs from what should have happened. */
export async function judgeYear(
  { people, record }: LivedYear,
  entries: AsyncIterable<Entry> | Iterable<Entry>,
): Promise<YearReport> {
  const observed = await observe(entries);
  const reckoned = reckon({ people, record, outages: OUTAGES }, readShippedProtocols(), observed.addressOf);
  const all = [...observed.transitions.values()].flatMap(({ followUps }) => [...followUps.values()]);
  const having = (word: string) => all.filter((told) => told.some((line) => line.startsWith(word))).length;
  return {
    told: record.happenings.filter(({ kind }) => kind === 'told').length,
    done: record.happenings.filter(({ kind }) => kind === 'done').length,
    ticks: record.ticks.length,
    kills: record.kills,
    transitions: observed.transitions.size,
    followUps: all.length,
    raised: having('due'),
    escalated: having('overdue'),
    damage: differences(record, reckoned, observed),
    story: (patient) => storyOf(patient, record, observed),
  };
}

const patientOfVisit = (name: string) => name.split('V')[0] ?? '';

function differences(record: Record, reckoned: Reckoning, observed: Observation): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (patient: string, line: string) => void found.set(patient, [...(found.get(patient) ?? []), line]);
  for (const line of observed.damage) add('everybody', line);
  for (const line of reckoned.complaints) add(patientOfVisit(line), line);
  for (const line of misled(record, observed)) add(patientOfVisit(line), line);
  for (const name of new Set([...reckoned.transitions.keys(), ...observed.transitions.keys()])) {
    for (const line of compare(name, reckoned.transitions, observed.transitions)) add(patientOfVisit(name), line);
  }
  return found;
}

/** What a nurse was told of what they did is not what was kept. */
function misled({ happenings }: Record, { addressOf, transitions }: Observation): string[] {
  return happenings.flatMap((happening) => {
    if (happening.kind !== 'done') return [];
    const { transition = '', step = '' } = addressOf(happening.task) ?? {};
    const kept = transitions.get(transition)?.followUps.get(step) ?? [];
    const isKept = kept.includes(note(happening.act === 'complete' ? 'completed' : 'in-progress', happening.at));
    if (isKept === (happening.answer !== 'ended')) return [];
    return [`${transition} ${step}: ${happening.act} was answered ${happening.answer} ${note('at', happening.at)}.`];
  });
}

function compare(name: string, reckoned: Transitions, observed: Transitions): string[] {
  const [should, is] = [reckoned.get(name), observed.get(name)];
  if (!should || !is) return [`${name} ${should ? 'is missing' : 'should not be'}: ${(should ?? is)?.head.join('; ')}`];
  const steps = new Set([...should.followUps.keys(), ...is.followUps.keys(), ...is.messages.keys()]);
  return [
    ...unequal(name, should.head, is.head),
    ...[...steps].flatMap((step) => compareStep(`${name} ${step}`, step, should, is)),
  ];
}

function compareStep(where: string, step: string, should: Telling, is: Telling): string[] {
  const happened = is.followUps.get(step) ?? [];
  const other = should.alternatives.get(step);
  const isOther = other !== undefined && unequal(where, other, happened).length === 0;
  return [
    ...(isOther ? [] : unequal(where, should.followUps.get(step) ?? [], happened)),
    ...unequal(`${where} told`, should.messages.get(step) ?? [], is.messages.get(step) ?? []),
  ];
}

function unequal(where: string, should: readonly string[], is: readonly string[]): string[] {
  const at = should.findIndex((line, n) => !says(line, is[n]));
  if (at < 0 && should.length === is.length) return [];
  const n = at < 0 ? should.length : at;
  return [
    `${where}: should ${should[n] ?? 'end there'}, but ${is[n] ?? 'ends there'} (${should.length}, ${is.length})`,
  ];
}

function storyOf(patient: string, { happenings }: Record, { addressOf }: Observation): string[] {
  return happenings.flatMap((happening) => {
    const line = lineOf(happening, addressOf);
    return line.owner === patient ? [line.text] : [];
  });
}

function lineOf(happening: Happening, addressOf: Observation['addressOf']): { owner: string; text: string } {
  if (happening.kind === 'done') {
    const { transition = '', step = '' } = addressOf(happening.task) ?? {};
    return {
      owner: patientOfVisit(transition),
      text: note(`${transition} ${step} ${happening.act}: ${happening.answer}`, happening.at),
    };
  }
  const { telling, answer } = happening;
  if (telling.kind === 'merge') {
    return { owner: telling.patient, text: note(`${telling.alias} is ${telling.patient}: ${answer}`, happening.at) };
  }
  if (telling.kind === 'death') return { owner: telling.patient, text: note('death', happening.at) };
  const { visit, arrives: _, ...more } = telling;
  const text = `${visit.id} ${visit.place} ${visit.patientClass} since ${note('', visit.start)} ${JSON.stringify(more)}`;
  const times = text.replaceAll(/:(1[67]\d{8})\b/g, (_all, seconds: string) => `:${note('', Number(seconds))}`);
  return { owner: visit.patient, text: note(`${times}: ${answer} told`, happening.at) };
}
