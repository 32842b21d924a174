// Batons that do one thing wrong: what a store's log would be if they did. The year must find each of them.
import type { CommunicationRequest, Resource, Task } from '@medplum/fhirtypes';
import type { Entry } from './kept-year.ts';

export interface Broken {
  readonly entries: readonly Entry[];
  /** Key of the follow-up that it went wrong with, `EPISODE|STEP|OCCURRENCE`. */
  readonly key: string;
}

type Breaking = (entries: readonly Entry[]) => Broken;

const parsed = <R extends Resource>({ content }: Entry) => JSON.parse(content) as R;
const keyOf = (entry: Entry) => parsed<Task | CommunicationRequest>(entry).identifier?.[0]?.value ?? '';
const changed = <R extends Resource>(entry: Entry, change: (resource: R) => R): Entry => ({
  ...entry,
  content: JSON.stringify(change(parsed<R>(entry))),
});
const isTask = ({ type, operation }: Entry) => type === 'Task' && operation !== 'delete';
const isStage = (entry: Entry, stage: string) =>
  isTask(entry) && parsed<Task>(entry).businessStatus?.coding?.[0]?.code === stage;

function first(entries: readonly Entry[], suits: (entry: Entry) => boolean): Entry {
  const found = entries.find(suits);
  if (!found) throw new Error('The year is too short to break this.');
  return found;
}

/** A follow-up that opens by and by, when it is raised. */
const raised = (entries: readonly Entry[]) =>
  first(entries, (entry) => isStage(entry, 'due') && entry.versionId !== '1');

/** It is never raised, and nobody is told. */
const missesARaise: Breaking = (entries) => {
  const due = raised(entries);
  const key = keyOf(due);
  const later = (entry: Entry) => entry.id === due.id && Number(entry.versionId) >= Number(due.versionId);
  const isAbout = ({ type, content }: Entry) => type === 'CommunicationRequest' && content.includes(key);
  return { key, entries: entries.filter((entry) => !later(entry) && !isAbout(entry)) };
};

/** Its owner is told twice. */
const tellsTwice: Breaking = (entries) => {
  const told = first(entries, ({ type }) => type === 'CommunicationRequest');
  const at = entries.indexOf(told) + 1;
  return { key: keyOf(told), entries: entries.toSpliced(at, 0, { ...told, id: `${told.id}-again` }) };
};

/** It is there twice. */
const plansTwice: Breaking = (entries) => {
  const made = first(entries, (entry) => isTask(entry) && entry.versionId === '1');
  const at = entries.indexOf(made) + 1;
  return { key: keyOf(made), entries: entries.toSpliced(at, 0, { ...made, id: `${made.id}-again` }) };
};

/** It is raised a minute before its time. */
const raisesEarly: Breaking = (entries) => {
  const due = raised(entries);
  const minuteBefore = Temporal.Instant.from(due.lastUpdated).subtract({ minutes: 1 });
  const early = { ...due, lastUpdated: minuteBefore.toString({ fractionalSecondDigits: 3 }) };
  return { key: keyOf(due), entries: entries.map((entry) => (entry === due ? early : entry)) };
};

/** Somebody else's supervisor is told. */
const tellsTheWrongPerson: Breaking = (entries) => {
  const isOfSupervisor = (entry: Entry) =>
    entry.type === 'CommunicationRequest' && entry.content.includes('Practitioner/supervisor-');
  const told = first(entries, isOfSupervisor);
  const wrong = changed<CommunicationRequest>(told, (message) => ({
    ...message,
    recipient: [{ reference: 'Practitioner/backup-1' }],
  }));
  return { key: keyOf(told), entries: entries.map((entry) => (entry === told ? wrong : entry)) };
};

/** Its deadline is reckoned with the clocks as they stood when it opened: an hour off after they have changed. */
const forgetsDaylightSaving: Breaking = (entries) => {
  const offset = (time = '') => time.slice('2026-01-01T00:00:00'.length);
  const crosses = (entry: Entry) => {
    const { start, end } = (isTask(entry) && parsed<Task>(entry).restriction?.period) || {};
    return offset(start) !== offset(end);
  };
  const { id, ...made } = first(entries, crosses);
  const moved = (entry: Entry) =>
    changed<Task>(entry, (task) => {
      const { start = '', end = '', ...period } = task.restriction?.period ?? {};
      const time = end.slice(0, '2026-01-01T00:00:00'.length) + offset(start);
      return { ...task, restriction: { ...task.restriction, period: { ...period, start, end: time } } };
    });
  return {
    key: keyOf({ id, ...made }),
    entries: entries.map((entry) => (entry.id === id && isTask(entry) ? moved(entry) : entry)),
  };
};

/** A follow-up that a withdrawn transition leaves open. */
const leavesOneOpen: Breaking = (entries) => {
  const ended = first(entries, (entry) => isTask(entry) && parsed<Task>(entry).status === 'cancelled');
  return { key: keyOf(ended), entries: entries.filter((entry) => entry !== ended) };
};

export const BREAKINGS: Readonly<{ [what: string]: Breaking }> = {
  'misses a raise': missesARaise,
  'tells twice': tellsTwice,
  'plans a follow-up twice': plansTwice,
  'raises a minute early': raisesEarly,
  'tells the wrong person of an escalation': tellsTheWrongPerson,
  'forgets that the clocks change': forgetsDaylightSaving,
  'leaves a follow-up of a withdrawn transition open': leavesOneOpen,
};
