// One Baton of the simulated year: a store, its intake and its transitions, on a clock that the driver sets with every
// command. The same in the driver's process and in one of its own.
import type { Resource, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import usFederal from '../../../profiles/calendars/us-federal.json' with { type: 'json' };
import { type CalendarDefinition, createCalendars } from '../../../src/care/business-calendar.ts';
import { idOf, parseVersion, readResource } from '../../../src/care/stored.ts';
import { touched } from '../../../src/care/touched.ts';
import { asFault } from '../../../src/fault.ts';
import { isTerminal } from '../../../src/fhir/status/task.ts';
import { createIntake } from '../../../src/intake/receive.ts';
import { type OpenStore, openStore } from '../../../src/store/open.ts';
import type { Actor } from '../../../src/store/store.ts';
import type { TransitionEvent } from '../../../src/transitions/events.ts';
import { PASSES } from '../../../src/transitions/passes.ts';
import { createTransitions } from '../../../src/transitions/transitions.ts';
import { artifacts, riskMethods } from '../../care/artifacts.ts';
import { testParameters, testRules } from '../../support/store-rules.ts';
import { PLACES, YEAR_CALENDARS } from './places.ts';

/** Epoch seconds; every command sets the clock. */
export type Command = { readonly at: number } & (
  | { readonly op: 'receive'; readonly message: string }
  | { readonly op: 'put'; readonly resources: readonly Resource[] }
  | { readonly op: 'act'; readonly task: string; readonly act: NurseAct }
  | { readonly op: 'run' }
  | { readonly op: 'tick' }
  | { readonly op: 'due' }
  | { readonly op: 'next' }
);

export type NurseAct = 'complete' | 'begin';

export interface Reply {
  /** MSA-1 of `receive`; of `act` whether it was done, was done before, or the Task had ended another way. */
  readonly code?: 'AA' | 'AE' | 'AR' | 'done' | 'again' | 'ended';
  /** What became due or was escalated; of `due` what is due and was changed at this time. */
  readonly events?: readonly Raised[];
  /** Of `tick`: how much it did. */
  readonly acted?: number;
  /** Of `next`: when something falls due, in epoch seconds; null when nothing does. */
  readonly due?: number | null;
}

/** A follow-up that became due, or the Task that escalates one. */
export interface Raised {
  readonly task: string;
  readonly step: string;
  /** PV1-19 of the stay, which is the same in every run. */
  readonly visit: string;
}

export interface Node {
  do(command: Command): Promise<Reply>;
  close(): Promise<void>;
}

const NURSE: Actor = { reference: 'Practitioner/nurse', kind: 'user' };
const EHR: Actor = { reference: 'Device/ehr', kind: 'service' };

export async function openNode(url: string): Promise<Node> {
  let now = Temporal.Instant.fromEpochMilliseconds(0);
  const clock = { now: () => now, real: () => Temporal.Now.instant() };
  const log = pino({ level: process.env.YEAR_LOG ?? 'silent' }, pino.destination(2));
  const rules = testRules();
  const store = await openStore({ url, clock, log, ...rules });
  const facilities = PLACES.map(({ code, name, zone, calendar }) => ({ code, name, zone, calendar }));
  const told: TransitionEvent[] = [];
  const transitions = createTransitions({
    store,
    clock,
    facilities,
    calendars: createCalendars([usFederal as CalendarDefinition, ...YEAR_CALENDARS]),
    artifacts,
    riskMethods,
    parse: (query) => rules.searchEngine.parse(query),
    log,
    emit: (event) => told.push(event),
  });
  const intake = createIntake({ store, clock, facilities, parameters: testParameters, log });
  return {
    async do(command) {
      now = Temporal.Instant.fromEpochMilliseconds(command.at * 1000);
      switch (command.op) {
        case 'receive':
          return { code: (await intake.receive(new TextEncoder().encode(command.message), 'mllp')).code };
        case 'put':
          await store.commit(
            EHR,
            command.resources.map((resource) => ({ op: 'update', resource })),
          );
          return {};
        case 'act':
          return { code: await act(store, command.task, command.act, now) };
        case 'run':
          await transitions.run();
          told.length = 0;
          return {};
        case 'tick': {
          const result = await transitions.tick();
          const acted = Object.values(result).reduce((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
          const ids = told.flatMap((event) =>
            event.kind === 'follow-up-due'
              ? event.task
              : event.kind === 'follow-up-escalated'
                ? (event.escalation ?? [])
                : [],
          );
          const events = await Promise.all(ids.map((id) => describe(store, id)));
          told.length = 0;
          return { acted, events };
        }
        case 'due': {
          const found = await store.find(`Task?business-status=due&_lastUpdated=ge${now}`);
          return { events: await Promise.all(found.map(({ id }) => describe(store, id))) };
        }
        case 'next':
          return { due: await nextDue(store, rules.searchEngine.parse) };
      }
    },
    close: () => store.close(),
  };
}

async function describe(store: OpenStore, id: string): Promise<Raised> {
  const task = await readResource(store, 'Task', id);
  const stay = await readResource(store, 'Encounter', idOf(task?.encounter, 'Encounter'));
  const step = task?.identifier?.[0]?.value?.split('|')[1] ?? '';
  return { task: id, step, visit: stay?.identifier?.[0]?.value ?? '' };
}

/** What a nurse does with a follow-up, once however often it is asked for. */
async function act(store: OpenStore, id: string, what: NurseAct, now: Temporal.Instant): Promise<Reply['code']> {
  for (let attempt = 1; ; attempt++) {
    const version = await store.read('Task', id);
    if (!version) return 'ended';
    const task = parseVersion(version, 'Task');
    if (task.status === (what === 'complete' ? 'completed' : 'in-progress')) return 'again';
    if (isTerminal(task.status)) return 'ended';
    const done = touched(task, now);
    const resource: Task =
      what === 'complete'
        ? { ...done, status: 'completed', executionPeriod: { ...task.executionPeriod, end: done.lastModified } }
        : { ...done, status: 'in-progress' };
    try {
      await store.commit(NURSE, [{ op: 'update', resource, ifMatch: version.versionId }]);
      return 'done';
    } catch (error) {
      if (asFault(error).kind !== 'precondition' || attempt > 5) throw error;
    }
  }
}

/** The earliest moment at which Baton itself means to do something. */
async function nextDue(
  store: OpenStore,
  parse: (query: string) => Parameters<OpenStore['search']>[0],
): Promise<number | null> {
  const moments = await Promise.all(
    PASSES.map(async ({ parameter, at }) => {
      const page = await store.search(parse(`Task?${parameter}=ge1970-01-01&_sort=${parameter}&_count=1`));
      const [moment] = page.items.map((item) => at(parseVersion(item, 'Task')));
      return moment ? Temporal.Instant.from(moment).epochMilliseconds / 1000 : Number.POSITIVE_INFINITY;
    }),
  );
  const first = Math.min(...moments);
  return Number.isFinite(first) ? first : null;
}
