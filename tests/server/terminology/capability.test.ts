// GET /metadata?mode=terminology says what terminology is there, and what it says is so.
// https://hl7.org/fhir/R4/terminologycapabilities.html
import type { TerminologyCapabilities } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';
import { valuesOf } from './animals.ts';

let baton: TestServer;
let statement: TerminologyCapabilities;

beforeAll(async () => {
  baton = await serve();
  statement = JSON.parse((await baton.fhir('GET', '/metadata?mode=terminology', { as: '' })).text);
});

afterAll(() => baton.close());

it('is a valid TerminologyCapabilities', async () => {
  expect((await baton.fhir('POST', '/TerminologyCapabilities', { body: statement })).status).toBe(201);
});

it('names code systems that answer, and none that are empty', async () => {
  const systems = statement.codeSystem ?? [];
  expect(systems.length).toBeGreaterThan(1_000);
  expect(new Set(systems.map(({ uri }) => uri)).size).toBe(systems.length);
  expect(systems.map(({ uri }) => uri)).not.toContain('http://snomed.info/sct');
  for (const { uri } of systems.filter((_system, i) => i % 100 === 0)) {
    const answer = await baton.fhir('GET', `/CodeSystem/$validate-code?url=${uri}&code=no-such-code`);
    expect([uri, answer.status === 200 ? valuesOf(answer).result : answer.json.issue?.[0]?.code]).toEqual([uri, false]);
  }
});

it('names the parameters of $expand that are taken', async () => {
  const names = statement.expansion?.parameter?.map(({ name }) => name) ?? [];
  expect(names).toEqual(expect.arrayContaining(['url', 'filter', 'offset', 'count', 'system-version']));
  expect(names).not.toContain('context');
});

it('another mode is refused', async () => {
  expect((await baton.fhir('GET', '/metadata?mode=normative', { as: '' })).status).toBe(400);
});
