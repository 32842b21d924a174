// Conditions in CQL, from libraries that bring compiled ELM.
import type { Library, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { runCql } from '../../../src/care/apply/cql.ts';
import { lookupIn } from '../../../src/care/apply/definition-source.ts';
import { holds } from '../../../src/care/apply/expression.ts';
import { readPathway } from '../../../src/care/apply/read-pathway.ts';
import { ANN, NOW, planOf } from './applied.ts';
import { recordsOf } from './records-in-memory.ts';

const FHIR = '{http://hl7.org/fhir}';
const statement = (name: string, expression: object, context = 'Patient') => ({
  name,
  context,
  accessLevel: 'Public',
  expression,
});

/** What a translator makes of: define HasCondition: exists [Condition]; define Gender: Patient.gender; … */
function elm(...more: object[]): object {
  return {
    library: {
      identifier: { id: 'Example', version: '1.0.0' },
      schemaIdentifier: { id: 'urn:hl7-org:elm', version: 'r1' },
      usings: {
        def: [
          { localIdentifier: 'System', uri: 'urn:hl7-org:elm-types:r1' },
          { localIdentifier: 'FHIR', uri: 'http://hl7.org/fhir', version: '4.0.1' },
        ],
      },
      contexts: { def: [{ name: 'Patient' }] },
      statements: {
        def: [
          statement('Patient', { type: 'SingletonFrom', operand: { dataType: `${FHIR}Patient`, type: 'Retrieve' } }),
          statement('HasCondition', {
            type: 'Exists',
            operand: { dataType: `${FHIR}Condition`, type: 'Retrieve' },
          }),
          ...more,
        ],
      },
    },
  };
}

function libraryOf(content: object | string, more: Partial<Library> = {}): Library {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return {
    resourceType: 'Library',
    status: 'active',
    url: 'urn:lib',
    type: { text: 'logic-library' },
    content: [{ contentType: 'application/elm+json', data: Buffer.from(text).toString('base64') }],
    ...more,
  };
}

const plan = planOf(
  [
    {
      id: 'a',
      title: 'A',
      condition: [{ kind: 'applicability', expression: { language: 'text/cql', expression: '"HasCondition"' } }],
    },
  ],
  { library: ['urn:lib'] },
);
const condition: Resource = { resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/ann' } };

const run = (library: Library, ...records: Resource[]) =>
  runCql({
    libraries: new Set(['urn:lib']),
    lookup: lookupIn([library]),
    patient: ANN,
    records: recordsOf(ANN, ...records),
    now: NOW,
    pathway: 'P',
  });

describe('CQL', () => {
  it.each([
    [[condition], true],
    [[], false],
  ])('sees the records of the patient (%#)', async (records, expected) => {
    const library = libraryOf(elm());
    const pathway = readPathway(plan, lookupIn([library]));
    expect([...pathway.libraries]).toEqual(['urn:lib']);
    const cql = await run(library, ...records);
    const [first] = pathway.steps[0]?.conditions ?? [];
    const result = first?.expression.evaluate({ subject: ANN, variables: {}, cql }) ?? [];
    expect(holds(result, { pathway: 'P', element: 'x' })).toBe(expected);
  });

  it('gives quantities, codes and resources as FHIR has them', async () => {
    const quantity = statement('Dose', { type: 'Quantity', value: 5, unit: 'mg' });
    const cql = await run(libraryOf(elm(quantity)), condition);
    expect(cql('urn:lib', 'Dose')).toEqual([
      { type: 'Quantity', value: { value: 5, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' } },
    ]);
    expect(cql('urn:lib', 'Patient')?.[0]).toMatchObject({ type: 'Patient', value: { id: 'ann' } });
    expect(cql('urn:lib', 'Nothing')).toBeUndefined();
  });

  const integer = (value: number) => ({
    ...{ type: 'Literal', valueType: '{urn:hl7-org:elm-types:r1}Integer', value: String(value) },
  });
  const call = { type: 'FunctionRef', name: 'Twice', operand: [integer(1)] };
  const twice = {
    ...{ name: 'Twice', type: 'FunctionDef', context: 'Patient', accessLevel: 'Public', operand: [{ name: 'n' }] },
    expression: { type: 'Add', operand: [call, call] },
  };
  const nested = `{"library":{"statements":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;

  const including = elm();
  (including as { library: { includes?: object } }).library.includes = {
    def: [{ localIdentifier: 'H', path: 'FHIRHelpers', version: '4.0.1' }],
  };
  it.each([
    [
      'no ELM',
      libraryOf(elm(), { content: [{ contentType: 'text/cql', data: '' }] }),
      /brings no application\/elm\+json/,
    ],
    ['no JSON', libraryOf('{'), /is not JSON/],
    ['no library in it', libraryOf({}), /has no library/],
    ['a library that is missing', libraryOf(including), /includes FHIRHelpers, which none of its dependencies brings/],
    [
      'something that cannot be evaluated',
      libraryOf(elm(statement('Bad', { type: 'FunctionRef', name: 'Nowhere', operand: [] }))),
      /could not be evaluated/,
    ],
    ['a function that calls itself for ever', libraryOf(elm(twice, statement('Bad', call))), /could not be evaluated/],
    ['regular expressions', libraryOf(elm(statement('Bad', { type: 'Matches', operand: [] }))), /uses Matches/],
    ['more levels than can be gone through', libraryOf(nested), /take too long|not JSON|has no library/],
  ])('is refused with %s', async (_, library, message) => {
    await expect(run(library)).rejects.toThrow(message);
  });

  it('is refused when the library or the definition is not there', async () => {
    const { library: _none, ...without } = plan;
    expect(() => readPathway(without, lookupIn([]))).toThrow(/needs a library/);
    const [first] = readPathway(plan, lookupIn([])).steps[0]?.conditions ?? [];
    const facts = { subject: ANN, variables: {}, cql: () => undefined };
    expect(() => first?.expression.evaluate(facts)).toThrow(/has no definition "HasCondition"/);
  });
});
