// Transitions of care: reads the log for discharges and what becomes of them, and sweeps for follow-ups that fall due.
// Always plan, then one commit, then tell.
import type { Resource } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { BusinessCalendar } from '../care/business-calendar.ts';
import type { EvidenceSources } from '../care/evidence/evidence-sources.ts';
import { hasLeft } from '../care/team/has-left.ts';
import type { RiskMethod } from '../care/transition/risk-method.ts';
import type { Clock } from '../clock.ts';
import type { SearchQuery } from '../fhir/search/query.ts';
import { CLOCKWORK } from '../store/alert.ts';
import { unlessClosedMeanwhile } from '../store/closed-meanwhile.ts';
import { createConsumer } from '../store/consumer.ts';
import { createPassing } from '../store/pass-over.ts';
import type { Actor, LogEntry, Statement, Store } from '../store/store.ts';
import type { Emit } from './events.ts';
import { createFacilities, type Facility } from './facilities.ts';
import { isOfContact, reactToCommunication, reactToProvenance } from './on-communication.ts';
import { reactToEncounter } from './on-encounter.ts';
import { reactToEpisode } from './on-episode.ts';
import { reactToNeed } from './on-need.ts';
import { reactToPatient } from './on-patient.ts';
import { reactToCoverage } from './on-stay.ts';
import { reactToTask } from './on-task.ts';
import { ACTOR, type Parts, readRules } from './parts.ts';
import { createPulse, type Pulse } from './pulse.ts';
import { both, type Reaction } from './reaction.ts';
import { reassess } from './reassess.ts';
import { type Replan, replan } from './replan.ts';
import { type SweepResult, sweep } from './sweep.ts';
import { wakeFailures } from './sweep-failures.ts';
import { createWatchdog, type TellDirectly, type Watchdog } from './watchdog.ts';

export interface TransitionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly facilities: readonly Facility[];
  readonly calendars: ReadonlyMap<string, BusinessCalendar>;
  /** Everything in profiles/; PlanDefinitions, ActivityDefinitions, code systems, maps and value sets are used. */
  readonly artifacts: readonly Resource[];
  /** The methods in use, of profiles/risk-methods. */
  readonly riskMethods: readonly RiskMethod[];
  /** The search engine's parser, for queries that are read page by page. */
  readonly parse: (query: string) => SearchQuery;
  readonly log: Logger;
  readonly emit?: Emit;
  /** Takes an alert that the store cannot keep to the operators; absent: the log has it. */
  readonly tellDirectly?: TellDirectly;
  /** Follow-ups that one sweep acts on, so that a burst reaches people in portions. 2,000 when absent. */
  readonly mostPerSweep?: number;
}

export interface Transitions {
  /** Reacts to everything the log holds by now; resolves to how many entries that were. */
  run(): Promise<number>;
  /** Raises and escalates what is due at `now`, the clock's when absent. */
  sweep(now?: Temporal.Instant): Promise<SweepResult>;
  /** Both, in the order that keeps a follow-up from being raised after what withdrew it. */
  tick(): Promise<SweepResult>;
  /** Has the next sweep try again what it failed at, or one Task of it. Resolves to how many follow-ups those are. */
  rewind(actor: Actor, task?: string): Promise<number>;
  /** Plans a transition anew under the protocols as they are now; see replan.ts. */
  replan(episode: string, seen?: string): Promise<Replan>;
  /** How this process's beats and sweeps go. */
  readonly pulse: Pulse;
  readonly watchdog: Watchdog;
  /** Where facilities are in time and where patients went, for evidence records. */
  readonly sources: EvidenceSources;
}

const REACTIONS: Readonly<Record<string, (parts: Parts, entry: LogEntry) => Promise<Reaction>>> = {
  Communication: reactToCommunication,
  EpisodeOfCare: reactToEpisode,
  Encounter: async (parts, entry) => {
    const reaction = await reactToEncounter(parts, entry);
    return both(reaction, await reassess(parts, entry, reaction));
  },
  Coverage: reactToCoverage,
  DeviceRequest: reactToNeed,
  DiagnosticReport: reactToNeed,
  Condition: reassess,
  Observation: reassess,
  Procedure: reassess,
  Provenance: reactToProvenance,
  Patient: reactToPatient,
  Task: reactToTask,
};

/** Reactions on their way to the disk at a time: as many as a busy intake brings discharges for one commit. */
const AHEAD = 4;

/** Name of the reader of the log. */
const CURSOR = 'transitions';

/** @throws Fault unprocessable when an artefact, a calendar or a facility cannot be worked with */
export function createTransitions(options: TransitionsOptions): Transitions {
  const { store, clock, parse, log, emit = () => undefined, mostPerSweep = 2_000, tellDirectly = nobody } = options;
  const facilities = createFacilities(store, options.facilities, options.calendars, log, clock.now());
  const pulse = createPulse(store, clock);
  const parts: Parts = {
    store,
    clock,
    facilities,
    rules: readRules(options.artifacts, options.riskMethods),
    parse,
    log,
    emit,
    pulse,
    mostPerSweep,
    hasLeft: (who, when) => hasLeft(store, who, when),
  };
  const passing = createPassing({
    ...{ store, clock, log, name: CURSOR, subject: CLOCKWORK },
    passed: ({ type, id, versionId }) => emit({ kind: 'transition-failed', type, id, versionId }),
  });
  const ahead = { most: AHEAD, about: patientOf.bind(undefined, store), plan: plan.bind(undefined, parts) };
  const consumer = createConsumer({ store, name: CURSOR, handle: react.bind(undefined, parts), ahead, passing, log });
  const sweepAt = (now = clock.now()) => sweep(parts, now);
  return {
    sources: { placeOf: facilities.placeOf, destinationOf: parts.rules.destinationOf },
    run: () => consumer.run(),
    sweep: sweepAt,
    async tick() {
      await consumer.run();
      const result = await sweepAt();
      await pulse.keep();
      return result;
    },
    async rewind(actor, task) {
      const rows = await store.query('SELECT task FROM sweep_failure');
      await store.commit(actor, [], [wakeFailures(task)]);
      return rows.filter((row) => task === undefined || row.task === task).length;
    },
    replan: (episode, seen) => replan(parts, episode, seen),
    pulse,
    watchdog: createWatchdog({ store, clock, log, pulse, facilities, tellDirectly }),
  };
}

const nobody: TellDirectly = async () => true;

async function react(parts: Parts, entry: LogEntry, advance: Statement): Promise<boolean> {
  const commit = await plan(parts, entry);
  await commit?.(advance);
  return commit !== undefined;
}

/** The reaction to an entry as its commit; undefined when there is none. */
async function plan(parts: Parts, entry: LogEntry) {
  const reactTo = REACTIONS[entry.type];
  if (!reactTo) return undefined;
  const head = await parts.store.head();
  const { changes, events, alongside = [] } = await reactTo(parts, entry);
  if (changes.length === 0) return undefined;
  return async (advance: Statement) => {
    const guards = unlessClosedMeanwhile(changes, head);
    const outcomes = await parts.store.commit(ACTOR, changes, [...guards, ...alongside, advance]);
    for (const event of events(outcomes)) parts.emit(event);
  };
}

/**
 * The patient whom an entry is about, as things are now: undefined for what is about several or nobody, and for records of
 * people that are one.
 */
async function patientOf(store: Store, entry: LogEntry): Promise<string | undefined> {
  const { type, id } = entry;
  if (REACTIONS[type] === undefined || (type === 'Provenance' && !isOfContact(entry))) return `${type}/${id}`;
  const current = await store.read(type, id);
  if (type === 'Patient') return current?.content.includes('"link"') ? undefined : id;
  const [patient, ...others] = current?.patients ?? [];
  return others.length === 0 ? patient : undefined;
}
