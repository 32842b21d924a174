// Responses taken apart: what is extracted is valid FHIR, says where it comes from, and holds together.
import { join } from 'node:path';
import type { Condition, Flag, Goal, Observation } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { loadProfiles, ofType } from '../../../src/care/profiles.ts';
import { extract, toTransaction } from '../../../src/care/sdc/extract.ts';
import { openForm } from '../../../src/care/sdc/form.ts';
import { isError } from '../../../src/fhir/validation/issue.ts';
import { testValidate } from '../../support/store-rules.ts';
import { chosen, form, NOW, response, scored } from './forms.ts';

const profiles = loadProfiles(join(import.meta.dirname, '../../../profiles'));
const errorsOf = (resource: unknown) => testValidate(resource).filter(isError);

test.each(ofType(profiles, 'Questionnaire').map((one) => [one.id, one] as const))('the form %s is valid', (_, one) => {
  expect(errorsOf(one)).toEqual([]);
  expect(one.copyright).toBeTruthy();
  openForm(one);
});

describe('PHQ-9', () => {
  const phq9 = form('phq-9');
  const made = scored(phq9, chosen(phq9, 'phq9-', [2, 2, 1, 1, 1, 1, 1, 1, 1]));
  const { resources, problems } = extract(phq9, made, NOW);
  const of = <T>(type: string) =>
    resources.flatMap(({ resource }) => (resource.resourceType === type ? [resource as T] : []));

  test('gives an Observation for each answer and for the total', () => {
    const observations = of<Observation>('Observation');
    expect(problems).toEqual([]);
    expect(observations).toHaveLength(10);
    const total = observations.find(({ code }) => code.coding?.[0]?.code === '44261-6');
    expect(total).toMatchObject({
      status: 'final',
      valueQuantity: { value: 11, unit: 'score', system: 'http://unitsofmeasure.org', code: '{score}' },
      subject: { reference: 'Patient/1' },
      effectiveDateTime: made.authored,
      performer: [{ reference: 'Practitioner/1' }],
      derivedFrom: [{ reference: 'QuestionnaireResponse/qr1' }],
    });
    expect(total?.category?.[0]?.coding?.[0]?.code).toBe('survey');
    const first = observations.find(({ code }) => code.coding?.[0]?.code === '44250-9');
    expect(first?.valueCodeableConcept?.coding).toEqual([
      { system: 'http://loinc.org', code: 'LA6570-1', display: 'More than half the days' },
    ]);
  });

  test('gives the needs to be confirmed and the safety flag', () => {
    expect(of<Condition>('Condition').map(({ code }) => code?.coding?.[0]?.code)).toEqual(['394924000', '225444004']);
    expect(of<Condition>('Condition')[0]).toMatchObject({
      verificationStatus: { coding: [{ code: 'unconfirmed' }] },
      category: [{ coding: [{ code: 'health-concern' }] }],
      subject: { reference: 'Patient/1' },
      recordedDate: made.authored,
      evidence: [{ detail: [{ reference: 'QuestionnaireResponse/qr1' }] }],
    });
    expect(of<Flag>('Flag')).toMatchObject([
      { status: 'active', category: [{ coding: [{ code: 'safety' }] }], period: { start: made.authored } },
    ]);
  });

  test('is a valid transaction with its provenance', () => {
    const bundle = toTransaction({ resources, problems }, made, NOW.now);
    expect(errorsOf(bundle)).toEqual([]);
    const provenance = bundle.entry?.at(-1)?.resource;
    expect(provenance).toMatchObject({
      resourceType: 'Provenance',
      entity: [{ role: 'source', what: { reference: 'QuestionnaireResponse/qr1' } }],
    });
    expect(provenance).toHaveProperty('target.length', resources.length + 1);
  });

  test('is the same again', () => {
    expect(extract(phq9, made, NOW).resources).toEqual(resources);
  });
});

test('a food need carries its Gravity category, and the goal points to it', () => {
  const hvs = form('hunger-vital-sign');
  const { resources } = extract(hvs, scored(hvs, chosen(hvs, 'food-', [0, 2])), NOW);
  const need = resources.find(({ resource }) => resource.resourceType === 'Condition');
  const goal = resources.find(({ resource }) => resource.resourceType === 'Goal')?.resource as Goal;
  expect((need?.resource as Condition | undefined)?.category?.map(({ coding }) => coding?.[0]?.code)).toEqual([
    'health-concern',
    'sdoh',
    'food-insecurity',
  ]);
  expect(need?.resource.meta?.profile).toContain(
    'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-Condition',
  );
  expect(goal).toMatchObject({
    lifecycleStatus: 'proposed',
    startDate: '2026-11-28',
    addresses: [{ reference: need?.fullUrl }],
  });
});

test('no answer, nothing extracted; what does not apply is not extracted', () => {
  const hvs = form('hunger-vital-sign');
  expect(extract(hvs, response(hvs, []), NOW).resources).toEqual([]);
  const phq9 = form('phq-9');
  const given = chosen(phq9, 'phq9-', [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const item = [...(given.item ?? []), { linkId: 'difficulty', answer: [{ valueCoding: { code: 'LA6572-7' } }] }];
  const codes = extract(phq9, { ...given, item }, NOW).resources.map(({ key }) => key);
  expect(codes).not.toContain('difficulty#1');
});

test('definition-based extraction fills nested and repeating elements', () => {
  const definition = (path: string) => `http://hl7.org/fhir/StructureDefinition/${path.split('.')[0]}#${path}`;
  const people = openForm({
    resourceType: 'Questionnaire',
    url: 'https://example.org/people',
    status: 'active',
    item: [
      {
        linkId: 'person',
        type: 'group',
        repeats: true,
        extension: [
          {
            url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-itemExtractionContext',
            valueCode: 'RelatedPerson',
          },
        ],
        item: [
          { linkId: 'family', type: 'string', definition: definition('RelatedPerson.name.family') },
          { linkId: 'given', type: 'string', repeats: true, definition: definition('RelatedPerson.name.given') },
          { linkId: 'born', type: 'date', definition: definition('RelatedPerson.birthDate') },
          {
            linkId: 'phone',
            type: 'group',
            repeats: true,
            definition: definition('RelatedPerson.telecom'),
            item: [{ linkId: 'number', type: 'string', definition: definition('RelatedPerson.telecom.value') }],
          },
        ],
      },
    ],
  });
  const person = (family: string, ...numbers: string[]) => ({
    linkId: 'person',
    item: [
      { linkId: 'family', answer: [{ valueString: family }] },
      { linkId: 'given', answer: [{ valueString: 'A' }, { valueString: 'B' }] },
      { linkId: 'born', answer: [{ valueDate: '1970-01-02' }] },
      ...numbers.map((valueString) => ({ linkId: 'phone', item: [{ linkId: 'number', answer: [{ valueString }] }] })),
    ],
  });
  const { resources, problems } = extract(people, response(people, [person('X', '1', '2'), person('Y')]), NOW);
  expect(problems).toEqual([]);
  expect(resources.map(({ resource }) => resource)).toEqual([
    {
      resourceType: 'RelatedPerson',
      name: [{ family: 'X', given: ['A', 'B'] }],
      birthDate: '1970-01-02',
      telecom: [{ value: '1' }, { value: '2' }],
    },
    { resourceType: 'RelatedPerson', name: [{ family: 'Y', given: ['A', 'B'] }], birthDate: '1970-01-02' },
  ]);
});
