// Parts of resources for _elements and _summary (32).
import { describe, expect, it } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createSubsetter, refuseSubsetted } from '../../src/fhir/subset.ts';

const subset = createSubsetter(loadDefinitions());
const observation = JSON.stringify({
  resourceType: 'Observation',
  id: 'o',
  meta: { versionId: '1', tag: [{ code: 'mine' }] },
  text: { status: 'generated', div: '<div/>' },
  status: 'final',
  code: { text: 'weight' },
  valueQuantity: { value: 1 },
  issued: '2026-01-01T00:00:00Z',
  _issued: { id: 'x' },
  note: [{ text: 'n' }],
});
const cut = (...pairs: [string, string][]) => JSON.parse(subset(pairs)(observation));
const keys = (...pairs: [string, string][]) => Object.keys(cut(...pairs));

describe('_elements', () => {
  it.each([
    ['issued', ['issued', '_issued']],
    ['value', ['valueQuantity']],
    ['value[x]', ['valueQuantity']],
    ['Observation.note', ['note']],
    ['note.text,issued', ['issued', '_issued', 'note']],
    ['nonsense', []],
    ['note, Observation.issued', ['issued', '_issued', 'note']],
  ])('%s keeps what was asked for and what is mandatory', (names, expected) => {
    expect(keys(['_elements', names])).toEqual(['resourceType', 'id', 'meta', 'status', 'code', ...expected]);
  });

  it('says so in a tag, beside those that are there, once', () => {
    const tags = (text: string) => JSON.parse(text).meta.tag.map(({ code }: { code: string }) => code);
    const once = subset([['_elements', 'note']])(observation);
    expect(tags(once)).toEqual(['mine', 'SUBSETTED']);
    expect(tags(subset([['_elements', 'note']])(once))).toEqual(['mine', 'SUBSETTED']);
  });

  it('of a type leaves other types whole, and plain names leave included resources whole', () => {
    expect(subset([['_elements', 'Patient.name']])(observation)).toBe(observation);
    expect(subset([['_elements', 'note']])(observation, true)).toBe(observation);
    const included = JSON.parse(subset([['_elements', 'status,Observation.note']])(observation, true));
    expect(Object.keys(included)).toEqual(['resourceType', 'id', 'meta', 'status', 'code', 'note']);
  });

  it('wins over _summary', () => {
    expect(keys(['_elements', 'note'], ['_summary', 'text'])).not.toContain('text');
  });

  it('keeps what changes the meaning of the rest', () => {
    const odd = { ...JSON.parse(observation), implicitRules: 'urn:x', modifierExtension: [{ url: 'urn:y' }] };
    const kept = JSON.parse(subset([['_elements', 'note']])(JSON.stringify(odd)));
    expect(kept).toMatchObject({ implicitRules: 'urn:x', modifierExtension: [{ url: 'urn:y' }] });
  });
});

describe('_summary', () => {
  it('text keeps the narrative, data drops it', () => {
    expect(keys(['_summary', 'text'])).toEqual(['resourceType', 'id', 'meta', 'text', 'status', 'code']);
    expect(keys(['_summary', 'data'])).toEqual(Object.keys(JSON.parse(observation)).filter((key) => key !== 'text'));
  });

  it('true keeps what R4 marks, inside of elements too, and what is mandatory', () => {
    const summary = ['resourceType', 'id', 'meta', 'status', 'code', 'valueQuantity', 'issued', '_issued'];
    expect(keys(['_summary', 'true'])).toEqual(summary);
    const plan = {
      resourceType: 'CarePlan',
      status: 'active',
      intent: 'plan',
      subject: { reference: 'Patient/1' },
      contained: [{ resourceType: 'Goal' }],
      extension: [{ url: 'urn:x', valueCode: 'y' }],
      activity: [{ detail: { status: 'scheduled' } }],
      period: { start: '2026' },
    };
    const { meta, ...kept } = JSON.parse(subset([['_summary', 'true']])(JSON.stringify(plan)));
    const { contained, extension, activity, ...expected } = plan;
    expect(kept).toEqual(expected);
    expect(meta.tag[0].code).toBe('SUBSETTED');
    const questionnaire = {
      resourceType: 'ValueSet',
      status: 'active',
      compose: { include: [{ system: 'urn:s' }], inactive: true },
      expansion: { timestamp: '2026-01-01T00:00:00Z' },
    };
    const valueSet = JSON.parse(subset([['_summary', 'true']])(JSON.stringify(questionnaire)));
    expect(valueSet.compose).toBeUndefined();
    const patient = {
      resourceType: 'Patient',
      link: [{ other: { reference: 'Patient/2' }, type: 'refer', extension: [] }],
    };
    const linked = JSON.parse(subset([['_summary', 'true']])(JSON.stringify(patient)));
    expect(linked.link).toEqual([{ other: { reference: 'Patient/2' }, type: 'refer' }]);
  });

  it.each([[[]], [[['_summary', 'false']]]] as [[string, string][]][])(
    'absent and false leave the stored text as it is',
    (pairs) => {
      expect(subset(pairs)(observation)).toBe(observation);
    },
  );

  it('of another kind is refused', () => {
    expect(() => subset([['_summary', 'nonsense']])).toThrow('_summary must be');
  });
});

it('keeps the digits of decimals', () => {
  const text = '{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.00}}';
  expect(subset([['_elements', 'value']])(text)).toContain('"valueQuantity":{"value":1.00}');
  expect(subset([['_summary', 'data']])(text)).toContain('"valueQuantity":{"value":1.00}');
  expect(subset([['_summary', 'true']])(text)).toContain('"valueQuantity":{"value":1.00}');
});

it('a part is not taken for the whole', () => {
  const part = cut(['_elements', 'note']);
  expect(() => refuseSubsetted(part)).toThrow('SUBSETTED');
  expect(() => refuseSubsetted({ ...part, meta: { tag: [{ code: 'SUBSETTED' }] } })).not.toThrow();
});
