// A care plan in words: what a reader finds in it, in text and PDF, whatever the plan holds.
import type { CarePlan, CareTeam, Condition, Goal, Patient, Practitioner, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentHash, INCOMPLETE } from '../../src/fhir/care-plan-document/document.ts';
import { planPdf } from '../../src/fhir/care-plan-document/pdf.ts';
import { plainText } from '../../src/fhir/care-plan-document/plain-text.ts';
import { planDocument } from '../../src/fhir/care-plan-document/plan-document.ts';
import { printable } from '../../src/fhir/care-plan-document/printable.ts';
import { type PlanRecord, printedReferences } from '../../src/fhir/care-plan-document/record.ts';
import { pdfText } from '../support/pdf-text.ts';

const meta = { versionId: '3', lastUpdated: '2026-11-24T12:00:00.000Z' };
const subject = { reference: 'Patient/p1' };

const PATIENT: Patient = {
  resourceType: 'Patient',
  id: 'p1',
  meta,
  name: [{ given: ['Ana'], family: 'Rivera' }],
  birthDate: '1950-02-01',
  identifier: [
    { type: { text: 'MRN' }, system: 'urn:hospital', value: '4711' },
    { system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-99-9999' },
  ],
};
const GOAL: Goal = {
  resourceType: 'Goal',
  id: 'g1',
  meta,
  subject,
  lifecycleStatus: 'active',
  description: { text: 'Walk without help' },
  achievementStatus: { text: 'improving' },
  target: [
    { measure: { text: 'Distance' }, detailQuantity: { value: 100, unit: 'm' }, dueDate: '2026-12-24' },
    { measure: { text: 'Pain' }, detailRange: { low: { value: 0 }, high: { value: 3 } } },
  ],
};
const CONDITION: Condition = {
  resourceType: 'Condition',
  id: 'k1',
  meta,
  subject,
  code: { text: 'Heart failure' },
  clinicalStatus: { coding: [{ code: 'active' }] },
  onsetDateTime: '2026-11-01T08:00:00-05:00',
};
const DOCTOR: Practitioner = {
  resourceType: 'Practitioner',
  id: 'd1',
  meta,
  name: [{ prefix: ['Dr.'], family: 'Okafor' }],
  telecom: [{ system: 'phone', value: '555 0100' }],
};
const TEAM: CareTeam = {
  resourceType: 'CareTeam',
  id: 'team',
  meta,
  participant: [{ member: { reference: 'Practitioner/d1' }, role: [{ text: 'Physician' }] }],
};
const PLAN: CarePlan & { id: string } = {
  resourceType: 'CarePlan',
  id: 'c1',
  meta,
  status: 'active',
  intent: 'plan',
  title: 'Transition home',
  subject,
  period: { start: '2026-11-24', end: '2026-12-23' },
  category: [{ text: 'Outpatient care plan' }],
  addresses: [{ reference: 'Condition/k1' }],
  goal: [{ reference: 'Goal/g1' }],
  careTeam: [{ reference: 'CareTeam/team' }],
  activity: [
    { detail: { status: 'scheduled', code: { text: 'Weigh daily' }, scheduledString: 'every morning' } },
    { reference: { display: 'Call the cardiologist' } },
    { reference: { reference: 'Task/kept', display: 'Kept back' } },
  ],
  note: [{ text: 'Lives alone.\nGOALS\n1. Not a goal', time: '2026-11-24T12:00:00Z' }],
};

function recordOf(focus: PlanRecord['focus'] = PLAN, isComplete = true): PlanRecord {
  const parts: Resource[] = [PATIENT, GOAL, CONDITION, DOCTOR, TEAM];
  return { focus, isComplete, resources: new Map(parts.map((one) => [`${one.resourceType}/${one.id}`, one])) };
}

test('the text has everything a clinician needs, laid out in lines that fit', () => {
  const text = plainText(planDocument(recordOf()));
  expect(text).toMatchInlineSnapshot(`
    "Care plan: Transition home
    ==========================

    Patient: Ana Rivera
    Born on: 1950-02-01
    Identifiers: MRN 4711
    Status: active
    Intent: plan
    Period: 2026-11-24 to 2026-12-23
    Category: Outpatient care plan

    PROBLEMS AND CONCERNS
    ---------------------
    1. Heart failure
       Status: active
       Since: 2026-11-01 08:00 UTC-05:00

    GOALS
    -----
    1. Walk without help
       Status: active
       Achievement: improving
       Target: Distance 100 m
       Due: 2026-12-24
       Target: Pain 0 to 3

    ACTIVITIES
    ----------
    1. Weigh daily
       Status: scheduled
       When: every morning
    2. Call the cardiologist

    CARE TEAM
    ---------
    1. Dr. Okafor
       Role: Physician
       Contact: phone 555 0100

    NOTES
    -----
    1. 2026-11-24 12:00 UTC: Lives alone. GOALS 1. Not a goal

    As of 2026-11-24 12:00 UTC. Made by Baton from CarePlan/c1 version 3,
    CareTeam/team version 3, Condition/k1 version 3, Goal/g1 version 3, Patient/p1
    version 3, Practitioner/d1 version 3.
    "
  `);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(78);
});

test('what may not be shown is not there, not even the words of the reference', () => {
  const text = plainText(planDocument(recordOf(PLAN, false)));
  expect(text).not.toContain('Kept back');
  expect(text.replaceAll('\n', ' ')).toContain(INCOMPLETE);
});

test('social security numbers are not printed, and no note can pass for a heading', () => {
  const text = plainText(planDocument(recordOf()));
  expect(text).not.toContain('999-99-9999');
  expect(text.match(/^GOALS$/gm)).toHaveLength(1);
});

test('the PDF says the same, in the order of the text', async () => {
  const shown = pdfText(await planPdf(planDocument(recordOf())));
  for (const part of [
    'Care plan: Transition home',
    'Ana Rivera',
    'Goals',
    'Distance 100 m',
    'Dr. Okafor',
    'page 1 of 1',
  ])
    expect(shown).toContain(part);
});

test('the PDF has language, title, tags and dates of the plan', async () => {
  const text = Buffer.from(await planPdf(planDocument(recordOf()), false)).toString('latin1');
  for (const part of ['/Lang (en-US)', '/Marked true', '/S /H1', '/S /H2', '(Care plan: Transition home)'])
    expect(text).toContain(part);
  expect(text).toContain('(D:20261124120000Z)');
});

test('letters that the fonts lack lose their accent or become codes, and the PDF says so', async () => {
  expect(printable('Łukasz Nguyễn “é” €').text).toBe('Lukasz Nguyen “é” €');
  expect(printable('Жан 李').text).toBe('[U+0416][U+0430][U+043D] [U+674E]');
  expect(printable('Zoë').isChanged).toBe(false);
  const name = [{ given: ['Łukasz'], family: 'Nguyễn' }];
  const record = recordOf();
  const document = planDocument({
    ...record,
    resources: new Map([...record.resources, ['Patient/p1', { ...PATIENT, name }]]),
  });
  expect(plainText(document)).toContain('Łukasz Nguyễn');
  const shown = pdfText(await planPdf(document));
  expect(shown).toContain('Lukasz Nguyen');
  expect(shown).toContain('Some characters cannot be printed here');
});

test('another version with the same words is the same content', () => {
  const again = planDocument(recordOf({ ...PLAN, meta: { versionId: '9', lastUpdated: '2026-11-30T00:00:00Z' } }));
  expect(contentHash(again)).toBe(contentHash(planDocument(recordOf())));
  const edited = planDocument(recordOf({ ...PLAN, title: 'Other' }));
  expect(contentHash(edited)).not.toBe(contentHash(again));
});

test('what leads to a printed element is collected', () => {
  expect(printedReferences(PLAN).sort()).toEqual(
    ['CareTeam/team', 'Condition/k1', 'Goal/g1', 'Patient/p1', 'Task/kept'].sort(),
  );
});

const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', ' ', '\u202Eevil', 'a'.repeat(500), 'Ünïcödé', '🩺'.repeat(30)),
);
const concept = fc.record({ text: words }, { requiredKeys: [] });
const plans = fc.record(
  {
    title: words,
    description: words,
    category: fc.array(concept, { maxLength: 3 }),
    note: fc.array(fc.record({ text: words }), { maxLength: 30 }),
    activity: fc.array(
      fc.oneof(
        fc.record({
          detail: fc.record({ code: concept, description: words, scheduledString: words }, { requiredKeys: [] }),
        }),
        fc.record({ reference: fc.record({ display: words }) }),
        fc.record({
          reference: fc.constantFrom(...['Goal/g1', 'Task/none', '#x', 'urn:a'].map((reference) => ({ reference }))),
        }),
      ),
      { maxLength: 30 },
    ),
    goal: fc.array(fc.constantFrom({ reference: 'Goal/g1' }, { display: 'A wish' }), { maxLength: 10 }),
  },
  { requiredKeys: [] },
);

test('any plan becomes text that fits and a PDF, the same each time', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (fields) => {
      const focus = { ...PLAN, ...fields } as CarePlan & { id: string };
      const document = planDocument(recordOf(focus));
      const text = plainText(document);
      expect(text).toBe(plainText(planDocument(structuredClone(recordOf(focus)))));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/u);
      for (const line of text.split('\n')) expect(line.length <= 78 || !/\S \S/.test(line.trim().slice(10))).toBe(true);
      const first = await planPdf(document);
      expect(Buffer.from(first).equals(await planPdf(document))).toBe(true);
    }),
    { numRuns: 60 },
  );
}, 60_000);
