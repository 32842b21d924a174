// Lives the year: delivers what is told when it arrives, lets nurses work, lets time pass in slots of minutes, takes
// Baton down and kills it. What it did is the record that the reckoning of what should have happened starts from.
import { setTimeout as pause } from 'node:timers/promises';
import { randomFrom } from '../../support/seeded-random.ts';
import type { Command, NurseAct, Raised, Reply } from './node.ts';
import type { Killable } from './nodes.ts';
import type { Outage } from './outages.ts';
import { PLACES, STAFF } from './places.ts';
import { type Person, patientOf, type Story, type Telling } from './story.ts';
import { writeEncounter, writeMerge, writeMessage, writePatient, writeRecord } from './tell.ts';

const DAY = 86_400;

export interface DriveOptions {
  readonly story: Story;
  readonly nodes: readonly Killable[];
  /** Seconds that pass at a time. */
  readonly slot: number;
  /** Ticks in every slot; otherwise only in those where something is told, done, or due as far as Baton knows. */
  readonly everySlot: boolean;
  /** How often a process is killed in the year. */
  readonly kills: number;
  readonly outages: readonly Outage[];
  readonly say?: (line: string) => void;
  /** True ends the year at the next slot; what was lived is whole until then. */
  readonly isCut?: () => boolean;
}

/** In the order they happened; `at` is Baton's clock. */
export type Happening = { readonly at: number } & (
  | { readonly kind: 'told'; readonly telling: Telling; readonly answer: string }
  | { readonly kind: 'done'; readonly task: string; readonly act: NurseAct; readonly answer: string }
);

export interface Record {
  /** Seconds between ticks, and up to a minute more. */
  readonly slot: number;
  readonly happenings: readonly Happening[];
  /** Every moment at which Baton swept to the end. */
  readonly ticks: readonly number[];
  readonly kills: number;
  /** Commands that had to be given again. */
  readonly repeated: number;
}

interface Deed {
  readonly at: number;
  readonly task: string;
  readonly act: NurseAct;
}

export async function drive(options: DriveOptions): Promise<Record> {
  const { story, nodes, slot: length, say = () => undefined } = options;
  const people = new Map(story.people.map((person) => [person.id, person]));
  const happenings: Happening[] = [];
  const ticks: number[] = [];
  const nurses = createNurses(story.seed);
  const killing = createKilling(options);
  const random = randomFrom(story.seed + 1);
  let repeated = 0;
  let told = 0;
  let due = 0;

  const perform = async (n: number, command: Command): Promise<Reply> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (nodes[n % nodes.length] as Killable).do(command);
      } catch (error) {
        repeated += 1;
        await killing.settled();
        if (attempt === 30) throw error;
        await pause(attempt * 10);
      }
    }
  };
  const onAll = (command: Command) => Promise.all(nodes.map((_, n) => perform(n, command)));

  const record = { seen: new Set<string>() };
  async function tell(telling: Telling, at: number, n: number): Promise<void> {
    const person = people.get(patientOf(telling)) as Person;
    if (telling.kind === 'message' || telling.kind === 'merge') {
      const message = telling.kind === 'merge' ? writeMerge(telling, person) : writeMessage(telling, person);
      const { code } = await perform(n, { op: 'receive', at, message });
      happenings.push({ kind: 'told', at, telling, answer: code ?? '' });
      return;
    }
    const first = !record.seen.has(person.id);
    const resources = telling.kind === 'put' ? [writeEncounter(telling)] : [writePatient(person, telling.died)];
    await perform(n, { op: 'put', at, resources: [...(first ? writeRecord(person) : []), ...resources] });
    record.seen.add(person.id);
    happenings.push({ kind: 'told', at, telling, answer: 'AA' });
  }

  const organizations = PLACES.map(({ code, name }) => ({
    resourceType: 'Organization' as const,
    id: code,
    name,
    identifier: [{ system: 'https://baton.health/fhir/sid/facility', value: code }],
  }));
  const staff = STAFF.map((id) => ({ resourceType: 'Practitioner' as const, id, name: [{ family: id }] }));
  await perform(0, { op: 'put', at: story.begins, resources: [...organizations, ...staff] });

  const slots = Math.ceil((story.ends - story.begins) / length) + 1;
  let down = false;
  for (let slot = 1; slot <= slots && !options.isCut?.(); slot++) {
    const at = story.begins + slot * length + Math.floor(random() * 60);
    if (options.outages.some(({ from, until }) => at >= from && at < until)) {
      down = true;
      continue;
    }
    if (down) {
      await killing.settled();
      await Promise.all(nodes.map((node) => node.restart()));
    }
    const rounds = roundsOf(story.tellings, told, at);
    const deeds = nurses.deedsUntil(at);
    if (!options.everySlot && !down && rounds.length === 0 && deeds.length === 0 && due > at) continue;
    killing.begin(slot);
    for (const round of rounds) {
      told += round.length;
      await inParallel(round, (telling, n) => tell(telling, at, slot + n));
      await onAll({ op: 'run', at });
    }
    await inParallel(deeds, async ({ task, act }, n) => {
      const { code } = await perform(slot + n, { op: 'act', at, task, act });
      happenings.push({ kind: 'done', at, task, act, answer: code ?? '' });
    });
    if (deeds.length > 0) await onAll({ op: 'run', at });
    await tick(at, down);
    down = false;
    if ((slot * length) % (10 * DAY) === 0) {
      const day = (slot * length) / DAY;
      say(`day ${day}: ${told} told, ${ticks.length} ticks, ${killing.count()} kills, ${repeated} given again`);
    }
  }
  return { slot: length, happenings, ticks, kills: killing.count(), repeated };

  async function tick(at: number, afterOutage: boolean): Promise<void> {
    const before = repeated;
    let replies = await onAll({ op: 'tick', at });
    nurses.hear(
      replies.flatMap(({ events }) => events ?? []),
      at,
    );
    // A large backlog is worked off in portions, a few seconds apart.
    while (
      replies.some(({ acted = 0 }) => acted >= 400) ||
      (afterOutage && replies.some(({ acted = 0 }) => acted > 0))
    ) {
      replies = await onAll({ op: 'tick', at });
      nurses.hear(
        replies.flatMap(({ events }) => events ?? []),
        at,
      );
    }
    await killing.settled();
    // As in production, what a sweep committed is reacted to at once.
    await onAll({ op: 'run', at });
    // What a killed process did was told to nobody.
    if (repeated > before) nurses.hear((await perform(0, { op: 'due', at })).events ?? [], at);
    ticks.push(at);
    if (!options.everySlot) due = (await perform(0, { op: 'next', at })).due ?? Number.POSITIVE_INFINITY;
  }
}

/** What has arrived, in rounds: in each everybody's next. */
function roundsOf(tellings: readonly Telling[], from: number, until: number): Telling[][] {
  const rounds: Telling[][] = [];
  const count = new Map<string, number>();
  for (let n = from; n < tellings.length; n++) {
    const telling = tellings[n] as Telling;
    if (telling.arrives > until) break;
    const patient = patientOf(telling);
    const round = count.get(patient) ?? 0;
    count.set(patient, round + 1);
    rounds[round] ??= [];
    rounds[round].push(telling);
  }
  return rounds;
}

async function inParallel<T>(items: readonly T[], work: (item: T, n: number) => Promise<void>): Promise<void> {
  await Promise.all(items.map(work));
}

/** Nurses who do what they are told of soon, late, in two goes, or never; the same for the same seed. */
function createNurses(seed: number) {
  const heard = new Set<string>();
  let deeds: Deed[] = [];
  const HOUR = 3600;
  const plan = ({ task, step, visit }: Raised, at: number): Deed[] => {
    const random = randomFrom(hash(`${seed}|${visit}|${step}|${at}`));
    const dice = random();
    const after = (low: number, high: number) => at + (low + random() * (high - low)) * HOUR;
    if (step.endsWith('-escalation')) return dice < 0.4 ? [{ at: after(1, 48), task, act: 'complete' }] : [];
    if (dice < 0.5) return [{ at: after(0.2, 20), task, act: 'complete' }];
    if (dice < 0.65) return [{ at: after(24, 6 * 24), task, act: 'complete' }];
    if (dice < 0.75) return [{ at: after(6 * 24, 40 * 24), task, act: 'complete' }];
    if (dice >= 0.9) return [];
    const begins = after(0.2, 20);
    const begin: Deed = { at: begins, task, act: 'begin' };
    return dice < 0.85 ? [begin, { at: begins + after(1, 120) - at, task, act: 'complete' }] : [begin];
  };
  return {
    hear(raised: readonly Raised[], at: number): void {
      for (const one of raised) {
        if (heard.has(one.task)) continue;
        heard.add(one.task);
        deeds.push(...plan(one, at));
      }
    },
    /** What they do now; each Task once. */
    deedsUntil(at: number): Deed[] {
      const now = deeds.filter((deed) => deed.at <= at);
      if (now.length === 0) return [];
      const tasks = new Set<string>();
      const taken = new Set<Deed>();
      for (const deed of now.toSorted((a, b) => a.at - b.at)) {
        if (tasks.has(deed.task)) continue;
        tasks.add(deed.task);
        taken.add(deed);
      }
      deeds = deeds.filter((deed) => !taken.has(deed));
      return [...taken];
    },
  };
}

/** Kills processes at random moments of random slots. */
function createKilling({ nodes, kills, story, slot: length }: DriveOptions) {
  const slots = (story.ends - story.begins) / length;
  const random = randomFrom(story.seed + 2);
  const chosen = Array.from({ length: kills }, () => 1 + Math.floor(random() * slots)).toSorted((a, b) => a - b);
  let pending: Promise<void> = Promise.resolve();
  let begun = 0;
  let count = 0;
  return {
    begin(slot: number): void {
      if ((chosen[begun] ?? Number.POSITIVE_INFINITY) > slot) return;
      begun += 1;
      const victim = nodes[Math.floor(random() * nodes.length)];
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      pending = promise;
      setTimeout(() => {
        count += 1;
        victim?.restart().then(resolve, reject);
      }, random() * 25);
    },
    settled: () => pending,
    count: () => count,
  };
}

function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) state = Math.imul(state ^ text.charCodeAt(n), 0x01000193);
  return state >>> 0;
}
