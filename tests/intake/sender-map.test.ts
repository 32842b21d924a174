// What a sender says in segments of its own, by its map: the example of docs/intake.md, over MLLP.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Encounter, Observation, Patient } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectMllp, type MllpClient } from '../../src/intake/mllp/client.ts';
import { type MllpServer, startMllpServer } from '../../src/intake/mllp/server.ts';
import { createIntake, type Intake } from '../../src/intake/receive.ts';
import { readSender, readSenders } from '../../src/intake/sender.ts';
import { readSenderMap } from '../../src/intake/sender-map/sender-map.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { edited, FACILITIES, fieldsOf, fixture } from './fixture.ts';

const EXAMPLES = join(import.meta.dirname, '../../docs/examples/senders');
const A08 = fixture('a08-update');
const log = pino({ level: 'silent' });

let temp: TempStore;
let intake: Intake;
let server: MllpServer;
let client: MllpClient;
beforeAll(async () => {
  temp = await openTempStore({ memory: true });
  const parts = { store: temp.store, clock: temp.clock, facilities: FACILITIES, parameters: testParameters, log };
  intake = createIntake({ ...parts, senders: readSenders(EXAMPLES, []) });
  server = await startMllpServer({
    ...{ host: '127.0.0.1', port: 0, log },
    receive: (raw) => intake.receive(raw, 'mllp'),
    refuseTooLong: intake.refuseTooLong,
  });
  client = await connectMllp({ host: '127.0.0.1', port: server.port });
});
afterAll(async () => {
  client.close();
  await server.close();
  await temp.cleanup();
});

const message = (own: readonly string[], fields: Record<string, string> = {}) =>
  `${edited(A08, { 'MSH-4': 'WESTPORT', ...fields })}${own.map((line) => `${line}\r`).join('')}`;
const send = async (text: string) => {
  const ack = await client.send(text);
  return { code: fieldsOf(ack, 'MSA')[1], error: fieldsOf(ack, 'ERR') };
};
const find = async <T>(query: string) => (await temp.store.find(query)).map(({ content }) => JSON.parse(content) as T);
const observations = () => find<Observation>('Observation?code=lives-with');

it('changes the patient and the visit, and makes what it names, once', async () => {
  const own = ['ZPI|Y', 'ZVI|wheelchair~oxygen', 'ZLS|17|A|202611201530', 'ZLS|18|C'];
  expect(await send(message(own))).toMatchObject({ code: 'AA' });
  expect(await send(message(own, { 'MSH-10': 'HB2' }))).toMatchObject({ code: 'AA' });
  const [patient] = await find<Patient & { id: string }>('Patient');
  const interpreter = patient?.extension?.find(({ url }) => url.endsWith('patient-interpreterRequired'));
  expect(interpreter?.valueBoolean).toBe(true);
  const [visit] = await find<Encounter & { id: string }>('Encounter');
  expect(visit?.hospitalization?.specialArrangement).toEqual([{ text: 'wheelchair' }, { text: 'oxygen' }]);
  const [first, second, ...others] = await observations();
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    meta: { versionId: '1' },
    status: 'final',
    subject: { reference: `Patient/${patient?.id}` },
    encounter: { reference: `Encounter/${visit?.id}` },
    effectiveDateTime: '2026-11-20T15:30:00-06:00',
    valueCodeableConcept: { text: 'A', coding: [{ code: 'alone' }] },
  });
  expect(second?.valueCodeableConcept?.text).toBe('C');
});

it('does not need the segments, nor a visit', async () => {
  expect((await send(message([], { 'MSH-10': 'HB3' }))).code).toBe('AA');
  const person = { 'MSH-9': 'ADT^A31', 'EVN-1': 'A31', 'PID-3': '99^^^WEST^MR', 'MSH-10': 'HB4' };
  expect((await send(message(['ZPI|N', 'ZVI|bed', 'ZLS|20|F'], person))).code).toBe('AA');
  const told = (await observations()).find(({ identifier }) => identifier?.[0]?.value === '20');
  expect([told?.subject?.reference, told?.encounter]).toEqual([expect.stringMatching(/^Patient\//), undefined]);
});

it('moves nothing from one patient to another', async () => {
  const before = await observations();
  const other = { 'MSH-9': 'ADT^A31', 'EVN-1': 'A31', 'PID-3': '98^^^WEST^MR', 'MSH-10': 'HB6' };
  const { code, error } = await send(message(['ZLS|17|F'], other));
  expect([code, error[3]?.slice(0, 3), error[8]]).toEqual(['AE', '205', expect.stringContaining("another patient's")]);
  expect(await observations()).toEqual(before);
});

it('refuses what it cannot map, without its words, and takes it in again when it is corrected', async () => {
  const wrong = message(['ZLS|secret|A'], { 'MSH-10': 'HB5' });
  const { code, error } = await send(wrong);
  expect([code, error[3]?.slice(0, 3), error[8]]).toEqual(['AE', '207', expect.stringContaining('westport.map')]);
  expect(error.join('|')).not.toContain('secret');
  const key = 'WARDADT|WESTPORT|HB5';
  const [kept] = await temp.store.query('SELECT body, outcome FROM delivery WHERE key = ?', [key]);
  expect([Buffer.from(kept?.body as Uint8Array).toString(), kept?.outcome]).toEqual([wrong, 'AE']);
  const corrected = wrong.replace('secret', '21');
  const again = await intake.again(
    { key, body: Buffer.from(wrong) },
    { corrected, by: 'Practitioner/1', dryRun: false },
  );
  expect(again.code).toBe('AA');
  expect((await observations()).some(({ identifier }) => identifier?.[0]?.value === '21')).toBe(true);
});

const TEXT = readFileSync(join(EXAMPLES, 'westport.map'), 'utf8');
const lineWith = (part: string) => TEXT.slice(0, TEXT.indexOf(part)).split('\n').length;
it.each([
  ['a word that is none', "create('Observation')", "crate('Observation')", 'there is no crate'],
  ['a type that is none', "create('Observation')", "create('Observaton')", 'is no type of FHIR'],
  ['a table that is none', "'#homes'", "'#houses'", 'neither in the map nor'],
  ['a group that is none', 'then visit(', 'then visits(', 'there is no group visits'],
  ['a target that is none', 'target made : Bundle', 'target made : Observation', 'and then targets of type'],
  ['no mapping language', 'group person(source', 'group person source', 'no FHIR Mapping Language'],
])('%s is refused at load with file and line', (_what, right, wrong, sentence) => {
  const read = () => readSenderMap(TEXT.replace(right, wrong), 'site.map', []);
  expect(read).toThrow(sentence);
  expect(read).toThrow(`profiles/senders/site.map, line ${lineWith(right)}`);
});

it('a map that ends early, and one that is not there, are refused at load', () => {
  const text = TEXT.slice(0, TEXT.lastIndexOf('}'));
  expect(() => readSenderMap(text, 'site.map', [])).toThrow(`line ${text.trimEnd().split('\n').length}: the map ends`);
  for (const map of ['none.map', '../senders/westport.map', 'westport.json'])
    expect(() => readSender({ facility: 'X', map }, [], 'site.json', EXAMPLES)).toThrow('names no .map file');
});
