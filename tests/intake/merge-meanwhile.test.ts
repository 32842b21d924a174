// What is written about a patient while a message that closes their record is being taken in.
// docs/patient-matching.md
import type { Appointment, Encounter, Patient, Task } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIntake, type Intake } from '../../src/intake/receive.ts';
import { NURSE } from '../support/store-fixtures.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { bytes, edited, FACILITIES, fixture } from './fixture.ts';

const A01 = fixture('a01-admit');
const header = ['MSH', 'EVN', 'PID'].map((name) => A01.split('\r').find((line) => line.startsWith(name)));
const A40 = `${header.join('\r')}\rMRG|OLD^^^HARBOR^MR\r`;

let temp: TempStore;
let intake: Intake;
/** Done before the next commit of a message. */
let next: (() => Promise<unknown>) | undefined;
beforeAll(async () => {
  temp = await openTempStore({ memory: true });
  const { commit } = temp.store;
  const store = {
    ...temp.store,
    commit: async (...given: Parameters<typeof commit>) => {
      const write = next;
      next = undefined;
      await write?.();
      return commit(...given);
    },
  };
  const log = pino({ level: 'silent' });
  intake = createIntake({ store, clock: temp.clock, facilities: FACILITIES, parameters: testParameters, log });
});
afterAll(() => temp.cleanup());

async function send(event: string, number: string, minute: number, from: string): Promise<void> {
  const time = `2026112010${String(minute).padStart(2, '0')}00`;
  const told = { 'MSH-9': `ADT^${event}`, 'MSH-10': `${event}-${minute}`, 'EVN-2': time, 'EVN-6': time, 'PV1-44': '' };
  const own = { 'PID-3': `${number}^^^HARBOR^MR` };
  const { code, ack } = await intake.receive(bytes(edited(from, { ...told, ...own })), 'mllp');
  if (code !== 'AA') throw new Error(ack);
}

async function found<R>(query: string): Promise<R[]> {
  return (await temp.store.find(query)).map(({ content }) => JSON.parse(content) as R);
}

it('a task that a nurse writes at that moment goes to the record that stays', async () => {
  await send('A01', 'OLD', 1, A01);
  await send('A28', 'NEW', 2, A40.replace(/MRG.*\r/, ''));
  const [closed] = await found<Patient>('Patient?identifier=OLD');
  const [stays] = await found<Patient>('Patient?identifier=NEW');
  const subject = { reference: `Patient/${closed?.id}` };
  const resource: Task = { resourceType: 'Task', id: 'late', status: 'requested', intent: 'order', for: subject };
  next = () => temp.store.commit(NURSE, [{ op: 'update', resource: resource as Task & { id: string } }]);
  await send('A40', 'NEW', 5, A40);
  expect(next).toBeUndefined();
  const [task] = await found<Task>('Task?_id=late');
  expect(task?.for?.reference).toBe(`Patient/${stays?.id}`);
  expect((await found<Encounter>(`Encounter?patient=Patient/${stays?.id}`)).length).toBe(1);
});

it('what names two records that one message closes goes to the record that stays, once each', async () => {
  for (const [minute, number] of ['ONE', 'TWO', 'STAYS'].entries()) {
    await send('A28', number, 10 + minute, A40.replace(/MRG.*\r/, ''));
  }
  const idOf = async (number: string) => (await found<Patient>(`Patient?identifier=${number}`))[0]?.id;
  const [one, two, stays] = [await idOf('ONE'), await idOf('TWO'), await idOf('STAYS')];
  const participant = [one, two].map((id) => ({ actor: { reference: `Patient/${id}` }, status: 'accepted' as const }));
  const resource: Appointment = { resourceType: 'Appointment', id: 'both', status: 'proposed', participant };
  await temp.store.commit(NURSE, [{ op: 'update', resource: resource as Appointment & { id: string } }]);
  await send('A40', 'STAYS', 20, A40.replace('OLD^^^HARBOR^MR', 'ONE^^^HARBOR^MR~TWO^^^HARBOR^MR'));
  const [appointment] = await found<Appointment>('Appointment?_id=both');
  const actors = appointment?.participant.map(({ actor }) => actor?.reference);
  expect(actors).toEqual([`Patient/${stays}`, `Patient/${stays}`]);
});
