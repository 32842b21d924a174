// A small hospital on a real store: patients are admitted and discharged, time passes when the test says so.
import type {
  Condition,
  Encounter,
  EpisodeOfCare,
  OperationOutcomeIssue,
  Patient,
  Resource,
  ResourceType,
  Task,
} from '@medplum/fhirtypes';
import { pino } from 'pino';
import { findResources } from '../../src/care/stored.ts';
import { IDENTIFIER } from '../../src/care/systems.ts';
import { encounterOfEpisode, withdrawnBecause } from '../../src/care/transition/episode.ts';
import { isTerminal } from '../../src/fhir/status/task.ts';
import { type Actor, BATON, type LogEntry } from '../../src/store/store.ts';
import type { TransitionEvent } from '../../src/transitions/events.ts';
import { createTransitions, type Transitions, type TransitionsOptions } from '../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../care/artifacts.ts';
import { testRules } from '../support/store-rules.ts';
import { openTempStore } from '../support/temp-store.ts';
import { plainArtifacts } from './plain-artifacts.ts';

export const FACILITIES = [
  { code: '*', name: 'Elsewhere', zone: 'UTC', calendar: 'us-federal' },
  { code: 'RIVER', name: 'Riverside', zone: 'America/New_York', calendar: 'us-federal' },
];

const REFUSED: OperationOutcomeIssue = { severity: 'error', code: 'business-rule', details: { text: 'Refused.' } };
const USER: Actor = { reference: 'Practitioner/nurse', kind: 'user' };
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const NUBC = 'https://www.nubc.org/CodeSystem/PatDischargeStatus';
/** Friday. */
export const DISCHARGED = '2026-11-20T14:00:00-05:00';

export type Hospital = Awaited<ReturnType<typeof openHospital>>;

export interface HospitalOptions {
  /** Added to the machine's clock. */
  readonly skew?: () => Temporal.Duration;
  readonly mostPerSweep?: number;
  /** The protocols that come with Baton instead of the plain ones. */
  readonly shipped?: boolean;
}

/** @param refuse resources that the store's validation refuses, whatever they are */
export async function openHospital(
  refuse: (resource: Resource) => boolean = () => false,
  { skew, mostPerSweep, shipped = false }: HospitalOptions = {},
) {
  let now = Temporal.Instant.from(DISCHARGED).add({ minutes: 5 });
  const clock = { now: () => now, real: () => Temporal.Now.instant().add(skew?.() ?? new Temporal.Duration()) };
  const rules = testRules();
  const temp = await openTempStore({
    ...rules,
    clock,
    validate: (resource) => (refuse(resource) ? [REFUSED] : rules.validate(resource)),
  });
  const events: TransitionEvent[] = [];

  const openTransitions = (others: Partial<TransitionsOptions> = {}): Transitions =>
    createTransitions({
      store: temp.store,
      clock,
      facilities: FACILITIES,
      calendars,
      artifacts: shipped ? artifacts : plainArtifacts,
      riskMethods,
      parse: (query) => rules.searchEngine.parse(query),
      log: pino({ level: 'silent' }),
      emit: (event) => events.push(event),
      ...(mostPerSweep === undefined ? {} : { mostPerSweep }),
      ...others,
    });
  let transitions = openTransitions();

  const put = async (resource: Resource): Promise<void> => {
    await temp.store.commit(USER, [{ op: 'update', resource }]);
  };
  const all = <K extends ResourceType>(type: K, parameters: Record<string, string> = {}) =>
    findResources(temp.store, type, parameters);

  await put({
    resourceType: 'Organization',
    id: 'river',
    name: 'Riverside',
    identifier: [{ system: IDENTIFIER.facility, value: 'RIVER' }],
  });
  await put(patient());
  await put({
    resourceType: 'RelatedPerson',
    id: 'daughter',
    active: true,
    patient: { reference: 'Patient/ann' },
    name: [{ family: 'Daughter' }],
  });
  await put(heartFailure());

  return {
    temp,
    events,
    put,
    all,
    get store() {
      return temp.store;
    },
    get transitions() {
      return transitions;
    },
    at: (text: string) => {
      now = Temporal.Instant.from(text);
    },
    /** As after a restart. */
    async restart() {
      await temp.reopen();
      transitions = openTransitions();
    },
    openTransitions,
    run: () => transitions.run(),
    kinds: () => events.map(({ kind }) => kind),
    log: (): Promise<LogEntry[]> => temp.store.readLog(0, 1000),
    /** Changes rows behind the store's back. */
    sql: (sql: string) => temp.store.commit(BATON, [], [{ sql, params: [] }]),
    /** Follow-ups by step, without escalations of earlier episodes. */
    async followUps(): Promise<Record<string, Task>> {
      const tasks = await all('Task');
      return Object.fromEntries(tasks.map((task) => [task.identifier?.[0]?.value?.split('|')[1] ?? '', task]));
    },
    async episodes(): Promise<EpisodeOfCare[]> {
      return all('EpisodeOfCare');
    },
    async complete(step: string): Promise<void> {
      const task = (await this.followUps())[step];
      // Nobody completes what has ended.
      if (task && !isTerminal(task.status)) await put({ ...task, status: 'completed' });
    },
  };
}

export function patient(changes: Partial<Patient> = {}): Patient {
  return { resourceType: 'Patient', id: 'ann', name: [{ family: 'Sample', given: ['Ann'] }], ...changes };
}

export function heartFailure(): Condition {
  return {
    resourceType: 'Condition',
    id: 'failure',
    subject: { reference: 'Patient/ann' },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'I50.9' }] },
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
    },
  };
}

/** In since Sunday 15 November, by emergency. */
export function admitted(changes: Partial<Encounter> = {}): Encounter {
  return {
    resourceType: 'Encounter',
    id: 'stay',
    status: 'in-progress',
    class: { system: ACT_CODE, code: 'IMP', display: 'inpatient encounter' },
    type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0007', code: 'E' }], text: 'Emergency' }],
    subject: { reference: 'Patient/ann' },
    serviceProvider: { reference: 'Organization/river' },
    diagnosis: [{ condition: { reference: 'Condition/failure' } }],
    period: { start: '2026-11-15T08:00:00-05:00' },
    ...changes,
  };
}

/** Home on Friday 20 November: LACE 4 + 3 + 2 + 0 = 9, so lower risk; ten nights make 10, high risk. */
export function discharged(changes: Partial<Encounter> = {}, disposition = '01'): Encounter {
  const stay = admitted(changes);
  return {
    ...stay,
    status: 'finished',
    period: { start: '2026-11-15T08:00:00-05:00', end: DISCHARGED, ...changes.period },
    hospitalization: { dischargeDisposition: { coding: [{ system: NUBC, code: disposition }] } },
  };
}

/** Ten nights: LACE 5 + 3 + 2 = 10, high risk. */
export const HIGH_RISK = { period: { start: '2026-11-10T08:00:00-05:00', end: DISCHARGED } };

/** Tells of encounters at a moment, and lets Baton react. */
export async function tell(hospital: Hospital, at: string, encounters: readonly Encounter[]): Promise<void> {
  hospital.at(at);
  for (const encounter of encounters) await hospital.put(encounter);
  await hospital.run();
}

/** Of each stay's last transition: its status, and why it was withdrawn. */
export async function outcomeOf(hospital: Hospital): Promise<Record<string, string>> {
  const episodes = (await hospital.episodes()).toSorted(
    (a, b) => Number(a.status === 'active') - Number(b.status === 'active'),
  );
  return Object.fromEntries(
    episodes.map((episode) => [encounterOfEpisode(episode), withdrawnBecause(episode) ?? episode.status]),
  );
}
