// `kill -9` in the middle of commands, and two processes on one file: a command that is sent again under its key gives the
// answer that it gave, is carried out once, and nothing of it is half done.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DayPlace, newDayPlace } from '../acceptance/sandbox-day.ts';
import { type RunningProgram, runProgram } from './running-program.ts';

const CLIENTS = 3;
const EACH = 4;

let place: DayPlace;
let other: DayPlace;
const programs: RunningProgram[] = [];

beforeEach(async () => {
  [place, other] = await Promise.all([newDayPlace(), newDayPlace()]);
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.kill();
  await Promise.all([place.remove(), other.remove()]);
});

async function start(port: number): Promise<RunningProgram> {
  const program = await runProgram(place.folder, port);
  programs.push(program);
  return program;
}

interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly json: Record<string, unknown>;
}

async function send(port: number, method: string, path: string, body?: object, key?: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
    headers: {
      ...(body ? { 'content-type': path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json' } : {}),
      ...(key ? { 'idempotency-key': key } : {}),
    },
  });
  const replayed = response.headers.get('idempotency-replayed') === 'true';
  return { status: response.status, replayed, json: (await response.json()) as Record<string, unknown> };
}

const PATHWAY = {
  ...{ resourceType: 'PlanDefinition', id: 'ten', url: 'urn:test:ten', status: 'active', title: 'Ten' },
  action: Array.from({ length: 10 }, (_, at) => ({ id: `step-${at}`, title: `Step ${at}` })),
};

/** Opens a case on a pathway: more than a dozen resources. */
const open = (port: number, key: string) => {
  const body = { patient: { reference: 'Patient/p' }, programme: { text: key }, pathway: { pathway: PATHWAY.url } };
  return send(port, 'POST', '/api/v1/cases', body, key);
};

const total = async (query: string) => (await send(place.port, 'GET', `/fhir/R4/${query}&_summary=count`)).json.total;

test('a command that is sent again is carried out once, and whole', { timeout: 120_000 }, async () => {
  const first = await start(place.port);
  const patient = { resourceType: 'Patient', id: 'p', name: [{ family: 'Example' }], birthDate: '1950-01-01' };
  expect((await send(place.port, 'PUT', '/fhir/R4/Patient/p', patient)).status).toBe(201);
  expect((await send(place.port, 'PUT', '/fhir/R4/PlanDefinition/ten', PATHWAY)).status).toBe(201);
  const answers = new Map<string, unknown>();
  const keys = Array.from({ length: CLIENTS }, (_, c) => Array.from({ length: EACH }, (_, n) => `key-${c}-${n}`));
  await Promise.all(
    keys.map(async (own) => {
      for (const key of own) {
        try {
          const { status, json } = await open(place.port, key);
          expect(status, JSON.stringify(json)).toBe(201);
          answers.set(key, json.id);
          if (answers.size === CLIENTS + 2) first.strike();
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
        }
      }
    }),
  );
  await first.kill();
  expect(answers.size).toBeLessThan(CLIENTS * EACH);

  // Two processes on the file, both asked for the same at the same time.
  await start(place.port);
  await start(other.port);
  for (const key of keys.flat()) {
    const [one, two] = await Promise.all([open(place.port, key), open(other.port, key)]);
    expect([one.status, two.status], JSON.stringify([one.json, two.json])).toEqual([201, 201]);
    expect(two.json.id).toBe(one.json.id);
    if (answers.has(key)) expect([one.json.id, one.replayed, two.replayed]).toEqual([answers.get(key), true, true]);
    answers.set(key, one.json.id);
  }
  expect(new Set(answers.values()).size).toBe(CLIENTS * EACH);
  expect(await total('EpisodeOfCare?patient=p')).toBe(CLIENTS * EACH);
  expect(await total('CareTeam?patient=p')).toBe(CLIENTS * EACH);
  expect(await total('CarePlan?patient=p')).toBe(CLIENTS * EACH);
  const parts = await Promise.all(
    [...answers.values()].map(async (id) => {
      const plan = await send(place.port, 'GET', `/fhir/R4/CarePlan?identifier=urn:baton:case-plan|${id}`);
      const [entry] = plan.json.entry as { resource: { id: string; activity: unknown[]; goal: unknown[] } }[];
      const { id: planId = '', activity = [], goal = [] } = entry?.resource ?? {};
      const tasks = await total(`Task?based-on=CarePlan/${planId}`);
      return [activity.length, goal.length, tasks].join();
    }),
  );
  expect(new Set(parts).size).toBe(1);
});
