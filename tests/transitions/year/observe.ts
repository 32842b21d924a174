// What did happen: every transition and follow-up that the store's log tells of, version by version.
import type {
  CarePlan,
  CareTeam,
  CommunicationRequest,
  Encounter,
  EpisodeOfCare,
  Reference,
  Resource,
  Task,
} from '@medplum/fhirtypes';
import { emptyTelling, type Telling } from './course.ts';
import type { Entry } from './kept-year.ts';
import type { AddressOf, Transitions } from './reckon.ts';
import { teamOf } from './staffing.ts';
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

export async function observe(entries: AsyncIterable<Entry> | Iterable<Entry>): Promise<Observation> {
  const transitions: Transitions = new Map();
  const damage: string[] = [];
  const visits = new Map<string, string>();
  const episodes = new Map<string, Episode>();
  const tasks = new Map<string, { key: string; last: Task }>();
  /** By id of the Task that another transition took over: what it was, until when. */
  const former = new Map<string, { readonly key: string; readonly until: number }[]>();
  const keys = new Set<string>();
  const messages = new Set<string>();
  /** By id of the message. */
  const messageKeys = new Map<string, string>();
  const teams = new Map<string, string>();
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
    CareTeam({ id }, resource) {
      const visit = visits.get(lastPart((resource as CareTeam).encounter?.reference));
      if (visit) teams.set(id, teamOf(visit));
    },
    CommunicationRequest: (entry, resource) => readMessage(entry, resource as CommunicationRequest),
  };

  for await (const entry of entries) {
    if (entry.operation !== 'delete') readers[entry.type]?.(entry, JSON.parse(entry.content));
  }
  return {
    transitions,
    damage,
    addressOf(id, at = Number.POSITIVE_INFINITY) {
      const key = former.get(id)?.find(({ until }) => at < until)?.key ?? tasks.get(id)?.key;
      const [episode = '', step = ''] = key?.split('|') ?? [];
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
      const discharge = seconds(episode.period?.start ?? '');
      const told = emptyTelling(note('? begun', at), note('discharged', discharge));
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
      followUps.set(step, [note('made', at, `${window} for ${nameOf(task.owner)}`)]);
      return;
    }
    const { last } = known;
    const isTakenOver = key !== known.key;
    if (isTakenOver) {
      former.set(entry.id, [...(former.get(entry.id) ?? []), { key: known.key, until: at }]);
      takeOver(known.key, key);
    }
    const told = followUps.get(step) ?? [];
    const before = last.restriction?.period;
    const moved = before?.start !== start || before?.end !== end;
    const clock = codeOf(task.businessStatus) ?? '';
    if (task.status !== last.status) told.push(note(task.status, at));
    if (moved) told.push(note('moved', at, window));
    else if (SHOWN.has(clock) && clock !== codeOf(last.businessStatus)) told.push(note(clock, at));
    if (nameOf(task.owner) !== nameOf(last.owner)) told.push(note('given', at, `to ${nameOf(task.owner)}`));
    if (isTakenOver) told.push(note('taken over', at, episodes.get(episode)?.name));
    tasks.set(entry.id, { key, last: task });
  }

  /** A follow-up goes to another transition, with what has become of it and what was told of it. */
  function takeOver(from: string, to: string): void {
    if (keys.has(to)) damage.push(`${to} is there twice.`);
    keys.delete(from);
    keys.add(to);
    const [[before = '', step = ''], [after = '', other]] = [from.split('|'), to.split('|')];
    if (step !== other) damage.push(`${from} has become ${to}.`);
    const [giving, taking] = [episodes.get(before)?.told, episodes.get(after)?.told];
    for (const kind of ['followUps', 'messages'] as const) {
      const said = giving?.[kind].get(step);
      giving?.[kind].delete(step);
      if (said) taking?.[kind].set(step, said);
    }
  }

  function readMessage({ id, versionId, lastUpdated }: Entry, message: CommunicationRequest): void {
    const key = identifierOf(message, 'urn:baton:reminder');
    const known = messageKeys.get(id);
    messageKeys.set(id, key);
    if (versionId !== '1') {
      if (known === undefined || known === key) return;
      // It goes with its follow-up, which tells of it.
      if (messages.has(key)) damage.push(`${key} was told of twice.`);
      messages.delete(known);
      messages.add(key);
      return;
    }
    const [followUp = '', why] = key.split('#');
    const [episode = '', step = ''] = followUp.split('|');
    // Of the transition, not of a follow-up.
    if (step.startsWith('risk-')) return;
    if (messages.has(key)) damage.push(`${key} was told of twice.`);
    messages.add(key);
    const ofStep = episodes.get(episode)?.told.messages;
    if (!ofStep) return void damage.push(`${key} is about no transition.`);
    const word = why ?? (step.endsWith('-escalation') ? 'supervisor' : 'due');
    const whom = (message.recipient ?? []).map(nameOf).join(' and ') || 'nobody';
    ofStep.set(step, [...(ofStep.get(step) ?? []), note(word, seconds(lastUpdated), whom)]);
  }

  /** As the story calls it. */
  function nameOf(party: Reference | undefined): string {
    const id = lastPart(party?.reference);
    return teams.get(id) ?? id;
  }
}
