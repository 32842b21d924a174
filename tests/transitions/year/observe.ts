// What did happen: every transition and follow-up that the store's log tells of, version by version.
import type { CarePlan, CommunicationRequest, Encounter, EpisodeOfCare, Resource, Task } from '@medplum/fhirtypes';
import type { Entry } from './kept-year.ts';
import type { AddressOf, Telling, Transitions } from './reckon.ts';
import { CASE_SUFFIX, VISIT_SYSTEM } from './tell.ts';
import { note, span } from './words.ts';

export interface Observation {
  readonly transitions: Transitions;
  readonly addressOf: AddressOf;
  /** What is wrong in itself, whatever should have happened. */
  readonly damage: string[];
}

/** What businessStatus says beside how a Task ended, which its status says. */
const SHOWN = new Set(['due', 'reminded', 'overdue', 'escalated', 'done-on-time', 'done-late']);

interface Episode {
  readonly name: string;
  readonly told: Telling;
  last: EpisodeOfCare;
}

const seconds = (instant: string) => Math.floor(Date.parse(instant) / 1000);
const codeOf = (concept: { coding?: { code?: string }[] } | undefined) => concept?.coding?.[0]?.code;
const lastPart = (url: string | undefined) => url?.split('|')[0]?.split('/').at(-1) ?? '';
const identifierOf = (resource: { identifier?: { system?: string; value?: string }[] }, system: string) =>
  resource.identifier?.find((one) => one.system === system)?.value ?? '';

export async function observe(entries: AsyncIterable<Entry>): Promise<Observation> {
  const transitions: Transitions = new Map();
  const damage: string[] = [];
  const visits = new Map<string, string>();
  const episodes = new Map<string, Episode>();
  const tasks = new Map<string, { key: string; last: Task }>();
  const keys = new Set<string>();
  const raised = new Set<string>();
  const reminders = new Map<string, number>();
  const numbers = new Map<string, number>();

  const readers: { [type: string]: (entry: Entry, resource: Resource) => void } = {
    Encounter: ({ id }, resource) => void visits.set(id, identifierOf(resource as Encounter, VISIT_SYSTEM)),
    EpisodeOfCare: (entry, resource) => readEpisode(entry, resource as EpisodeOfCare),
    CarePlan(_, resource) {
      const plan = resource as CarePlan;
      const episode = episodes.get(identifierOf(plan, 'urn:baton:transition-plan'));
      const protocol = lastPart(plan.instantiatesCanonical?.[0]);
      if (episode) episode.told.head[0] = (episode.told.head[0] as string).replace('?', protocol);
    },
    Task: (entry, resource) => readTask(entry, resource as Task),
    CommunicationRequest(entry, resource) {
      if (entry.versionId !== '1') return;
      const key = identifierOf(resource as CommunicationRequest, 'urn:baton:reminder');
      reminders.set(key, (reminders.get(key) ?? 0) + 1);
    },
  };

  for await (const entry of entries) {
    if (entry.operation !== 'delete') readers[entry.type]?.(entry, JSON.parse(entry.content));
  }
  for (const [key, count] of reminders) if (count > 1) damage.push(`${key} was told of ${count} times.`);
  for (const { key } of tasks.values()) {
    if (raised.has(key) && !reminders.has(key)) damage.push(`Nobody was told of ${key}.`);
  }
  return {
    transitions,
    damage,
    addressOf(id) {
      const [episode = '', step = ''] = tasks.get(id)?.key.split('|') ?? [];
      const transition = episodes.get(episode)?.name;
      return transition ? { transition, step } : undefined;
    },
  };

  function readEpisode(entry: Entry, episode: EpisodeOfCare): void {
    if (entry.id.endsWith(CASE_SUFFIX)) return;
    const known = episodes.get(entry.id);
    const reason = codeOf(
      episode.extension?.findLast(({ url }) => lastPart(url) === 'transition-reason')?.valueCodeableConcept,
    );
    const at = seconds(entry.lastUpdated);
    if (!known) {
      // What began nothing is no transition.
      if (episode.status === 'cancelled') return;
      const encounter = episode.extension?.find(({ url }) => lastPart(url) === 'transition-encounter')?.valueReference;
      const visit = visits.get(lastPart(encounter?.reference)) ?? '?';
      const number = (numbers.get(visit) ?? 0) + 1;
      numbers.set(visit, number);
      const told: Telling = {
        head: [note('? begun', at), note('discharged', seconds(episode.period?.start ?? ''))],
        followUps: new Map(),
      };
      episodes.set(entry.id, { name: `${visit}#${number}`, told, last: episode });
      transitions.set(`${visit}#${number}`, told);
      return;
    }
    const { told, last } = known;
    if (episode.period?.start !== last.period?.start) {
      told.head.push(note('moved to', seconds(episode.period?.start ?? ''), note('at', at)));
    }
    if (episode.status !== last.status) told.head.push(note(reason ?? episode.status, at));
    known.last = episode;
  }

  function readTask(entry: Entry, task: Task): void {
    const key = identifierOf(task, 'urn:baton:follow-up');
    if (!key) return;
    const at = seconds(entry.lastUpdated);
    const [episode = '', step = ''] = key.split('|');
    const followUps = episodes.get(episode)?.told.followUps;
    if (!followUps) return void damage.push(`${key} belongs to no transition.`);
    const { start, end } = task.restriction?.period ?? {};
    const window = span({ raise: seconds(start ?? ''), due: seconds(end ?? '') });
    const known = tasks.get(entry.id);
    if (!known) {
      if (keys.has(key)) damage.push(`${key} is there twice.`);
      keys.add(key);
      tasks.set(entry.id, { key, last: task });
      followUps.set(step, [note('made', at, window)]);
      return;
    }
    const { last } = known;
    const told = followUps.get(step) ?? [];
    const before = last.restriction?.period;
    const moved = before?.start !== start || before?.end !== end;
    const clock = codeOf(task.businessStatus) ?? '';
    if (task.status !== last.status) told.push(note(task.status, at));
    if (moved) told.push(note('moved', at, window));
    else if (SHOWN.has(clock) && clock !== codeOf(last.businessStatus)) told.push(note(clock, at));
    if (clock === 'due') raised.add(key);
    known.last = task;
  }
}
