// `kill -9` of the running program in the middle of FHIR transactions: each is there whole or not at all, and what was
// answered is there. Where the search finds a resource, its read does, too. A subscriber is told of every one, numbered without gaps.
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DayPlace, newDayPlace } from '../acceptance/sandbox-day.ts';
import { type RunningProgram, runProgram } from './running-program.ts';
import { type Subscriber, startSubscriber } from './subscriber.ts';

const ROUNDS = 2;
const CLIENTS = 6;
const ENTRIES = 20;
/** Identifies what one transaction wrote. */
const SYSTEM = 'urn:transaction';

let place: DayPlace;
let program: RunningProgram | undefined;
let subscriber: Subscriber | undefined;

beforeEach(async () => {
  place = await newDayPlace();
  subscriber = await startSubscriber(place.folder);
});
afterEach(async () => {
  await program?.kill();
  await subscriber?.close();
  await place.remove();
});

async function start(): Promise<void> {
  program = await runProgram(place.folder, place.port, subscriber?.settings);
}

async function request(path: string, body?: Resource): Promise<{ status: number; json: Bundle }> {
  const response = await fetch(`http://127.0.0.1:${place.port}/fhir/R4${path}`, {
    ...(body
      ? { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/fhir+json' } }
      : {}),
  });
  return { status: response.status, json: (await response.json()) as Bundle };
}

const LAST = { coding: [{ code: 'last' }] };

/** A patient and tasks that refer to it, and a task that every transaction changes. */
function transaction(name: string): Bundle {
  const patient = 'urn:uuid:00000000-0000-4000-8000-000000000001';
  const tasks = Array.from({ length: ENTRIES - 2 }, () => ({
    resource: {
      resourceType: 'Task' as const,
      status: 'requested' as const,
      intent: 'order' as const,
      identifier: [{ system: SYSTEM, value: name }],
      for: { reference: patient },
    },
    request: { method: 'POST' as const, url: 'Task' },
  }));
  const identifier = [{ system: SYSTEM, value: name }];
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: patient,
        resource: { resourceType: 'Patient', identifier },
        request: { method: 'POST', url: 'Patient' },
      },
      ...tasks,
      {
        resource: { resourceType: 'Task', id: 'last', status: 'requested', intent: 'order', identifier, code: LAST },
        request: { method: 'PUT', url: 'Task/last' },
      },
    ],
  };
}

/** Sends one transaction after the other until the program is gone. */
async function client(name: string, sent: string[], onAnswer: (name: string) => void): Promise<void> {
  for (let n = 0; ; n++) {
    const one = `${name}-${n}`;
    sent.push(one);
    try {
      const { status } = await request('', transaction(one));
      expect(status).toBe(200);
      onAnswer(one);
    } catch (error) {
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

test('a transaction is all or nothing, and an answer is a promise', async () => {
  const [sent, answered]: [string[], string[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    await start();
    if (round === 0) {
      expect((await request('/Subscription', subscriber?.subscription('Task?code=last'))).status).toBe(201);
      await subscriber?.heard(({ type }) => type === 'handshake');
    }
    const enough = answered.length + 5 + 17 * round;
    const onAnswer = (name: string) => {
      if (answered.push(name) === enough) program?.strike();
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(`${round}-${n}`, sent, onAnswer)));
    await program?.kill();
  }
  await start();
  const whole = await Promise.all(sent.map(isWhole));
  expect(whole.filter((each) => each === 'partly')).toEqual([]);
  const lost = answered.filter((name) => whole[sent.indexOf(name)] !== 'whole');
  expect(lost).toEqual([]);
  const versions = await request('/Task/last/_history?_count=1');
  const events = whole.filter((each) => each === 'whole').length;
  expect(versions.json.total).toBe(events);
  await subscriber?.heard(({ numbers }) => numbers.at(-1) === events);
  expect(subscriber?.numbers()).toEqual(Array.from({ length: events }, (_, n) => n + 1));
}, 120_000);

async function isWhole(name: string): Promise<'whole' | 'nothing' | 'partly'> {
  const search = `identifier=${SYSTEM}|${name}&_count=100`;
  const { json: patients } = await request(`/Patient?${search}`);
  const { json: tasks } = await request(`/Task?${search}&_id:not=last`);
  const [patient] = patients.entry ?? [];
  const ofPatient = patient ? await request(`/Task?patient=${patient.resource?.id}&_summary=count`) : undefined;
  if (patients.total === 0 && tasks.total === 0) return 'nothing';
  const counts = [patients.total, tasks.total, ofPatient?.json.total];
  return counts.join() === [1, ENTRIES - 2, ENTRIES - 2].join() ? 'whole' : 'partly';
}
