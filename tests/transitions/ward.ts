// A ward of a hospital whose patients are told of over MLLP: one patient for every test, on a clock that the test sets.
import type { EpisodeOfCare, Patient, Resource, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { connectMllp } from '../../src/intake/mllp/client.ts';
import { startMllpServer } from '../../src/intake/mllp/server.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { edited, fieldsOf, fixture } from '../intake/fixture.ts';
import { testParameters } from '../support/store-rules.ts';
import { openHospital } from './hospital.ts';

const FACILITIES = [
  { code: 'HARBOR', name: 'Harbor', zone: 'America/New_York', calendar: 'us-federal' },
  { code: '*', name: 'Elsewhere', zone: 'UTC', calendar: 'us-federal' },
];
const TEMPLATE = fixture('a03-discharge');
const AUTHORITY = 'HARBOR&2.16.840.1.113883.19.4.1&ISO';

/** What a message says; local times of the hospital, `20260904140000`. */
export interface Said {
  readonly visit?: string;
  readonly start?: string;
  readonly end?: string;
  readonly disposition?: string;
  readonly recorded?: string;
  /** EVN-6. */
  readonly occurred?: string;
  /** PV1-2. */
  readonly patientClass?: string;
  readonly controlId?: string;
}

/** A transition in short: status, why it ended or never began, and its protocol. */
export interface Seen {
  readonly status: EpisodeOfCare['status'];
  readonly reason?: string;
  readonly protocol?: string;
}

export type Ward = Awaited<ReturnType<typeof openWard>>;

export async function openWard() {
  const hospital = await openHospital(undefined, { shipped: true });
  const transitions = hospital.openTransitions({ facilities: FACILITIES });
  const log = pino({ level: 'silent' });
  const intake = createIntake({
    store: hospital.store,
    clock: hospital.temp.clock,
    facilities: FACILITIES,
    parameters: testParameters,
    log,
  });
  const mllp = await startMllpServer({
    host: '127.0.0.1',
    port: 0,
    receive: (raw) => intake.receive(raw, 'mllp'),
    refuseTooLong: intake.refuseTooLong,
    log,
  });
  const sender = await connectMllp({ host: '127.0.0.1', port: mllp.port });
  let [patients, messages] = [0, 0];

  return {
    /** The next patient. */
    admitPatient() {
      patients += 1;
      const mrn = `W${patients}`;
      const mine = async () => {
        const [patient] = await hospital.all('Patient', { identifier: `urn:oid:2.16.840.1.113883.19.4.1|${mrn}` });
        return `Patient/${(patient as Patient | undefined)?.id}`;
      };
      return {
        /** MSA-1 of the answer. Whatever is told is reacted to before the next thing happens. */
        async say(trigger: string, said: Said = {}): Promise<string | undefined> {
          messages += 1;
          const { visit = 'A', start = '', end = '', occurred = '', disposition = '', patientClass = 'I' } = said;
          const recorded = said.recorded ?? (end || start);
          const message = edited(TEMPLATE, {
            'MSH-7': recorded,
            'MSH-9': `ADT^${trigger}`,
            'MSH-10': said.controlId ?? `W${messages}`,
            'EVN-1': trigger,
            'EVN-2': recorded,
            'EVN-6': occurred,
            'PID-3': `${mrn}^^^${AUTHORITY}^MR`,
            'PID-18': '',
            'PV1-2': patientClass,
            'PV1-19': `${mrn}${visit}^^^${AUTHORITY}^VN`,
            'PV1-36': disposition,
            'PV1-44': start,
            'PV1-45': end,
            'PV1-50': '',
          });
          const answer = await sender.send(message);
          await transitions.run();
          return fieldsOf(answer, 'MSA')[1];
        },
        async put(resource: Resource): Promise<void> {
          await hospital.put(resource);
          await transitions.run();
        },
        reference: mine,
        /** Oldest first, by when they were discharged. */
        async transitions(): Promise<Seen[]> {
          const episodes = await hospital.all('EpisodeOfCare', { patient: await mine() });
          const plans = await hospital.all('CarePlan', { patient: await mine() });
          const ordered = episodes.toSorted((a, b) => ((a.period?.start ?? '') < (b.period?.start ?? '') ? -1 : 1));
          return ordered.map(({ id, status, extension }) => {
            const reason = extension?.findLast(({ url }) => url.endsWith('transition-reason'))?.valueCodeableConcept;
            const plan = plans.find(({ identifier }) => identifier?.some(({ value }) => value === id));
            const protocol = plan?.instantiatesCanonical?.[0]?.split('|')[0]?.split('/').at(-1);
            const code = reason?.coding?.[0]?.code;
            return { status, ...(code ? { reason: code } : {}), ...(protocol ? { protocol } : {}) };
          });
        },
        /** Open follow-ups by step. */
        async open(): Promise<Record<string, Task>> {
          const status = 'draft,requested,received,accepted,ready,in-progress,on-hold';
          const tasks = await hospital.all('Task', { patient: await mine(), status });
          return Object.fromEntries(tasks.map((task) => [task.identifier?.[0]?.value?.split('|')[1] ?? '', task]));
        },
        all: hospital.all,
      };
    },
    at: hospital.at,
    sweep: () => transitions.tick(),
    async close(): Promise<void> {
      sender.close();
      await mllp.close();
      await hospital.temp.cleanup();
    },
  };
}
